//! Who is refused what.

use actix_web::http::Method;
use serde_json::json;

use super::Script;
use super::script::{bot, key};
use crate::serve::keys::kept::{self, Scope};
use crate::serve::tests::Subject;

const DAY: i64 = 86_400;

#[actix_rt::test]
async fn without_a_key_that_holds_nothing_is_told() {
    let subject = Subject::new().await;
    let now = (subject.site.clock)();
    let nobody = Script {
        subject: &subject,
        key: None,
    };
    for path in ["/v1/bots", "/v1/no-such", "/v1/bots/x/live"] {
        let got = nobody.get(path).await;
        assert_eq!(got.status, 401, "{path}");
        assert_eq!(got.problem(), "no-key");
        assert_eq!(got.headers.get("www-authenticate").unwrap(), "Bearer");
    }
    let good = Script::new(&subject).await;
    assert_eq!(good.get("/v1/bots").await.status, 200);
    let text = good.key.clone().unwrap();
    let mut other = text.clone();
    let last = if other.pop() == Some('a') { 'b' } else { 'a' };
    other.push(last);
    let expired = key(&subject, |key| key.expires = Some(now)).await;
    let lasting = key(&subject, |key| key.expires = Some(now + DAY)).await;
    for (text, told) in [
        (other, "not one of this installation"),
        ("gt_x_y".to_owned(), "not one of this installation"),
        (
            "7000000001:AAcanary".to_owned(),
            "not one of this installation",
        ),
        (expired, "expired"),
    ] {
        let script = Script {
            subject: &subject,
            key: Some(text),
        };
        let got = script.get("/v1/bots").await;
        assert_eq!(
            (got.status.as_u16(), got.problem()),
            (401, "bad-key".to_owned())
        );
        let detail = got.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains(told) && !detail.contains("AAcanary"),
            "{detail}"
        );
    }
    for header in ["api-key", "Api-Key"] {
        let got = nobody
            .send(Method::GET, "/v1/bots", None, &[(header, &lasting)])
            .await;
        assert_eq!(got.status, 200, "{header}");
    }
    // A revoked key ends with the next request.
    let id = text.split('_').nth(1).unwrap();
    assert!(kept::revoke(subject.database(), id, now).await.unwrap());
    assert!(!kept::revoke(subject.database(), id, now).await.unwrap());
    let got = good.get("/v1/bots").await;
    assert_eq!(got.status, 401);
    assert_eq!(got.json()["detail"], "The API key is revoked.");
}

#[actix_rt::test]
async fn who_guesses_waits_and_others_do_not() {
    let subject = Subject::new().await;
    let good = Script::new(&subject).await;
    assert_eq!(good.get("/v1/bots").await.status, 200);
    let mut guess = Script {
        subject: &subject,
        key: None,
    };
    let mut told = Vec::new();
    for place in 0..25 {
        let letter = char::from(b'a' + place);
        guess.key = Some(format!(
            "gt_{}_{}",
            letter.to_string().repeat(16),
            "b".repeat(52)
        ));
        told.push(guess.get("/v1/bots").await.status.as_u16());
    }
    assert_eq!(told[..20], [401; 20]);
    assert_eq!(told[20..], [429; 5]);
    let got = guess.get("/v1/bots").await;
    assert_eq!(got.problem(), "too-many-tries");
    assert!(got.headers.contains_key("retry-after"));
    assert_eq!(good.get("/v1/bots").await.status, 200);
}

#[actix_rt::test]
async fn a_key_allows_its_scopes_and_its_bots_alone() {
    let subject = Subject::new().await;
    let (mine, other) = (bot(&subject, "mine").await, bot(&subject, "other").await);
    let numbers = [
        "",
        "/overview",
        "/audience",
        "/actions",
        "/sources",
        "/errors",
        "/latency",
        "/polls",
    ];
    let records = ["/events", "/export", "/live"];
    for scope in Scope::ALL {
        let script = Script::scoped(&subject, scope, &[mine.id]).await;
        for (paths, needed) in [(&numbers[..], Scope::Read), (&records[..2], Scope::Export)] {
            for page in paths {
                let own = script.get(&format!("/v1/bots/{}{page}", mine.code)).await;
                let foreign = script.get(&format!("/v1/bots/{}{page}", other.code)).await;
                if scope == needed {
                    assert_eq!(own.status, 200, "{page}");
                    assert_eq!(foreign.problem(), "not-found", "{page}");
                } else {
                    assert_eq!(own.problem(), "not-allowed", "{page}");
                    assert_eq!(own.status, 403);
                    assert_eq!(foreign.status, 403);
                }
            }
        }
        let live = format!("/v1/bots/{}/live", other.code);
        let live = script.get(&live).await.status;
        assert_eq!(live, if scope == Scope::Export { 404 } else { 403 });
        let listed = script.get("/v1/bots").await;
        if scope == Scope::Read {
            let bots = listed.json()["bots"].as_array().unwrap().clone();
            assert_eq!(bots.len(), 1);
            assert_eq!(bots[0]["code"], mine.code.as_str());
        } else {
            assert_eq!(listed.status, 403);
        }
        for (code, allowed) in [(mine.code, 200), (other.code, 404)] {
            let path = format!("/v1/bots/{code}");
            let change = Some(json!({"name": "new"}));
            let got = script.send(Method::PATCH, &path, change, &[]).await;
            let wanted = if scope == Scope::Manage { allowed } else { 403 };
            assert_eq!(got.status, wanted);
        }
        let got = script
            .send(Method::POST, "/v1/bots", Some(json!({})), &[])
            .await;
        assert_eq!(got.problem(), "not-allowed");
    }
    let known = subject
        .site
        .registry
        .get(other.code)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.name.as_deref(), Some("other"));
}

#[actix_rt::test]
async fn what_is_not_understood_is_named() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let code = bot(&subject, "one").await.code;
    for (page, named) in [
        ("/overview?dayz=7", "dayz"),
        ("?x=1", "`x`"),
        ("/live?x=1", "`x`"),
        ("/overview?days=7&days=8", "days"),
        (
            "/overview?days=0",
            "days must be a whole number from 1 to 366",
        ),
        ("/overview?days=367", "days must"),
        ("/overview?days=%2B7x", "days must"),
        ("/overview?days=7&from=2026-01-01", "days: give either"),
        ("/overview?to=2026-01-01", "from: is needed"),
        (
            "/overview?from=2026-01-02&to=2026-01-01",
            "to: must not be before",
        ),
        (
            "/overview?from=2024-01-01&to=2026-01-01",
            "366 dates at most",
        ),
        ("/overview?from=01.01.2026", "from must be a date"),
        ("/overview?from=9999-01-01", "from must be a date"),
        ("/actions?top=0", "top must"),
        ("/polls?hours=721", "hours must"),
        ("/events?cursor=x", "cursor must"),
        ("/events?cursor=events.0.-1", "cursor must"),
        ("/events?cursor=events.77.0", "begin without one"),
        (
            "/events?cursor=events.0.1&topic=errors",
            "cursor is one of the other topic",
        ),
        (
            "/events?cursor=events.0.1&from=2026-01-01",
            "from: not together",
        ),
        ("/events?topic=calls", "topic must be events or errors"),
        ("/events?limit=1001", "limit must"),
        ("/export?format=xml", "format must be jsonl or csv"),
        (
            "/export?from=2026-01-02&to=2026-01-01",
            "to: must be behind",
        ),
        ("/export?spreadsheet=yes", "spreadsheet must"),
    ] {
        let got = script.get(&format!("/v1/bots/{code}{page}")).await;
        assert_eq!(got.status, 422, "{page}");
        assert_eq!(got.problem(), "refused", "{page}");
        let detail = got.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(named), "{page}: {detail}");
    }
    for (path, status) in [
        ("/v1/bots?cursor=x", 422),
        ("/v1/no-such", 404),
        ("/v1/bots/no-such/overview", 404),
        ("/v1/bots/abcdefghijklmnopqrstuvwxyz/overview", 404),
        (&format!("/v1/bots/{code}/errors/0123456789abcdef"), 404),
        (&format!("/v1/bots/{code}/errors/%00"), 404),
        (&format!("/v1/bots/{code}/no-such"), 404),
    ] {
        let got = script.get(path).await;
        assert_eq!(got.status, status, "{path}");
        got.problem();
    }
}

#[actix_rt::test]
async fn bodies_and_methods_are_refused_with_what_would_do() {
    let subject = Subject::new().await;
    let script = Script::new(&subject).await;
    let code = bot(&subject, "one").await.code;
    let one = format!("/v1/bots/{code}");
    for (method, path, allowed) in [
        (Method::PUT, "/v1/bots", "GET, POST"),
        (Method::POST, one.as_str(), "GET, PATCH, DELETE"),
        (Method::DELETE, &format!("{one}/overview"), "GET"),
    ] {
        let got = script.send(method, path, None, &[]).await;
        assert_eq!(got.status, 405);
        assert_eq!(got.problem(), "method");
        assert_eq!(got.headers.get("allow").unwrap(), allowed);
    }
    for (body, status, named) in [
        (
            json!({"token": "7000000001-AAcanary"}),
            422,
            "token is none",
        ),
        (json!({"bot": -1}), 422, "bot must"),
        (json!({"bot": "x"}), 422, "body"),
        (
            json!({"bot": 7, "time_zone": "Mars/Olympus"}),
            422,
            "time_zone must",
        ),
        (
            json!({"bot": 7, "name": "x".repeat(200)}),
            422,
            "128 characters",
        ),
        (json!({"bot": 7, "name": "a\u{0}b"}), 422, "control"),
        (json!({"bot": 7, "name": "x".repeat(20_000)}), 413, "16384"),
        (json!([]), 422, "body"),
    ] {
        let got = script
            .send(Method::POST, "/v1/bots", Some(body.clone()), &[])
            .await;
        assert_eq!(got.status, status, "{body}");
        let text = String::from_utf8(got.body).unwrap();
        assert!(text.contains(named) && !text.contains("AAcanary"), "{text}");
    }
    let got = script
        .send(
            Method::POST,
            "/v1/bots",
            None,
            &[("content-type", "text/plain")],
        )
        .await;
    assert_eq!(
        (got.status.as_u16(), got.problem()),
        (415, "not-json".to_owned())
    );
    assert_eq!(
        script.get("/v1/bots").await.json()["bots"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
