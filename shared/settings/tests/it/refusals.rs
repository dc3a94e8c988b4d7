//! What is refused, and how the refusal reads to the one who has to mend it.

use gramtap_settings::Settings;
use serde::Deserialize;

use crate::{
    layers::{Bus, Kafka},
    load,
};

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
