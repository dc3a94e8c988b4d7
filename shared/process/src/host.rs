//! Host names as people write them.
//!
//! In: settings, Host headers. Out: the name alone, to whoever compares names. Invariant: what is no
//! host is none here; nothing of the port counts: a listener may sit behind any mapping. Pure.

/// A host in lower case without port and final dot; an IPv6 address without brackets.
#[must_use]
pub fn bare(text: &str) -> Option<String> {
    let text = text.trim();
    let name = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            return (port_fits && address.parse::<std::net::Ipv6Addr>().is_ok())
                .then(|| address.to_ascii_lowercase());
        }
        None => match text.split_once(':') {
            Some((name, port)) if is_port(port) => name,
            Some(_) => return None,
            None => text,
        },
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!name.is_empty() && name.len() <= 253 && name.bytes().all(fits))
        .then(|| name.to_ascii_lowercase())
}

fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_what_is_none() {
        for (text, name) in [
            ("gramtap.example", Some("gramtap.example")),
            ("GRAMTAP.example.:8443", Some("gramtap.example")),
            (" [::1]:8080 ", Some("::1")),
            ("127.0.0.1:8080", Some("127.0.0.1")),
            ("", None),
            ("a b", None),
            ("a:b", None),
            ("a:80:90", None),
            ("[x]", None),
            ("user@gramtap.example", None),
        ] {
            assert_eq!(bare(text).as_deref(), name, "{text}");
        }
    }
}
