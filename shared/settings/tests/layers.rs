//! Defaults, file and environment through the public door: what wins, what is refused, and how the
//! refusal reads. Input: files in a temporary folder and variables given as pairs; the process's
//! own environment is never touched, so the tests can run side by side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::PathBuf, time::Duration};

use gramtap_settings::{
    ByteSize, DEFAULT, Origin, SecretString, Settings, SettingsError, duration,
};
use serde::Deserialize;

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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bus {
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
struct Kafka {
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

fn load(file: Option<&str>, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = file.map(|text| {
        let path = folder.path().join("gramtap.toml");
        fs::write(&path, text).unwrap();
        path
    });
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(path.as_deref(), variables)
}

fn refusal(file: Option<&str>, variables: &[(&str, &str)]) -> String {
    let error = load(file, variables).expect_err("refused");
    assert_eq!(error.label(), "refused");
    let text = error.to_string();
    // The temporary folder's name differs from run to run.
    match text.find("/gramtap.toml") {
        Some(_) => text
            .split(' ')
            .map(|word| {
                if word.contains("/gramtap.toml") {
                    word.rsplit('/').next().unwrap()
                } else {
                    word
                }
            })
            .collect::<Vec<_>>()
            .join(" "),
        None => text,
    }
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
            data_dir: "./gramtap-data".into()
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
            data_dir: "/variable".into()
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
fn unknown_keys_are_named_with_their_origin_and_the_nearest() {
    assert_eq!(
        refusal(Some("[ingress]\nlisten_on = \"x\""), &[]),
        "the configuration is refused: ingress.listen_on (in gramtap.toml): no such key, the nearest is ingress.listen"
    );
    assert_eq!(
        refusal(Some("listen = \"x\""), &[]),
        "the configuration is refused: listen (in gramtap.toml): no such key, the nearest is admin.listen"
    );
    assert_eq!(
        refusal(None, &[("GRAMTAP_INGRESS__LISTN", "x")]),
        "the configuration is refused: variable GRAMTAP_INGRESS__LISTN: no such key, the nearest is GRAMTAP_INGRESS__LISTEN"
    );
    assert_eq!(
        refusal(Some("[qwertyuiopasdf]\nzxcvbnm = 1"), &[]),
        "the configuration is refused: qwertyuiopasdf.zxcvbnm (in gramtap.toml): no such key, `gramtap config` prints them all"
    );
    assert_eq!(
        refusal(Some("[qwertyuiopasdf]"), &[]),
        "the configuration is refused: qwertyuiopasdf (in gramtap.toml): no such key, `gramtap config` prints them all"
    );
}

#[test]
fn wrong_values_are_named_with_what_was_expected() {
    for (file, expected) in [
        (
            "[ingress]\nworkers = \"many\"",
            "ingress.workers (in gramtap.toml): expected a whole number, found \"many\"",
        ),
        (
            "[ingress]\nworkers = 1.5",
            "ingress.workers (in gramtap.toml): expected a whole number, found \"1.5\"",
        ),
        (
            "[ingress]\nkeep_alive = 75",
            "ingress.keep_alive (in gramtap.toml): expected a duration such as 250ms, 30s, 5m or 7d, found \"75\"",
        ),
        (
            "[capture]\nbody_limit = \"64 apples\"",
            "capture.body_limit (in gramtap.toml): expected a size such as 64KiB, 8MiB or 1GiB, found \"64 apples\"",
        ),
        (
            "[capture]\nbody_limit = -1",
            "capture.body_limit (in gramtap.toml): expected a size such as 64KiB, 8MiB or 1GiB, found \"-1\"",
        ),
        (
            "[capture]\nenabled = \"yes\"",
            "capture.enabled (in gramtap.toml): expected true or false, found \"yes\"",
        ),
        (
            "[ingress]\nhosts = [1, 2]",
            "ingress.hosts (in gramtap.toml): expected a list of texts such as [\"a\", \"b\"]",
        ),
        (
            "ingress = 5",
            "ingress (in gramtap.toml): expected a section, [ingress] on a line of its own",
        ),
        (
            "ingress = 2020-01-01",
            "ingress (in gramtap.toml): expected a section, [ingress] on a line of its own",
        ),
        (
            "[[ingress]]\nlisten = \"x\"",
            "ingress (in gramtap.toml): expected a section, [ingress] on a line of its own",
        ),
        (
            "[ingress.listen]",
            "ingress.listen (in gramtap.toml): expected a text",
        ),
        (
            "[telemetry]\nsample = nan",
            "telemetry.sample (in gramtap.toml): expected a number, found \"NaN\"",
        ),
    ] {
        assert_eq!(
            refusal(Some(file), &[]),
            format!("the configuration is refused: {expected}"),
            "{file}"
        );
    }
    assert_eq!(
        refusal(None, &[("GRAMTAP_INGRESS__WORKERS", "")]),
        "the configuration is refused: ingress.workers (variable GRAMTAP_INGRESS__WORKERS): expected a whole number, found \"\""
    );
}

#[test]
fn everything_refused_is_reported_at_once() {
    let text = refusal(
        Some("a = 1\n[ingress]\nworkers = true"),
        &[("GRAMTAP_B", "1")],
    );
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn an_empty_section_is_nothing() {
    load(Some("[ingress]\n[bus.embedded]\ncapture = {}"), &[])
        .expect_err("bus.embedded.capture is no key");
    load(Some("capture = {}\n[ingress]\n[bus.embedded]"), &[]).unwrap();
}

#[test]
fn what_a_section_refuses_names_key_and_origin() {
    let settings = load(
        None,
        &[
            ("GRAMTAP_BUS__KIND", "kafak"),
            ("GRAMTAP_KAFKA__PARTITIONS", "70000"),
        ],
    )
    .unwrap();
    assert_eq!(
        settings.section::<Bus>("bus").unwrap_err().to_string(),
        "the configuration is refused: bus.kind (variable GRAMTAP_BUS__KIND): expected embedded or kafka, found \"kafak\""
    );
    let text = settings.section::<Kafka>("kafka").unwrap_err().to_string();
    assert!(
        text.contains("kafka.partitions (variable GRAMTAP_KAFKA__PARTITIONS): expected"),
        "{text}"
    );
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Admin {
        listen: std::net::SocketAddr,
    }
    let settings = load(None, &[("GRAMTAP_ADMIN__LISTEN", "here")]).unwrap();
    assert_eq!(
        settings.section::<Admin>("admin").unwrap_err().to_string(),
        "the configuration is refused: admin.listen (variable GRAMTAP_ADMIN__LISTEN): expected another value (invalid socket address syntax)"
    );
}

#[test]
fn an_item_of_a_list_that_is_refused_names_the_list() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Ingress {
        hosts: Vec<std::net::IpAddr>,
    }
    let settings = load(None, &[("GRAMTAP_INGRESS__HOSTS", "127.0.0.1,here")]).unwrap();
    assert_eq!(
        settings
            .section::<Ingress>("ingress")
            .unwrap_err()
            .to_string(),
        "the configuration is refused: ingress.hosts (variable GRAMTAP_INGRESS__HOSTS): expected another value (invalid IP address syntax)"
    );
}

#[test]
fn a_program_may_refuse_what_it_cannot_use() {
    let settings = load(None, &[("GRAMTAP_KAFKA__PARTITIONS", "70000")]).unwrap();
    assert_eq!(
        settings
            .refuse("kafka.partitions", "at most 1000")
            .to_string(),
        "the configuration is refused: kafka.partitions (variable GRAMTAP_KAFKA__PARTITIONS): expected at most 1000"
    );
}

#[test]
fn a_struct_that_does_not_fit_the_page_is_told_apart() {
    let settings = load(None, &[]).unwrap();
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code)]
    struct Less {
        listen: String,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct More {
        moon: String,
    }
    for error in [
        settings.section::<Less>("ingress").unwrap_err(),
        settings.section::<More>("ingress").unwrap_err(),
    ] {
        assert_eq!(error.label(), "section", "{error}");
    }
    assert_eq!(
        settings.section::<More>("nowhere").unwrap_err().label(),
        "section"
    );
}

#[test]
fn a_missing_file_is_told() {
    let error =
        Settings::load(Some("/nowhere/gramtap.toml".as_ref()), std::iter::empty()).unwrap_err();
    assert_eq!(error.label(), "unreadable");
    assert!(
        error.to_string().contains("/nowhere/gramtap.toml"),
        "{error}"
    );
}

#[test]
fn bad_syntax_tells_the_place_and_never_quotes_the_line() {
    let error = load(
        Some("data_dir = \"x\"\n[redis]\nurl = \"redis://:CANARY@host\n"),
        &[],
    )
    .unwrap_err();
    assert_eq!(error.label(), "syntax");
    let text = format!("{error} {error:?}");
    assert!(text.contains("line 3, column"), "{text}");
    assert!(!text.contains("CANARY"), "{text}");
}

#[test]
fn every_default_may_be_repeated_in_a_file() {
    let settings = load(Some(DEFAULT), &[]).unwrap();
    assert_eq!(
        settings.render().matches("# from").count(),
        DEFAULT.lines().filter(|line| line.contains(" = ")).count()
    );
}
