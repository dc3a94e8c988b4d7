//! Whether a bot's setWebhook is taken over.
//!
//! In: the order, what the registry knows of the bot's webhook, the installation's rules. Out: a [`Plan`], for `takeover.rs`. Invariant: what Telegram would refuse
//! reaches Telegram as it is, so that the bot hears it in Telegram's words; an address of ours never becomes the target of another. Pure.

use std::net::IpAddr;

use gramtap_endpoint::public::is_cloud;
use gramtap_outbound::guard::{PORTS, refused};
use gramtap_tenants::{Hook, Webhook};

use super::order::Order;
use crate::config::Takeover;

/// What holds for all bots of the installation.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) takeover: Takeover,
    /// Whether Telegram can push to `public_url`.
    pub(crate) reachable: bool,
    /// The host of the Bot API.
    pub(crate) api_host: String,
}

/// What becomes of a setWebhook.
#[derive(Debug)]
pub(super) enum Plan {
    /// It is passed on as it is, because of this.
    Pass(&'static str),
    /// It ends the webhook.
    End,
    /// Ours is set in place of this one.
    Take(Webhook),
}

/// The secret part of an address, if it is one of ours, by whatever host.
pub(super) fn hook(url: &str) -> Option<Hook> {
    let (_, hook) = url.trim().rsplit_once("/webhook/")?;
    hook.parse().ok()
}

/// Decides. `current`: the webhook that is known of the bot, whether it is set or not.
pub(super) fn decide(rules: &Rules, order: &Order, current: Option<&Webhook>) -> Plan {
    if order.url().is_empty() {
        return Plan::End;
    }
    if hook(order.url()).is_some() {
        return Plan::Pass("own_address");
    }
    if rules.takeover == Takeover::Never {
        return Plan::Pass("never");
    }
    if current.is_some_and(|current| current.released) {
        return Plan::Pass("released");
    }
    if !rules.reachable {
        return Plan::Pass("unreachable");
    }
    let Ok(webhook) = order.webhook() else {
        return Plan::Pass("unfit");
    };
    if is_cloud(&rules.api_host) && !is_accepted(&webhook) {
        return Plan::Pass("unfit");
    }
    let known =
        |current: &Webhook| current.given() == webhook.given() || current.url() == webhook.url();
    match (rules.takeover, current) {
        (Takeover::Always, _) => Plan::Take(webhook),
        (_, Some(current)) if known(current) => Plan::Take(webhook),
        _ => Plan::Pass("other_address"),
    }
}

/// Whether Telegram's own service takes the address, as far as it says without looking a name up.
fn is_accepted(webhook: &Webhook) -> bool {
    let url = webhook.url();
    let port = url.port_or_known_default();
    let public = |address: IpAddr| address.is_ipv4() && refused(address).is_none();
    let host = match url.host() {
        Some(url::Host::Ipv4(address)) => public(address.into()),
        Some(url::Host::Ipv6(_)) | None => false,
        Some(url::Host::Domain(name)) => name != "localhost",
    };
    url.scheme() == "https"
        && port.is_some_and(|port| PORTS.contains(&port))
        && host
        && webhook.ip_address.is_none_or(public)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::observe::RequestHead;

    const KNOWN: &str = "https://bot.example/AAcanary";

    fn rules(takeover: Takeover) -> Rules {
        Rules {
            takeover,
            reachable: true,
            api_host: "api.telegram.org".to_owned(),
        }
    }

    fn planned(rules: &Rules, form: &str, current: Option<&Webhook>) -> String {
        let head = RequestHead {
            query: Some(form),
            ..RequestHead::default()
        };
        match decide(rules, &Order::read(&head, b"").unwrap(), current) {
            Plan::Pass(why) => why.to_owned(),
            Plan::End => "end".to_owned(),
            Plan::Take(webhook) => format!("take {}", webhook.given()),
        }
    }

    #[test]
    fn only_the_known_address_is_taken_over_by_default() {
        let current = Webhook::new(KNOWN).unwrap();
        let mut released = Webhook::new(KNOWN).unwrap();
        released.released = true;
        let known = format!("url={KNOWN}");
        let (take, other) = (format!("take {KNOWN}"), "url=https://other.example/x");
        let ours = "url=https://any.example/webhook/abcdefghijklmnopqrstuvwxyz";
        use Takeover::{Always, Known, Never};
        let table: [(Takeover, &str, Option<&Webhook>, &str); 12] = [
            (Known, &known, Some(&current), &take),
            (Known, &known, None, "other_address"),
            (Known, other, Some(&current), "other_address"),
            (
                Known,
                "url=https://BOT.example/AAcanary",
                Some(&current),
                "take https://BOT.example/AAcanary",
            ),
            (Known, &known, Some(&released), "released"),
            (Always, &known, None, &take),
            (
                Always,
                other,
                Some(&current),
                "take https://other.example/x",
            ),
            (Always, other, Some(&released), "released"),
            (Always, ours, Some(&current), "own_address"),
            (Never, &known, Some(&current), "never"),
            (Never, "url=", Some(&current), "end"),
            (Known, "x=1", None, "end"),
        ];
        for (takeover, form, current, expected) in table {
            let told = planned(&rules(takeover), form, current);
            assert_eq!(told, expected, "{takeover:?} {form}");
        }
        let laptop = Rules {
            reachable: false,
            ..rules(Always)
        };
        assert_eq!(planned(&laptop, &known, Some(&current)), "unreachable");
    }

    #[test]
    fn what_telegram_refuses_is_left_to_it() {
        let local = Rules {
            api_host: "127.0.0.1".to_owned(),
            ..rules(Takeover::Always)
        };
        for url in [
            "http://bot.example/x",
            "https://bot.example:8080/x",
            "https://10.0.0.1/x",
            "https://localhost/x",
            "https://[2a00::1]/x",
            "https://bot.example/x&ip_address=10.0.0.1",
        ] {
            let form = format!("url={url}");
            assert_eq!(planned(&rules(Takeover::Always), &form, None), "unfit");
            let own = planned(&local, &form, None);
            assert!(own.starts_with("take"), "a server of one's own takes {url}");
        }
        let form = "url=https://bot.example:8443/x&ip_address=8.8.8.8";
        assert!(planned(&rules(Takeover::Always), form, None).starts_with("take"));
    }
}
