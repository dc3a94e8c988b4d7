//! `gramtap up`: all services in one process.
//!
//! In: the configuration. Out: `services/ingress`, `services/forwarder` and `services/analytics` on one bus, one registry and one set of probes, and a
//! few lines on standard output that say what to type next. Invariant: those lines appear once the
//! listener serves; a closed standard output does not end the services. A forwarder or analytics that cannot go on turns readiness off and
//! says why; bots are served all the same. The end follows the data: calls, their records, deliveries, events, sums.

use std::future;
use std::path::Path;
use std::process::ExitCode;

use gramtap_analytics::app::{Analytics, Welcome};
use gramtap_forwarder::app::Forwarder;
use gramtap_ingress::app::{self, Ingress};
use gramtap_process::Process;

use crate::effective::Effective;
use crate::out;

pub(crate) async fn run(effective: Effective) -> anyhow::Result<ExitCode> {
    let config = &effective.config.process;
    let up = Up::start(&effective, open(&effective).await?).await?;
    let admin = up.process.admin().map(|address| address.to_string());
    let console = up.welcome().await;
    let text = greeting(
        &up.ingress.address().to_string(),
        admin.as_deref(),
        console.as_ref(),
        &config.public_url,
        &config.data_dir,
    );
    // Bots are served whether or not anybody reads this.
    out::print(&text).ok();
    Ok(up.end(future::pending()).await)
}

/// All services, running.
pub(crate) struct Up {
    process: Process,
    ingress: Ingress,
    forwarder: Forwarder,
    analytics: Analytics,
}

/// Opens what they share.
pub(crate) async fn open(effective: &Effective) -> anyhow::Result<Process> {
    Process::open(&effective.config.process, "ingress").await
}

impl Up {
    /// Starts them, and waits until the process is ready.
    pub(crate) async fn start(effective: &Effective, process: Process) -> anyhow::Result<Self> {
        let ingress = Ingress::start(&effective.config, process.parts.clone())?;
        let forwarder = Forwarder::start(&effective.forwarder, &process.parts)?;
        let analytics = Analytics::start(&effective.analytics, &process.parts)?;
        process.ready().await?;
        Ok(Self {
            process,
            ingress,
            forwarder,
            analytics,
        })
    }

    /// Where people find the console. None: nowhere.
    pub(crate) async fn welcome(&self) -> Option<Welcome> {
        self.analytics.welcome().await
    }

    /// A link into the console for whoever has it. None: there is no console.
    pub(crate) async fn guest(&self) -> anyhow::Result<Option<String>> {
        Ok(self.analytics.guest().await.transpose()?)
    }

    /// Waits for a signal, or until it is `over` by itself, and ends them in order.
    pub(crate) async fn end(self, over: impl Future<Output = bool>) -> ExitCode {
        let Self {
            process,
            ingress,
            forwarder,
            analytics,
        } = self;
        let drain = async {
            let served = ingress.drain().await;
            let delivered = forwarder.drain().await;
            let counted = analytics.drain().await;
            served && delivered && counted
        };
        process.end(app::reload, over, drain).await
    }
}

fn greeting(
    address: &str,
    admin: Option<&str>,
    console: Option<&Welcome>,
    public_url: &str,
    data_dir: &Path,
) -> String {
    let console = match console {
        Some(welcome) => welcome.to_string(),
        None => "console none (console.listen is empty)\n".to_owned(),
    };
    let admin = match admin {
        Some(address) => format!("http://{address}/-/ready, /-/live, /-/metrics"),
        None => "none (admin.listen is empty)".to_owned(),
    };
    let folder = data_dir
        .canonicalize()
        .unwrap_or_else(|_| data_dir.to_owned());
    format!(
        "Gramtap serves bots on {address}, told to use {public_url}\n\
         {console}\
         admin   {admin}\n\
         data    {}\n\
         next    gramtap bots add --id <bot id>   connects a bot and prints how to point it here\n\
         {:8}gramtap tail                     shows its records as they come\n",
        folder.display(),
        ""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_tells_where_and_what_next() {
        let text = greeting(
            "127.0.0.1:8080",
            Some("127.0.0.1:8099"),
            Some(&Welcome {
                url: "http://127.0.0.1:8090".to_owned(),
                link: Some("http://127.0.0.1:8090/welcome/x".to_owned()),
            }),
            "https://x.example",
            Path::new("/no/such"),
        );
        for part in [
            "127.0.0.1:8080",
            "http://127.0.0.1:8099/-/ready",
            "console http://127.0.0.1:8090/welcome/x   makes its owner",
            "https://x.example",
            "/no/such",
            "gramtap bots add",
            "gramtap tail",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = greeting("a", None, None, "b", Path::new("c"));
        assert!(text.contains("admin.listen is empty") && text.contains("console.listen is empty"));
    }
}
