//! Connecting bots: the list, the three ways, the page that follows, refused requests.

use std::net::TcpListener;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use gramtap_database::Statement;
use gramtap_tenants::{NewTenant, Tenant};
use serde_json::Value;

use super::subject::{Browser, NOW, Subject};
use crate::zone::DAY;

pub(crate) const TOKEN: &str = "7000000001:AAcanary-_0123456789abcdefghijklmnop";

/// A Bot API that knows one bot and refuses the others, and an ingress, on one port.
pub(crate) async fn telegram() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = async |request: HttpRequest| match request.path() {
        path if path == format!("/bot{TOKEN}/getMe") => HttpResponse::Ok()
            .body(r#"{"ok":true,"result":{"id":7000000001,"is_bot":true,"username":"shop_bot"}}"#),
        path if path.ends_with("/getMe") => HttpResponse::Unauthorized()
            .body(r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
        _ => HttpResponse::NotFound()
            .insert_header(("gramtap-error", "path_unknown"))
            .finish(),
    };
    let server = HttpServer::new(move || App::new().default_service(web::to(answer)));
    let server = server
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap();
    drop(gramtap_actors::spawn("telegram", server.run()));
    url
}

pub(super) async fn connected(subject: &Subject, bot: i64, name: &str) -> Tenant {
    let new = NewTenant {
        bot: Some(gramtap_telegram::BotId(bot)),
        name: Some(name.to_owned()),
        ..NewTenant::default()
    };
    subject.site.registry.add(&new).await.unwrap()
}

pub(super) async fn write(
    subject: &Subject,
    statement: &'static str,
    values: &[gramtap_database::Value],
) {
    let statement = Box::leak(Box::new(Statement::new("test", statement)));
    subject.database().execute(statement, values).await.unwrap();
}

async fn page(browser: &mut Browser<'_>, path: &str) -> String {
    let seen = browser.get(path).await;
    assert_eq!(seen.status, StatusCode::OK, "{path}: {}", seen.body);
    seen.body
}

#[actix_rt::test]
async fn strangers_see_no_page_and_no_form_works_without_the_sessions_word() {
    let subject = Subject::new().await;
    let code = connected(&subject, 7, "Shop").await.code;
    let pages = [
        "/bots",
        "/bots/add",
        "/refused",
        "/bots/CODE",
        "/bots/CODE/connect",
    ];
    let more = ["/bots/CODE/first-call", "/bots/CODE/settings"];
    let (mut stranger, mut owner) = (subject.stranger(), subject.owner().await);
    for path in pages.iter().chain(&more) {
        let path = path.replace("CODE", code.as_str());
        let seen = stranger.get(&path).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{path}");
        assert!(seen.location().starts_with("/sign-in?next="), "{path}");
    }
    let forms = ["/bots/add", "/refused/add", "/refused/rebind", "/sign-out"];
    let settings = ["name", "privacy", "zone", "rebind", "remove", "return"];
    let settings = settings.map(|form| format!("/bots/{code}/settings/{form}"));
    let all = forms.iter().map(|form| (*form).to_owned()).chain(settings);
    let form = [
        ("way", "code"),
        ("bot", "8"),
        ("name", "x"),
        ("privacy", "full"),
        ("zone", "UTC"),
        ("sure", "yes"),
        ("now", "yes"),
    ];
    for path in all {
        assert_eq!(
            stranger.post(&path, &form).await.status,
            StatusCode::SEE_OTHER,
            "{path}"
        );
        let mut forged = form.to_vec();
        assert_eq!(
            owner.post(&path, &forged).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
        forged.push(("csrf", "AAAAAAAAAAAAAAAAAAAAAA"));
        assert_eq!(
            owner.post(&path, &forged).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    let after = subject.site.registry.list().await.unwrap();
    assert_eq!((after.len(), after[0].name.as_deref()), (1, Some("Shop")));
}

#[actix_rt::test]
async fn a_form_that_comes_too_late_leads_back_to_its_page() {
    let subject = Subject::new().await;
    let mut stranger = subject.stranger();
    for (referer, next) in [
        (
            "https://console.example/bots/add?x=1",
            "%2Fbots%2Fadd%3Fx%3D1",
        ),
        ("https://console.example", ""),
        ("junk", ""),
    ] {
        stranger.headers = vec![("referer", referer)];
        let seen = stranger.post("/bots/add", &[("way", "code")]).await;
        assert_eq!(seen.location(), format!("/sign-in?next={next}"));
    }
}

#[actix_rt::test]
async fn a_bot_is_connected_by_its_id_once() {
    let subject = Subject::new().await;
    let mut owner = subject.owner().await;
    assert!(
        page(&mut owner, "/bots")
            .await
            .contains("No bot is connected yet")
    );
    let form = [
        ("way", "id"),
        ("bot", "8123456789"),
        ("name", "<b>Shop</b>"),
        ("privacy", "full"),
    ];
    let seen = owner.submit("/bots/add", &form).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
    let connect = seen.location().to_owned();
    let tenant = subject.site.registry.list().await.unwrap().remove(0);
    assert_eq!(connect, format!("/bots/{}/connect", tenant.code));
    assert_eq!(
        (tenant.privacy.as_str(), tenant.token_stored),
        ("full", false)
    );
    let body = page(&mut owner, &connect).await;
    for part in [
        "8123456789",
        "not reached",
        "No call has come yet",
        "data-first-call",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let list = page(&mut owner, "/bots").await;
    assert!(
        list.contains("&#60;b&#62;Shop") && !list.contains("<b>Shop"),
        "{list}"
    );
    assert!(list.contains("not yet: connect it"), "{list}");
    assert_eq!(
        owner
            .get(connect.trim_end_matches("/connect"))
            .await
            .location(),
        connect
    );
    // Again: the way to the one that is there.
    let seen = owner.submit("/bots/add", &form).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(seen.body.contains("connected already"), "{}", seen.body);
    assert!(
        seen.body.contains(&format!("href=\"{connect}\"")),
        "{}",
        seen.body
    );
    assert!(seen.body.contains("value=\"8123456789\""), "{}", seen.body);
}

#[actix_rt::test]
async fn a_token_is_asked_of_telegram_and_kept_only_if_that_was_wished() {
    let telegram = telegram().await;
    for store in [false, true] {
        let subject = Subject::with(&telegram, &telegram).await;
        let mut owner = subject.owner().await;
        let mut form = vec![("way", "token"), ("token", TOKEN), ("privacy", "metadata")];
        form.extend(store.then_some(("store", "yes")));
        let seen = owner.submit("/bots/add", &form).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
        let tenant = subject.site.registry.list().await.unwrap().remove(0);
        assert_eq!(tenant.bot.unwrap().0, 7_000_000_001);
        assert_eq!(tenant.name.as_deref(), Some("@shop_bot"));
        assert_eq!(tenant.token_stored, store);
        let body = page(&mut owner, seen.location()).await;
        assert!(
            body.contains(if store { "kept, sealed" } else { "not kept" }),
            "{body}"
        );
        assert!(body.contains("reached just now"), "{body}");
    }
}

#[actix_rt::test]
async fn a_token_that_telegram_does_not_know_and_a_telegram_that_is_away_are_told_apart() {
    let wrong = "7000000002:AAcanary-_0123456789abcdefghijklmnop";
    for (telegram, said, id_is_chosen) in [
        (
            telegram().await,
            "Telegram refuses the token of bot 7000000002",
            false,
        ),
        ("http://127.0.0.1:1".to_owned(), "cannot be reached", true),
    ] {
        let subject = Subject::with(&telegram, &telegram).await;
        let mut owner = subject.owner().await;
        let form = [
            ("way", "token"),
            ("token", wrong),
            ("name", "Shop"),
            ("privacy", "off"),
        ];
        let seen = owner.submit("/bots/add", &form).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(seen.body.contains(said), "{said}: {}", seen.body);
        for part in [
            "value=\"7000000002\"",
            "value=\"Shop\"",
            "value=\"off\" checked",
        ] {
            assert!(seen.body.contains(part), "{part}: {}", seen.body);
        }
        assert_eq!(
            seen.body.contains("value=\"id\" checked"),
            id_is_chosen,
            "{}",
            seen.body
        );
        assert!(subject.site.registry.list().await.unwrap().is_empty());
    }
}

#[actix_rt::test]
async fn every_library_has_its_recipe_with_the_address_that_was_reached() {
    let url = telegram().await;
    let subject = Subject::with("http://127.0.0.1:1", &url).await;
    let mut owner = subject.owner().await;
    let seen = owner
        .submit("/bots/add", &[("way", "code"), ("privacy", "metadata")])
        .await;
    let body = page(&mut owner, seen.location()).await;
    let code = subject.site.registry.list().await.unwrap()[0].code;
    for recipe in gramtap_tenants::recipes::all() {
        assert!(
            body.contains(&format!("<strong>{}</strong>", recipe.library)),
            "{}",
            recipe.library
        );
    }
    let base = format!("{url}/c/{code}");
    assert!(
        body.contains(&format!("TelegramAPIServer.from_base(&#34;{base}&#34;)")),
        "{body}"
    );
    assert!(
        body.contains("TelegramBots drops the path of an address"),
        "{body}"
    );
    assert!(body.contains("Bot id not known yet"), "{body}");
}

#[actix_rt::test]
async fn an_address_where_something_else_answers_is_not_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let nginx = async || HttpResponse::NotFound().body("<html>nginx</html>");
    let server = HttpServer::new(move || App::new().default_service(web::to(nginx)));
    let server = server.workers(1).disable_signals().listen(listener);
    drop(gramtap_actors::spawn("nginx", server.unwrap().run()));
    let subject = Subject::with("http://127.0.0.1:1", &url).await;
    let code = connected(&subject, 7, "Shop").await.code;
    let mut owner = subject.owner().await;
    let body = page(&mut owner, &format!("/bots/{code}/connect")).await;
    let said = "something else than Gramtap answers there (with 404)";
    assert!(
        body.contains(said) && !body.contains("reached just now"),
        "{body}"
    );
}

#[actix_rt::test]
async fn the_first_call_is_told_by_page_and_script_alike() {
    const CALL: &str =
        "INSERT INTO first_calls (tenant, standing, at, method, code, addr, agent, took_us)
        VALUES ($1, $2, $3, 'getMe', $4, '10.0.0.7', 'aiohttp/<3>', 41500)";
    let subject = Subject::new().await;
    let tenant = connected(&subject, 7, "Shop").await;
    let mut owner = subject.owner().await;
    let now = NOW.get();
    for (standing, at, code, state, line) in [
        ("", 0, None, "none", "Set the address in your bot"),
        (
            "refused",
            now - 121,
            Some(401),
            "refused",
            "getMe from 10.0.0.7 (aiohttp/<3>): Telegram did not accept the token (401), 2 min ago.",
        ),
        (
            "good",
            now - 120,
            None,
            "good",
            "getMe from 10.0.0.7 (aiohttp/<3>), answered within 41 ms, 2 min ago.",
        ),
    ] {
        if !standing.is_empty() {
            let values = [
                tenant.id.as_str().into(),
                standing.into(),
                (at * 1_000_000).into(),
                code.into(),
            ];
            write(&subject, CALL, &values).await;
        }
        let body = page(&mut owner, &format!("/bots/{}/first-call", tenant.code)).await;
        let told: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(told["state"], state);
        assert!(told["lines"][0].as_str().unwrap().contains(line), "{told}");
        let body = page(&mut owner, &format!("/bots/{}/connect", tenant.code)).await;
        let escaped = line.replace('<', "&#60;").replace('>', "&#62;");
        assert!(
            body.contains(&escaped) && body.contains(told["title"].as_str().unwrap()),
            "{body}"
        );
        assert_eq!(body.contains("data-first-call"), state != "good");
    }
    // A bot that was heard of has its numbers first.
    const HEARD: &str = "INSERT INTO sum_labels (tenant, kind, hour, label, n) VALUES ($1, 'event', $2, 'call_made', 1)";
    let hour = now.div_euclid(3_600) * 3_600;
    write(&subject, HEARD, &[tenant.id.as_str().into(), hour.into()]).await;
    let home = owner.get(&format!("/bots/{}", tenant.code)).await;
    assert_eq!(home.location(), format!("/bots/{}/overview", tenant.code));
    assert!(page(&mut owner, "/bots").await.contains("this hour"));
}

#[actix_rt::test]
async fn many_bots_are_found_and_paged() {
    let subject = Subject::new().await;
    for number in 0..53 {
        connected(
            &subject,
            8_000_000_000 + number,
            &format!("Bot number {number:02}!"),
        )
        .await;
    }
    let mut owner = subject.owner().await;
    let rows = |body: &str| body.matches("data-name=\"Bot\"").count();
    let first = page(&mut owner, "/bots").await;
    assert_eq!(rows(&first), 50);
    assert!(first.contains("aria-current=\"page\">1<"), "{first}");
    assert_eq!(rows(&page(&mut owner, "/bots?page=2").await), 3);
    assert_eq!(rows(&page(&mut owner, "/bots?page=99").await), 3);
    for (q, found) in [
        ("NUMBER 07", 1),
        ("8000000052", 1),
        ("number 1", 10),
        ("%3Cscript%3E", 0),
    ] {
        let body = page(&mut owner, &format!("/bots?q={}", q.replace(' ', "+"))).await;
        assert_eq!(rows(&body), found, "{q}");
        assert!(!body.contains("<script>"));
    }
}

#[actix_rt::test]
async fn who_was_refused_is_connected_or_rebound_with_a_click() {
    const ROW: &str =
        "INSERT INTO refused (day, reason, bot, code, addr, agent, n, first_at, last_at)
        VALUES ($1, $2, $3, $4, '10.0.0.9', 'python<b>', 3, $5, $5)";
    let subject = Subject::new().await;
    let bound = connected(&subject, 7, "Shop").await;
    let mut owner = subject.owner().await;
    assert!(
        page(&mut owner, "/refused")
            .await
            .contains("None: every call")
    );
    let now = NOW.get();
    let code = bound.code.as_str();
    for (days, reason, bot, code) in [
        (0, "bot_unknown", 8_i64, ""),
        (1, "bot_mismatch", 9, code),
        (2, "code_unknown", 0, "abcdefghijklmnopqrstuvwxyz"),
        (3, "", 0, ""),
        (8, "bot_unknown", 111_111, ""),
    ] {
        let at = now - days * DAY;
        let values = [
            at.div_euclid(DAY).into(),
            reason.into(),
            bot.into(),
            code.into(),
            (at * 1_000_000).into(),
        ];
        write(&subject, ROW, &values).await;
    }
    let body = page(&mut owner, "/refused").await;
    for part in [
        "Add this bot",
        "Rebind to 9",
        "python&#60;b&#62;",
        "Shop",
        "abcdefghijklmnopqrstuvwxyz",
        "beyond the thousand",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert!(
        !body.contains("111111") && !body.contains("python<b>"),
        "{body}"
    );
    let seen = owner.submit("/refused/add", &[("bot", "8")]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
    let body = page(&mut owner, "/refused").await;
    assert!(
        body.contains("connected by now") && !body.contains("Add this bot"),
        "{body}"
    );
    // Bot 8 is connected elsewhere: the code stays as it is.
    let seen = owner
        .submit("/refused/rebind", &[("bot", "8"), ("code", code)])
        .await;
    assert!(seen.body.contains("connected already"), "{}", seen.body);
    let seen = owner
        .submit("/refused/rebind", &[("bot", "9"), ("code", code)])
        .await;
    assert_eq!(seen.location(), format!("/bots/{code}/connect"));
    let rebound = subject
        .site
        .registry
        .get(bound.code)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rebound.bot.unwrap().0, 9);
    for form in [
        [("bot", "x"), ("code", code)],
        [("bot", "9"), ("code", "x")],
    ] {
        let seen = owner.submit("/refused/rebind", &form).await;
        assert!(seen.status.is_client_error(), "{form:?}");
    }
}
