//! Which face of Gramtap a request's host names: the shared host, or one bot's own.
//!
//! In: the Host header, and where public_url and `ingress.hosts` say the faces are. Out: [`Face`],
//! to `gate.rs`. Invariant: exactly one label before the domain is a code's host; a host that
//! is no code's is the shared host, unless the configuration lists the only ones allowed.
//! Nothing of the port counts: a listener may sit behind any mapping. Pure; holds no state.

use gramtap_process::bare;

/// What a host names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// Bots that are found by the bot id in the path.
    Shared,
    /// `{code}.{domain}`: the label, lower-cased. Whether such a code exists is the registry's to say.
    Code(String),
}

/// Why a host names nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostError {
    /// HTTP/1.1 wants one, and one only.
    #[error("the request has no Host header, or several")]
    Missing,
    /// It is no host at all.
    #[error("the Host header cannot be read")]
    Malformed,
    /// `ingress.hosts` does not list it.
    #[error("this host is not served here")]
    NotServed,
}

/// The hosts that this installation answers to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    domain: Option<String>,
    only: Vec<String>,
}

impl Hosts {
    /// `domain` is the host of `public_url`; codes' hosts are one label before it. An address
    /// is no domain: nothing can stand before it.
    pub(crate) fn new(domain: &str, only: &[String]) -> Self {
        let domain = bare(domain).filter(|name| name.parse::<std::net::IpAddr>().is_err());
        Self {
            domain,
            only: only.iter().filter_map(|name| bare(name)).collect(),
        }
    }

    /// Reads the Host header.
    pub(crate) fn face(&self, header: Option<&str>) -> Result<Face, HostError> {
        let host = bare(header.ok_or(HostError::Missing)?).ok_or(HostError::Malformed)?;
        if let Some(label) = self.label(&host) {
            return Ok(Face::Code(label.to_owned()));
        }
        match self.only.is_empty() || self.only.contains(&host) {
            true => Ok(Face::Shared),
            false => Err(HostError::NotServed),
        }
    }

    fn label<'h>(&self, host: &'h str) -> Option<&'h str> {
        let label = host
            .strip_suffix(self.domain.as_deref()?)?
            .strip_suffix('.')?;
        (!label.is_empty() && !label.contains('.')).then_some(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(label: &str) -> Result<Face, HostError> {
        Ok(Face::Code(label.to_owned()))
    }

    #[test]
    fn names_the_face_whatever_the_spelling() {
        let hosts = Hosts::new("gramtap.example", &[]);
        let table = [
            (Some("gramtap.example"), Ok(Face::Shared)),
            (Some("gramtap.example:8443"), Ok(Face::Shared)),
            (Some("GRAMTAP.example."), Ok(Face::Shared)),
            (Some("127.0.0.1:8080"), Ok(Face::Shared)),
            (Some("[::1]:8080"), Ok(Face::Shared)),
            (Some("ingress"), Ok(Face::Shared)),
            (Some("abc.gramtap.example"), code("abc")),
            (Some("ABC.Gramtap.Example.:443"), code("abc")),
            (Some("a.b.gramtap.example"), Ok(Face::Shared)),
            (Some(".gramtap.example"), Ok(Face::Shared)),
            (Some("xgramtap.example"), Ok(Face::Shared)),
            (None, Err(HostError::Missing)),
            (Some(""), Err(HostError::Malformed)),
            (Some("a b"), Err(HostError::Malformed)),
            (Some("a:b"), Err(HostError::Malformed)),
            (Some("a:80:90"), Err(HostError::Malformed)),
            (Some("[::1"), Err(HostError::Malformed)),
            (Some("[x]"), Err(HostError::Malformed)),
            (Some("user@gramtap.example"), Err(HostError::Malformed)),
        ];
        for (header, face) in table {
            assert_eq!(hosts.face(header), face, "{header:?}");
        }
    }

    #[test]
    fn a_list_of_hosts_shuts_out_the_others_but_no_code() {
        let hosts = Hosts::new("gramtap.example", &["gramtap.example".to_owned()]);
        assert_eq!(hosts.face(Some("gramtap.example")), Ok(Face::Shared));
        assert_eq!(hosts.face(Some("other.example")), Err(HostError::NotServed));
        assert_eq!(hosts.face(Some("abc.gramtap.example")), code("abc"));
    }

    #[test]
    fn an_address_has_no_codes() {
        let hosts = Hosts::new("127.0.0.1", &[]);
        assert_eq!(hosts.face(Some("abc.127.0.0.1")), Ok(Face::Shared));
    }
}
