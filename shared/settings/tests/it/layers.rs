//! Defaults, file and environment: what wins, and what a service reads from it.

use std::{fs, path::PathBuf, time::Duration};

use gramtap_settings::{ByteSize, DEFAULT, Networks, Origin, SecretString, Settings, duration};
use serde::Deserialize;

use crate::load;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Capture {
    enabled: bool,
    body_limit: ByteSize,
    update_limit: ByteSize,
    answer_limit: ByteSize,
    worker_budget: ByteSize,
    #[serde(with = "duration")]
    poll_window: Duration,
    #[serde(with = "duration")]
    flush_interval: Duration,
    memory_limit: ByteSize,
    spool_limit: ByteSize,
    spool_rate: u32,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Top {
    public_url: String,
    data_dir: PathBuf,
    trusted_proxies: Networks,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bus {
    kind: BusKind,
    embedded: Embedded,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum BusKind {
    Embedded,
    Kafka,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Embedded {
    #[serde(with = "duration")]
    retention: Duration,
    max_bytes: ByteSize,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Kafka {
    properties: Vec<String>,
    partitions: u16,
}

#[derive(Debug, Deserialize)]
struct Telemetry {
    sample: f64,
}

#[derive(Debug, Deserialize)]
struct Redis {
    url: SecretString,
}

#[test]
fn defaults_fit_structs() {
    let settings = load(None, &[]).unwrap();
    let capture: Capture = settings.section("capture").unwrap();
    assert!(capture.enabled);
    assert_eq!(capture.body_limit, ByteSize::kib(64));
    assert_eq!(capture.update_limit, ByteSize::kib(512));
    assert_eq!(capture.answer_limit, ByteSize::mib(8));
    assert_eq!(capture.worker_budget, ByteSize::mib(64));
    assert_eq!(capture.poll_window, Duration::from_secs(10));
    assert_eq!(capture.flush_interval, Duration::from_millis(200));
    assert_eq!(capture.memory_limit, ByteSize::mib(32));
    assert_eq!(capture.spool_limit, ByteSize::gib(1));
    assert_eq!(capture.spool_rate, 5000);
    let top: Top = settings.top().unwrap();
    assert_eq!(
        top,
        Top {
            public_url: String::new(),
            data_dir: "./gramtap-data".into(),
            trusted_proxies: Networks::default(),
        }
    );
    let bus: Bus = settings.section("bus").unwrap();
    assert_eq!(bus.kind, BusKind::Embedded);
    assert_eq!(bus.embedded.max_bytes, ByteSize::gib(10));
    let embedded: Embedded = settings.section("bus.embedded").unwrap();
    assert_eq!(embedded.retention, Duration::from_secs(7 * 24 * 3600));
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "data_dir = \"/file\"\npublic_url = \"https://file\"\n[capture]\nspool_rate = 7\nbody_limit = 1024\n";
    let settings = load(
        Some(file),
        &[
            ("GRAMTAP_DATA_DIR", "/variable"),
            ("GRAMTAP_CAPTURE__SPOOL_RATE", "9"),
        ],
    )
    .unwrap();
    let top: Top = settings.top().unwrap();
    assert_eq!(
        top,
        Top {
            public_url: "https://file".into(),
            data_dir: "/variable".into(),
            trusted_proxies: Networks::default(),
        }
    );
    let capture: Capture = settings.section("capture").unwrap();
    assert_eq!(capture.spool_rate, 9);
    assert_eq!(capture.body_limit, ByteSize::b(1024));
    assert_eq!(
        settings.origin("data_dir"),
        Some(&Origin::Variable("GRAMTAP_DATA_DIR".into()))
    );
    assert!(matches!(
        settings.origin("public_url"),
        Some(Origin::File(_))
    ));
    assert_eq!(settings.origin("capture.enabled"), Some(&Origin::Default));
    assert_eq!(settings.origin("capture.none"), None);
}

#[test]
fn variables_of_every_kind() {
    let settings = load(
        None,
        &[
            ("GRAMTAP_BUS__KIND", "kafka"),
            ("GRAMTAP_BUS__EMBEDDED__RETENTION", "2h"),
            (
                "GRAMTAP_KAFKA__PROPERTIES",
                "security.protocol=ssl, client.id=x",
            ),
            ("GRAMTAP_KAFKA__PARTITIONS", "3"),
            ("GRAMTAP_INGRESS__HOSTS", r#"["a.example", "b,c"]"#),
            ("GRAMTAP_TELEMETRY__SAMPLE", "1"),
            ("GRAMTAP_CAPTURE__ENABLED", "false"),
            ("GRAMTAP_REDIS__URL", "redis://:x@host"),
            ("GRAMTAP_TEST_KAFKA", "ignored"),
            ("HOME", "/root"),
        ],
    )
    .unwrap();
    let bus: Bus = settings.section("bus").unwrap();
    assert_eq!(bus.kind, BusKind::Kafka);
    assert_eq!(bus.embedded.retention, Duration::from_secs(7200));
    let kafka: Kafka = settings.section("kafka").unwrap();
    assert_eq!(kafka.properties, ["security.protocol=ssl", "client.id=x"]);
    assert_eq!(kafka.partitions, 3);
    #[derive(Deserialize)]
    struct Ingress {
        hosts: Vec<String>,
    }
    assert_eq!(
        settings.section::<Ingress>("ingress").unwrap().hosts,
        ["a.example", "b,c"]
    );
    assert_eq!(
        settings.section::<Telemetry>("telemetry").unwrap().sample,
        1.0
    );
    assert_eq!(
        settings.section::<Redis>("redis").unwrap().url.expose(),
        "redis://:x@host"
    );
}

#[test]
fn a_variable_names_the_file_and_an_argument_wins_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let by_variable = folder.path().join("variable.toml");
    let by_argument = folder.path().join("argument.toml");
    fs::write(&by_variable, "data_dir = \"/by-variable\"").unwrap();
    fs::write(&by_argument, "data_dir = \"/by-argument\"").unwrap();
    let variables = || {
        [(
            "GRAMTAP_CONFIG".to_owned(),
            by_variable.display().to_string(),
        )]
        .into_iter()
    };
    let top: Top = Settings::load(None, variables()).unwrap().top().unwrap();
    assert_eq!(top.data_dir, PathBuf::from("/by-variable"));
    let top: Top = Settings::load(Some(&by_argument), variables())
        .unwrap()
        .top()
        .unwrap();
    assert_eq!(top.data_dir, PathBuf::from("/by-argument"));
}

#[test]
fn every_default_may_be_repeated_in_a_file() {
    let settings = load(Some(DEFAULT), &[]).unwrap();
    assert_eq!(
        settings.render().matches("# from").count(),
        DEFAULT.lines().filter(|line| line.contains(" = ")).count()
    );
}
