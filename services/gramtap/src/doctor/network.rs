//! The checks of addresses: Telegram's, the listener's, the admin listener's.
//!
//! In: the configuration. Out: a [`Finding`] each. Invariant: a port that a running Gramtap holds is
//! no problem; whether it is one is asked of its own `/-/live`, nowhere else.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use gramtap_botapi::Section;
use gramtap_ingress::Config;

use super::Finding;

pub(crate) async fn telegram(section: &Section) -> Finding {
    match gramtap_botapi::get(section, "/").await {
        Ok(answered) => Finding::Ok(format!("{} answers ({})", section.url, answered.status)),
        Err(error) => Finding::Problem(error.to_string()),
    }
}

pub(crate) async fn listener(config: &Config) -> Finding {
    let settings = &config.ingress;
    for (key, file) in [
        ("ingress.tls_cert_file", &settings.tls_cert_file),
        ("ingress.tls_key_file", &settings.tls_key_file),
    ] {
        if !file.is_empty()
            && let Err(error) = std::fs::File::open(file)
        {
            return Finding::Problem(format!("{file} cannot be read: {error}; correct {key}"));
        }
    }
    let running = match config.process.admin {
        Some(admin) => is_gramtap(admin).await,
        None => false,
    };
    bound(settings.listen, "ingress.listen", running)
}

pub(crate) async fn admin(config: &Config) -> Finding {
    match config.process.admin {
        None => Finding::Ok("none (admin.listen is empty)".to_owned()),
        Some(address) => bound(address, "admin.listen", is_gramtap(address).await),
    }
}

fn bound(address: SocketAddr, key: &str, running: bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::Ok(format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && running => {
            Finding::Ok(format!("{address} is in use by a running Gramtap"))
        }
        Err(error) => Finding::Problem(format!(
            "{address} cannot be listened on: {error}; end the program that uses it, or set {key}"
        )),
    }
}

/// Whether `/-/live` is answered there as Gramtap does.
async fn is_gramtap(admin: SocketAddr) -> bool {
    let client = awc::Client::builder()
        .disable_redirects()
        .timeout(Duration::from_secs(2))
        .finish();
    let Ok(mut response) = client.get(format!("http://{admin}/-/live")).send().await else {
        return false;
    };
    response
        .body()
        .limit(4096)
        .await
        .is_ok_and(|body| body.starts_with(b"ok"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_port_is_free_ours_or_taken() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert!(
            matches!(bound(address, "ingress.listen", true), Finding::Ok(text) if text.contains("running"))
        );
        let Finding::Problem(text) = bound(address, "ingress.listen", false) else {
            panic!("a taken port was free");
        };
        assert!(text.contains("ingress.listen"), "{text}");
        drop(taken);
        assert!(
            matches!(bound(address, "ingress.listen", false), Finding::Ok(text) if text.contains("free"))
        );
    }
}
