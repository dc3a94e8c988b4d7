//! No secret is ever printed: canaries in every place where a secret may be written, searched for
//! in everything that can be printed. Also that the printed page is true and can be read again.

use std::fs;

use gramtap_settings::{DEFAULT, SecretString, Settings};
use serde::Deserialize;

const FILE: &str = r#"
[telegram]
url = "https://user:CANARY@api.example"
[redis]
url = "rediss://default:CANARY@cache:6380/0"  # CANARY in a comment
[kafka]
properties = [
  "security.protocol=sasl_ssl",
  # CANARY in a comment
  "sasl.username=gramtap",
  "sasl.password=CANARY",
  "ssl.key.pem=CANARY",
  "sasl.oauthbearer.client.secret=CANARY",
  "some.token=CANARY",
  "CANARY",
]
[telemetry]
otlp_endpoint = "http://collector:4317?api-key=CANARY"
"#;

fn settings() -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gramtap.toml");
    fs::write(&path, FILE).unwrap();
    let variables = [
        ("GRAMTAP_SECRETS__KEY", "CANARY"),
        (
            "GRAMTAP_DATABASE__URL",
            "postgres://gramtap:CA@NARY/CANARY@db/gramtap?password=CANARY&sslmode=require",
        ),
        ("GRAMTAP_INGRESS__LISTEN", "0.0.0.0:8080"),
    ];
    let variables = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Settings::load(Some(&path), variables).unwrap()
}

#[test]
fn the_rendered_page_and_debug_output_hide_secrets() {
    let settings = settings();
    let page = settings.render();
    assert!(!page.contains("CANARY"), "{page}");
    assert!(!format!("{settings:?} {settings:#?}").contains("CANARY"));
    for line in [
        "url = \"https://user:***@api.example\"  # from ",
        "url = \"rediss://default:***@cache:6380/0\"  # from ",
        "url = \"postgres://gramtap:***@db/gramtap?password=***&sslmode=require\"  # from GRAMTAP_DATABASE__URL",
        "key = \"***\"  # from GRAMTAP_SECRETS__KEY",
        "\"sasl.username=gramtap\", \"sasl.password=***\", \"ssl.key.pem=***\"",
        "listen = \"0.0.0.0:8080\"  # from GRAMTAP_INGRESS__LISTEN",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

#[test]
fn the_check_itself_can_fail() {
    // A user's name is not a secret, so a canary there is printed and would be found.
    let variables = [(
        "GRAMTAP_REDIS__URL".to_owned(),
        "redis://CANARY:x@host".to_owned(),
    )];
    let settings = Settings::load(None, variables.into_iter()).unwrap();
    assert!(settings.render().contains("CANARY"));
}

#[test]
fn the_page_without_changes_is_the_page_of_defaults() {
    let settings = Settings::load(None, std::iter::empty()).unwrap();
    assert_eq!(settings.render(), DEFAULT);
}

#[test]
fn the_rendered_page_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rendered.toml");
    fs::write(&path, settings().render()).unwrap();
    let again = Settings::load(Some(&path), std::iter::empty()).unwrap();
    #[derive(Deserialize)]
    struct Ingress {
        listen: String,
    }
    assert_eq!(
        again.section::<Ingress>("ingress").unwrap().listen,
        "0.0.0.0:8080"
    );
}

#[test]
fn errors_do_not_quote_secrets() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Picky {
        #[serde(deserialize_with = "refuse")]
        url: SecretString,
    }
    fn refuse<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("invalid: {text}")))
    }
    for section in ["redis", "database", "telegram"] {
        let error = settings().section::<Picky>(section).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(&format!("{section}.url")), "{text}");
        assert!(!text.contains("CANARY"), "{text}");
    }
    // Of the wrong kind, in every layer.
    let file = "[secrets]\nkey = [\"CANARY\"]\n[kafka]\nproperties = \"sasl.password=CANARY\"";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gramtap.toml");
    fs::write(&path, file).unwrap();
    let token = "123456789:CANARYCANARYCANARYCANARYCANARYCANAR";
    let variables = [
        ("GRAMTAP_INGRESS__WORKERS", token),
        ("GRAMTAP_SECRET", "CANARY"),
    ];
    let variables = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let error = Settings::load(Some(&path), variables).unwrap_err();
    let text = format!("{error} {error:?}");
    assert_eq!(error.to_string().lines().count(), 5, "{text}");
    assert!(!text.contains("CANARY"), "{text}");
}
