//! Opens a connection to a webhook.
//!
//! In: the webhook's target. Out: a [`Stream`], plain or TLS. Invariant: an address that is not
//! allowed is never dialled: the simulator is offline, so only this machine and private networks are,
//! and where Telegram's own rules are played, none at all but those named in the configuration.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::is_private;
use super::request::Target;
use super::trust;
use super::verdict::Broken;
use crate::route::Environment;
use crate::shared::Shared;
use crate::world::webhook::WebhookRules;

/// What a push goes over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What OpenSSL says of a certificate that is not trusted.
const NOT_TRUSTED: &str = "error:0A000086:SSL routines::certificate verify failed";
/// What it says of a peer that closes in the middle.
const CUT: &str = "error:0A000126:SSL routines::unexpected eof while reading";

/// Connects, with TLS if the target asks for it.
pub(crate) async fn dial(
    shared: &Shared,
    environment: Environment,
    bot: i64,
    target: &Target,
) -> Result<Box<dyn Stream>, Broken> {
    let address = find(shared, environment, bot, target).await?;
    let stream = TcpStream::connect(address).await.map_err(system)?;
    stream.set_nodelay(true).map_err(system)?;
    if !target.address.secure {
        return Ok(Box::new(stream));
    }
    let refused = |error: rustls::Error| Broken::Tls(error.to_string());
    let authorities = shared.config.webhook_ca.as_deref();
    let settings = trust::settings(target.certificate.as_deref(), authorities).map_err(refused)?;
    let name = ServerName::try_from(target.address.name().to_owned());
    let name = name.map_err(|error| Broken::Tls(error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(settings));
    let secured = connector.connect(name, stream).await;
    Ok(Box::new(secured.map_err(|error| handshake(&error))?))
}

/// Where to connect to; the address found is remembered and shown.
async fn find(
    shared: &Shared,
    environment: Environment,
    bot: i64,
    target: &Target,
) -> Result<SocketAddr, Broken> {
    let (config, now) = (&shared.config, shared.config.clock.now());
    let (name, port) = (target.address.name(), target.address.port);
    let named = config.webhook_hosts.iter().find(|(host, _)| host == name);
    let known = {
        let world = shared.world(environment);
        let bot = world.bots.get(&bot);
        bot.and_then(|bot| bot.polling.resolved(now))
    };
    let address = match (named, target.ip.or(target.address.ip()).or(known)) {
        (Some((_, address)), _) => *address,
        (None, Some(ip)) => SocketAddr::new(ip, port),
        (None, None) => {
            let found = tokio::net::lookup_host((name, port)).await;
            let found: Vec<SocketAddr> = found.map_err(|_| Broken::Unresolved)?.collect();
            let first = found.iter().find(|address| address.is_ipv4());
            *first.or(found.first()).ok_or(Broken::Unresolved)?
        }
    };
    if named.is_none() {
        allowed(address.ip(), config.webhook_rules)?;
    }
    if known.is_none()
        && let Some(known) = shared.world(environment).bots.get_mut(&bot)
    {
        known.polling.resolve(address.ip(), bot.unsigned_abs(), now);
    }
    Ok(address)
}

fn allowed(ip: IpAddr, rules: WebhookRules) -> Result<(), Broken> {
    match (rules, ip) {
        (WebhookRules::Cloud, IpAddr::V6(_)) => Err(Broken::Ipv6Only),
        (WebhookRules::Cloud, ip) if is_private(ip) => Err(Broken::Reserved(ip)),
        (_, ip) if !is_private(ip) => Err(Broken::Public(ip)),
        _ => Ok(()),
    }
}

/// The system's words, without the number.
pub(crate) fn system(error: io::Error) -> Broken {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Broken::Closed;
    }
    let text = error.to_string();
    let bare = text.split(" (os error").next().unwrap_or_default();
    Broken::System(bare.to_owned())
}

fn handshake(error: &io::Error) -> Broken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    Broken::Tls(match inner {
        Some(rustls::Error::InvalidCertificate(_)) => NOT_TRUSTED.to_owned(),
        Some(inner) => inner.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => CUT.to_owned(),
        None => return system(io::Error::new(error.kind(), error.to_string())),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_private_addresses_are_dialled() {
        let checked = |ip: &str, rules| {
            allowed(ip.parse().unwrap(), rules).map_err(|broken| broken.to_string())
        };
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.17.0.2",
            "169.254.1.1",
            "::1",
            "fd00::1",
        ] {
            assert_eq!(checked(private, WebhookRules::Any), Ok(()), "{private}");
            assert!(checked(private, WebhookRules::Cloud).is_err(), "{private}");
        }
        for public in ["93.184.216.34", "149.154.167.220", "2606:2800::1"] {
            assert!(
                checked(public, WebhookRules::Any)
                    .unwrap_err()
                    .contains("is public"),
                "{public}"
            );
            assert!(checked(public, WebhookRules::Cloud).is_err(), "{public}");
        }
    }

    #[test]
    fn the_systems_words() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(
            system(refused),
            Broken::System("Connection refused".to_owned())
        );
        assert_eq!(system(io::ErrorKind::UnexpectedEof.into()), Broken::Closed);
    }
}
