//! `gramtap config`, `doctor`, `topics apply`, `simulate`.
//!
//! In: environments that are right and wrong; the tests' Kafka, Redis and Postgres. Out: pass or fail:
//! what they say, and their exit codes.

use gramtap_tests::{Installation, Stores};

use super::*;

/// The output without where each value was written.
fn values(config: &str) -> Vec<&str> {
    let value = |line| str::split(line, "  # from ").next().unwrap();
    config.lines().map(value).collect()
}

#[tokio::test]
async fn config_is_a_configuration_and_hides_secrets() {
    let place = Place::new().await;
    let key = "c0ffee".repeat(11)[..64].to_owned();
    let secrets = [
        ("GRAMTAP_REDIS__URL", "redis://me:AAcanary-r@127.0.0.1:1/3"),
        (
            "GRAMTAP_DATABASE__URL",
            "postgres://me:AAcanary-p@127.0.0.1:1/g",
        ),
        (
            "GRAMTAP_KAFKA__PROPERTIES",
            r#"["sasl.password=AAcanary-k"]"#,
        ),
        ("GRAMTAP_SECRETS__KEY", &key),
        ("GRAMTAP_INGRESS__KEEP_ALIVE", "90s"),
    ];
    let first = place.run_with(&["config"], &secrets).await;
    assert_eq!(first.code, OK, "{}", first.err);
    for secret in ["AAcanary", "c0ffee"] {
        assert!(!first.out.contains(secret), "{secret}: {}", first.out);
    }
    let address = format!(
        "listen = \"{}\"  # from GRAMTAP_INGRESS__LISTEN",
        place.address
    );
    for line in [
        &address,
        "keep_alive = \"90s\"  # from GRAMTAP_INGRESS__KEEP_ALIVE",
        "workers = 0",
    ] {
        assert!(
            first.out.lines().any(|other| other == line),
            "{line}: {}",
            first.out
        );
    }
    let file = place.path().join("gramtap.toml");
    std::fs::write(&file, &first.out).unwrap();
    let again = place.run(&["config", "--config", "gramtap.toml"]).await;
    assert_eq!(again.code, OK, "{}", again.err);
    assert_eq!(values(&again.out), values(&first.out));
    assert!(
        again
            .out
            .contains("keep_alive = \"90s\"  # from gramtap.toml")
    );

    // What is printed is read by others: by name of the file in the environment, too.
    let named = [("GRAMTAP_CONFIG", "gramtap.toml")];
    let named = place.run_with(&["config"], &named).await;
    assert_eq!(named.out, again.out);
}

#[tokio::test]
async fn doctor_is_content_with_what_works() {
    let place = Place::new().await;
    let fresh = place.run(&["doctor"]).await;
    assert_eq!(
        (fresh.code, fresh.out.contains("problem")),
        (OK, false),
        "{}",
        fresh.out
    );
    assert_eq!(fresh.out.lines().count(), 10, "{}", fresh.out);
    let up = place.up(&[]).await;
    let beside = place.run(&["doctor"]).await;
    assert_eq!(beside.code, OK, "{}", beside.out);
    let running = format!("{} is in use by a running Gramtap", place.address);
    assert!(beside.out.contains(&running), "{}", beside.out);
    up.stop().await;

    // Another program has the address.
    let _taken = std::net::TcpListener::bind(place.address).unwrap();
    let taken = place.run(&["doctor"]).await;
    assert_eq!(taken.code, FAILED, "{}", taken.out);
    let line = taken.out.lines().find(|line| line.starts_with("problem"));
    assert!(
        line.unwrap().contains("set ingress.listen"),
        "{}",
        taken.out
    );
}

#[tokio::test]
async fn doctor_names_all_that_is_wrong() {
    let place = Place::new().await;
    let [nobody, neither] = free_addresses();
    let (brokers, redis) = (nobody.to_string(), format!("redis://me:AAcanary@{neither}"));
    let file = place.path().join("a-file");
    std::fs::write(&file, b"").unwrap();
    // Whoever runs the tests may write anywhere, but not below a file.
    let below = file.join("data");
    let wrong = [
        ("GRAMTAP_BUS__KIND", "kafka"),
        ("GRAMTAP_KAFKA__BROKERS", brokers.as_str()),
        ("GRAMTAP_REDIS__URL", &redis),
        ("GRAMTAP_DATA_DIR", below.to_str().unwrap()),
        ("GRAMTAP_TELEGRAM__URL", "http://127.0.0.1:1"),
    ];
    let told = place.run_with(&["doctor"], &wrong).await;
    assert_eq!(told.code, FAILED, "{}", told.out);
    let text = &told.out;
    let bus = format!("{brokers}: ");
    for (what, parts) in [
        ("data folder", ["cannot be written", "set data_dir"]),
        ("redis", ["start it", "redis.url"]),
        ("bus", [&bus, "correct kafka.brokers"]),
        ("telegram", ["cannot be reached", "telegram.url"]),
    ] {
        let start = format!("problem  {what}");
        let line = text.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{what}: {text}"));
        for part in parts {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    assert!(text.contains("ok       listener"), "{text}");
    assert!(
        !text.contains("AAcanary") && !told.err.contains("AAcanary"),
        "{text}"
    );
}

#[tokio::test]
async fn topics_are_applied_once_and_doctor_finds_the_servers() {
    let place = Place::new().await;
    let installation = Installation::new(Stores::Servers).await;
    let servers = installation.environment();
    let servers: Vec<_> = servers
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    let mut outs = Vec::new();
    for _ in 0..2 {
        let applied = place.run_with(&["topics", "apply"], &servers).await;
        assert_eq!(applied.code, OK, "{}{}", applied.out, applied.err);
        outs.push(applied.out);
    }
    // The harness has made them: both times there was nothing to do.
    assert_eq!(outs[0], outs[1]);
    for topic in gramtap_events::topics::ALL {
        let line = format!("{}: as it should be", topic.name);
        assert!(
            outs[1].lines().any(|other| other == line),
            "{line}: {}",
            outs[1]
        );
    }
    let doctor = place.run_with(&["doctor"], &servers).await;
    assert_eq!(doctor.code, OK, "{}", doctor.out);
    for part in ["postgres, 0 bots", "it answers", "kafka, "] {
        assert!(doctor.out.contains(part), "{part}: {}", doctor.out);
    }
    let embedded = place.run(&["topics", "apply"]).await;
    assert_eq!(embedded.code, OK);
    assert!(embedded.out.contains("nothing to do"), "{}", embedded.out);
    installation.remove().await;
}

#[tokio::test]
async fn simulate_is_a_bot_api_for_any_token() {
    let place = Place::new().await;
    let mut simulate = Running::start(place.gramtap(&["simulate", "--listen", "127.0.0.1:0"]));
    let line = simulate.line().await;
    let address = line.rsplit("http://").next().unwrap().to_owned();
    let mut client = Client::connect(address.parse().unwrap()).await;
    let answer = client.ask(get("/bot42:AAcanary/getMe")).await;
    assert_eq!(answer.json()["result"]["id"], 42);
    let taken = place.run(&["simulate", "--listen", &address]).await;
    assert_eq!(taken.code, FAILED);
    assert!(
        taken.err.contains("choose another address with --listen"),
        "{}",
        taken.err
    );
    simulate.stop().await;
}
