//! Names of environment variables and the keys they stand for. Input: the process's environment
//! (through [`process_environment`]) or a test's. Output: `load.rs`. Invariant: every variable that
//! begins with `GRAMTAP_` is a known key, one of the few named here, or refused. Pure.

use crate::{known::nearest, value::Kind};

const PREFIX: &str = "GRAMTAP_";

/// Set for tests and by a developer's services, which may run in the same shell.
const TESTS: [&str; 2] = ["GRAMTAP_TEST_", "GRAMTAP_DEV_"];

/// Names the configuration file.
pub(crate) const FILE: &str = "GRAMTAP_CONFIG";

/// What a variable stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Variable<'a> {
    /// Not ours: another prefix, a test's, or set by an orchestrator.
    Foreign,
    /// The configuration file's path.
    File,
    /// A known key and its kind.
    Key(&'a str, Kind),
    /// Ours by its prefix, and of no known key. The variable that was perhaps meant.
    Unknown { nearest: Option<String> },
}

/// The process's own environment, as far as it concerns Gramtap. Bytes that are not UTF-8 are
/// replaced, so that a stranger's variable cannot end the process.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .filter(|(name, _)| name.starts_with(PREFIX))
}

/// The variable that sets a key: `ingress.listen` is `GRAMTAP_INGRESS__LISTEN`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Tells what `name` stands for among `keys`.
pub(crate) fn classify<'a>(
    name: &str,
    value: &str,
    keys: impl Iterator<Item = (&'a str, Kind)> + Clone,
) -> Variable<'a> {
    if !name.starts_with(PREFIX) || TESTS.iter().any(|prefix| name.starts_with(prefix)) {
        return Variable::Foreign;
    }
    if name == FILE {
        return Variable::File;
    }
    if let Some((key, kind)) = keys.clone().find(|(key, _)| variable_of(key) == name) {
        return Variable::Key(key, kind);
    }
    if is_service_link(name, value) {
        return Variable::Foreign;
    }
    let variables: Vec<String> = keys.map(|(key, _)| variable_of(key)).collect();
    let nearest = nearest(name, variables.iter().map(String::as_str)).map(str::to_owned);
    Variable::Unknown { nearest }
}

/// Whether Kubernetes put the variable there. For each Service of a namespace it sets
/// `<NAME>_SERVICE_HOST`, `<NAME>_SERVICE_PORT` and `<NAME>_PORT…`; a Service that is called
/// `gramtap-ingress` would otherwise keep every pod beside it from starting.
fn is_service_link(name: &str, value: &str) -> bool {
    let after_last = |marker: &str| name.rsplit_once(marker).map(|(_, rest)| rest);
    let is_url = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_url)
        || after_last("_PORT_").is_some_and(|rest| {
            let mut parts = rest.split('_');
            let port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
            let protocol = parts
                .next()
                .is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol));
            port && protocol
                && matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"))
                && parts.next().is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [(&str, Kind); 3] = [
        ("data_dir", Kind::Text),
        ("ingress.listen", Kind::Text),
        ("bus.embedded.retention", Kind::Duration),
    ];

    #[test]
    fn variables_and_what_they_stand_for() {
        let unknown = |nearest: &str| Variable::Unknown {
            nearest: Some(nearest.to_owned()),
        };
        for (name, value, expected) in [
            ("PATH", "/bin", Variable::Foreign),
            ("GRAMTAP_TEST_KAFKA", "x", Variable::Foreign),
            ("GRAMTAP_DEV_KAFKA_PORT", "28092", Variable::Foreign),
            ("GRAMTAP_CONFIG", "x", Variable::File),
            (
                "GRAMTAP_DATA_DIR",
                "x",
                Variable::Key("data_dir", Kind::Text),
            ),
            (
                "GRAMTAP_INGRESS__LISTEN",
                "x",
                Variable::Key("ingress.listen", Kind::Text),
            ),
            (
                "GRAMTAP_BUS__EMBEDDED__RETENTION",
                "7d",
                Variable::Key("bus.embedded.retention", Kind::Duration),
            ),
            (
                "GRAMTAP_INGRESS_LISTEN",
                "x",
                unknown("GRAMTAP_INGRESS__LISTEN"),
            ),
            ("GRAMTAP_DATADIR", "x", unknown("GRAMTAP_DATA_DIR")),
            (
                "GRAMTAP_ingress__listen",
                "x",
                unknown("GRAMTAP_INGRESS__LISTEN"),
            ),
            (
                "GRAMTAP_INGRESS_SERVICE_HOST",
                "10.0.0.1",
                Variable::Foreign,
            ),
            (
                "GRAMTAP_INGRESS_SERVICE_PORT_HTTP",
                "8080",
                Variable::Foreign,
            ),
            (
                "GRAMTAP_INGRESS_PORT",
                "tcp://10.0.0.1:8080",
                Variable::Foreign,
            ),
            (
                "GRAMTAP_INGRESS_PORT_8080_TCP",
                "tcp://10.0.0.1:8080",
                Variable::Foreign,
            ),
            (
                "GRAMTAP_INGRESS_PORT_8080_TCP_ADDR",
                "10.0.0.1",
                Variable::Foreign,
            ),
        ] {
            assert_eq!(classify(name, value, KEYS.into_iter()), expected, "{name}");
        }
        // A port that is written by a person is not a link.
        assert!(matches!(
            classify("GRAMTAP_INGRESS_PORT", "8080", KEYS.into_iter()),
            Variable::Unknown { .. }
        ));
        assert!(matches!(
            classify("GRAMTAP_INGRESS_PORT_X_TCP", "1", KEYS.into_iter()),
            Variable::Unknown { .. }
        ));
    }
}
