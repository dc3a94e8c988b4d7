//! The address of a webhook, read as Telegram's server reads it.
//!
//! In: the `url` of setWebhook (`world/webhook.rs`). Out: [`Address`], for the checks there, for
//! dialling and for the request's bytes. Invariant: what is not read here never becomes a webhook;
//! path and query go out as they were given, save that spaces and control signs are escaped.

use std::fmt;
use std::net::IpAddr;

/// Where a webhook is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) secure: bool,
    /// What stands before the `@`, as given.
    pub(crate) userinfo: String,
    /// In lower case; an IPv6 address in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, as they stand in the request line.
    pub(crate) target: String,
}

impl Address {
    /// Reads an address; one without a scheme is https.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let end = url.find([':', '/', '?', '#', '@', '[', ']']);
        let (scheme, rest) = match end.map(|end| url.split_at(end)) {
            Some((scheme, rest)) if rest.starts_with("://") => (scheme, &rest[3..]),
            _ => ("https", url),
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (userinfo, host_port) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = match host_port.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (host_port, if secure { 443 } else { 80 }),
        };
        let host = host.to_ascii_lowercase();
        (port != 0 && is_host(&host)).then(|| Self {
            secure,
            userinfo: userinfo.to_owned(),
            target: escaped(target),
            host,
            port,
        })
    }

    /// The host if it is an IP address.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.name().parse().ok()
    }

    /// The host without brackets.
    pub(crate) fn name(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// The value of `Host`: with the port, unless it is the scheme's own.
    pub(crate) fn host_header(&self) -> String {
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

/// Addresses that are not on the Internet.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
        }
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let fits = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte >= 0x80 || b".-_!$,~*'();&+=%".contains(&byte)
    };
    !host.is_empty() && host != "." && host.bytes().all(fits)
}

/// Begins with a slash; nothing in it ends the request line.
fn escaped(target: &str) -> String {
    let target = target.trim_end_matches([' ', '\t', '\r', '\n', '\0', '\x0b']);
    let mut text = String::with_capacity(target.len() + 1);
    if !target.starts_with('/') {
        text.push('/');
    }
    for sign in target.chars() {
        if sign <= ' ' {
            text.push_str(&format!("%{:02X}", u32::from(sign)));
        } else {
            text.push(sign);
        }
    }
    text
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path often holds the token, and the userinfo is a password.
        f.debug_struct("Address")
            .field("secure", &self.secure)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scheme userinfo host port target Host`, or nothing.
    fn read(url: &str) -> String {
        Address::parse(url).map_or(String::new(), |address| {
            let host = address.host_header();
            let Address {
                secure,
                userinfo,
                host: name,
                port,
                target,
            } = address;
            format!("{secure} {userinfo:?} {name} {port} {target} {host}")
        })
    }

    #[test]
    fn follows_the_table() {
        let table = [
            (
                "https://bot.example",
                "true \"\" bot.example 443 / bot.example",
            ),
            ("bot.example/x", "true \"\" bot.example 443 /x bot.example"),
            (
                "HTTP://Bot.Example:80/X?y=Z",
                "false \"\" bot.example 80 /X?y=Z bot.example",
            ),
            ("http://h:8443?a b", "false \"\" h 8443 /?a%20b h:8443"),
            ("https://u:p@h:443/\u{1f}x ", "true \"u:p\" h 443 /%1Fx h"),
            ("https://a@b@h/#f", "true \"a@b\" h 443 /#f h"),
            ("https://[::1]:8443/x", "true \"\" [::1] 8443 /x [::1]:8443"),
            ("https://пример/ж", "true \"\" пример 443 /ж пример"),
            (
                "http://127.0.0.1:8080/",
                "false \"\" 127.0.0.1 8080 / 127.0.0.1:8080",
            ),
            ("ftp://h", ""),
            ("https://", ""),
            ("https://h:0/", ""),
            ("https://h:65536/", ""),
            ("https://h:x/", ""),
            ("https://a b/", ""),
            ("https://[::g]/", ""),
            ("https://.", ""),
        ];
        for (url, expected) in table {
            assert_eq!(read(url), expected, "{url}");
        }
        let shown = format!("{:?}", Address::parse("https://u:AAcanary@h/AAcanary"));
        assert!(
            !shown.contains("canary") && shown.contains("443"),
            "{shown}"
        );
    }
}
