//! What is wrong is named, with what to write instead.
//!
//! In: command lines and environments, one fault each. Out: pass or fail: the exit code, and words of
//! standard error. Invariant: standard output is empty, nothing was started, no token is quoted.

use super::*;

#[tokio::test]
async fn faults_are_named() {
    let place = Place::new().await;
    let token = "7:AAcanary";
    let tls = place.path().join("none.pem");
    let tls = tls.to_str().unwrap();
    type Fault<'a> = (
        &'a [&'a str],
        &'a [(&'a str, &'a str)],
        Option<i32>,
        &'a str,
    );
    let faults: &[Fault<'_>] = &[
        (&["upp"], &[], USAGE, "a similar subcommand exists: 'up'"),
        (
            &["up", "--listen", "x"],
            &[],
            USAGE,
            "unexpected argument '--listen'",
        ),
        (
            &["bots", "add"],
            &[],
            USAGE,
            "<--token <TOKEN>|--id <ID>|--code-only>",
        ),
        (
            &["bots", "add", "--id", token],
            &[],
            USAGE,
            "for '--id <ID>'",
        ),
        (&["bots", "add", "--tokn", token], &[], USAGE, "'--token'"),
        (&["bots", "rm", "x"], &[], USAGE, "a code has 26 characters"),
        (
            &["tail", "--topic", "x"],
            &[],
            USAGE,
            "the topics are gramtap.calls.v1",
        ),
        (
            &["tail", "--bot", "7"],
            &[],
            FAILED,
            "`gramtap bots list` shows them",
        ),
        (&["tail"], &[], FAILED, "start `gramtap up` first"),
        (
            &["--config", "none.toml", "up"],
            &[],
            REFUSED,
            "none.toml cannot be read",
        ),
        (
            &["up"],
            &[("GRAMTAP_INGRESS__LISTN", "x")],
            REFUSED,
            "the nearest is GRAMTAP_INGRESS__LISTEN",
        ),
        (
            &["up"],
            &[("GRAMTAP_INGRESS__LISTEN", "localhost")],
            REFUSED,
            "ingress.listen (variable GRAMTAP_INGRESS__LISTEN): expected an IP address with port such as 127.0.0.1:8080, \
             or 0.0.0.0:8080 for every network, found \"localhost\"",
        ),
        (
            &["up"],
            &[("GRAMTAP_INGRESS__LISTEN", "[::1:8080")],
            REFUSED,
            "such as 127.0.0.1:8080",
        ),
        (
            &["up"],
            &[("GRAMTAP_INGRESS__KEEP_ALIVE", "75")],
            REFUSED,
            "a duration such as 250ms, 30s",
        ),
        (
            &["up"],
            &[("GRAMTAP_INGRESS__HOSTS", "http://x")],
            REFUSED,
            "ingress.hosts",
        ),
        (
            &["up"],
            &[("GRAMTAP_PUBLIC_URL", "https://exa mple")],
            REFUSED,
            "public_url",
        ),
        (
            &["up"],
            &[("GRAMTAP_PUBLIC_URL", "https://x/y")],
            REFUSED,
            "without path",
        ),
        (
            &["up"],
            &[("GRAMTAP_BUS__KIND", "nats")],
            REFUSED,
            "embedded or kafka",
        ),
        (
            &["up"],
            &[("GRAMTAP_INGRESS__TLS_CERT_FILE", tls)],
            REFUSED,
            "ingress.tls_key_file",
        ),
        (
            &["up"],
            &[
                ("GRAMTAP_INGRESS__TLS_CERT_FILE", tls),
                ("GRAMTAP_INGRESS__TLS_KEY_FILE", tls),
            ],
            REFUSED,
            "none.pem cannot be read (ingress.tls_cert_file)",
        ),
        (
            &["up"],
            &[("GRAMTAP_SECRETS__KEY", "AAcanary")],
            REFUSED,
            "secrets.key",
        ),
        (
            &["up"],
            &[("GRAMTAP_DATABASE__URL", "mysql://x:AAcanary@y/z")],
            REFUSED,
            "database.url",
        ),
        (
            &["bots", "list"],
            &[("GRAMTAP_REDIS__URL", "AAcanary")],
            REFUSED,
            "redis.url",
        ),
    ];
    for (arguments, environment, code, words) in faults {
        let done = place.run_with(arguments, environment).await;
        let what = format!(
            "{arguments:?} {environment:?}: {:?} {}",
            done.code, done.err
        );
        assert_eq!(done.code, *code, "{what}");
        assert!(done.err.contains(words), "{words}: {what}");
        assert!(!done.err.contains("AAcanary"), "{what}");
        assert!(done.err.matches("os error").count() <= 1, "{what}");
        assert_eq!(done.out, "", "{what}");
    }
    assert_eq!(place.control.total_requests(), 0);
    let help = place.run(&["--help"]).await;
    assert_eq!(help.code, OK);
    for command in [
        "up", "bots", "tail", "simulate", "topics", "config", "doctor",
    ] {
        assert!(
            help.out.contains(&format!("\n  {command} ")),
            "{command}: {}",
            help.out
        );
    }
}

#[tokio::test]
async fn the_one_service_refuses_alike() {
    let place = Place::new().await;
    for (arguments, environment, code, words) in [
        (&["--listen"][..], &[][..], USAGE, "usage: gramtap-ingress"),
        (&["--config"], &[], USAGE, "--config needs a file"),
        (
            &["--config", "none.toml"],
            &[],
            REFUSED,
            "none.toml cannot be read",
        ),
        (
            &[],
            &[("GRAMTAP_INGRESS__LISTEN", "x")],
            REFUSED,
            "such as 127.0.0.1:8080",
        ),
        (
            &[],
            &[("GRAMTAP_SECRETS__KEY", "AAcanary")],
            REFUSED,
            "secrets.key",
        ),
        (&["--version"], &[], OK, ""),
    ] {
        let mut command = place.command("gramtap-ingress", arguments);
        command.envs(environment.iter().copied());
        let done = done(within("its end", command.output()).await.unwrap());
        let what = format!(
            "{arguments:?} {environment:?}: {:?} {}",
            done.code, done.err
        );
        assert_eq!(done.code, code, "{what}");
        assert!(
            done.err.contains(words) && !done.err.contains("AAcanary"),
            "{what}"
        );
        assert_eq!(
            done.out.contains("gramtap-ingress 0."),
            code == OK,
            "{}",
            done.out
        );
    }
}
