//! Who comes in, and who does not.

use actix_web::http::StatusCode;

use super::subject::{Subject, tick};
use crate::serve::door::{cookie, sweep};
use crate::serve::{guest_link, new_link, owner_link};
use crate::zone::DAY;

const PASSWORD: &str = "four words of a kind";
const GOOD: [(&str, &str); 2] = [("name", "ann"), ("password", PASSWORD)];

#[actix_rt::test]
async fn the_first_link_makes_the_owner_once() {
    let subject = Subject::new().await;
    let mut browser = subject.stranger();
    let page = browser.get("/sign-in").await;
    assert!(
        page.body.contains("Nobody owns this console"),
        "{}",
        page.body
    );
    let [one, two] = [0, 1].map(async |_| owner_link(subject.database(), "").await);
    let (one, two) = (one.await.unwrap().unwrap(), two.await.unwrap().unwrap());
    assert_eq!(one.len(), "/welcome/".len() + 22);
    for (name, password, wrong) in [
        ("", PASSWORD, "what you are called"),
        ("Ann", "short", "at least 12"),
        ("Ann", "aaaaaaaaaaaaaaaa", "again and again"),
    ] {
        let form = [("name", name), ("password", password)];
        let seen = browser.post(&one, &form).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(seen.body.contains(wrong), "{wrong}: {}", seen.body);
        assert!(!seen.body.contains(&format!("value=\"{password}\"")));
    }
    assert_eq!(browser.get(&one).await.status, StatusCode::OK);
    let seen = browser.post(&one, &GOOD).await;
    assert_eq!(
        (seen.status, seen.location()),
        (StatusCode::SEE_OTHER, "/bots")
    );
    assert!(browser.get("/bots").await.body.contains("ann"));
    // Neither again, nor the other one, nor a made-up one.
    for link in [one.as_str(), &two, "/welcome/AAAAAAAAAAAAAAAAAAAAAA"] {
        for seen in [browser.get(link).await, browser.post(link, &GOOD).await] {
            assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{link}");
            assert!(seen.body.contains("gramtap console link"), "{}", seen.body);
        }
    }
    assert!(owner_link(subject.database(), "").await.unwrap().is_none());
}

#[actix_rt::test]
async fn a_guest_comes_in_by_the_link_alone_and_by_no_password() {
    let subject = Subject::new().await;
    let link = guest_link(subject.database(), "").await.unwrap();
    for _ in 0..2 {
        let mut browser = subject.stranger();
        let seen = browser.get(&link).await;
        assert_eq!(
            (seen.status, seen.location()),
            (StatusCode::SEE_OTHER, "/bots")
        );
        assert!(browser.get("/bots").await.body.contains("guest"));
    }
    let mut browser = subject.stranger();
    let seen = browser.post(&link, &GOOD).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    for password in ["", "guest"] {
        let form = [("name", "guest"), ("password", password)];
        let seen = browser.post("/sign-in", &form).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "{password}");
    }
}

#[actix_rt::test]
async fn two_links_at_once_make_one_owner() {
    let subject = Subject::new().await;
    let mut links = Vec::new();
    for _ in 0..4 {
        links.push(owner_link(subject.database(), "").await.unwrap().unwrap());
    }
    let tries = links
        .iter()
        .map(async |link| subject.stranger().post(link, &GOOD).await.status);
    let all = futures_util::future::join_all(tries).await;
    let made = all
        .iter()
        .filter(|status| **status == StatusCode::SEE_OTHER);
    assert_eq!(made.count(), 1, "{all:?}");
}

#[actix_rt::test]
async fn a_link_is_good_for_a_day() {
    let subject = Subject::new().await;
    let link = owner_link(subject.database(), "").await.unwrap().unwrap();
    tick(DAY - 60);
    assert_eq!(subject.stranger().get(&link).await.status, StatusCode::OK);
    tick(120);
    let seen = subject.stranger().post(&link, &GOOD).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_rt::test]
async fn an_owner_who_lost_the_password_gets_a_new_one_and_old_sessions_end() {
    let subject = Subject::new().await;
    let mut old = subject.owner().await;
    let link = new_link(subject.database(), "https://c.example/")
        .await
        .unwrap();
    let link = link.strip_prefix("https://c.example").unwrap();
    let mut new = subject.stranger();
    assert!(new.get(link).await.body.contains("new password"));
    assert_eq!(old.get("/bots").await.status, StatusCode::OK);
    let form = [("name", "Bea"), ("password", "another four words")];
    assert_eq!(new.post(link, &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(old.get("/bots").await.status, StatusCode::SEE_OTHER);
    assert_eq!(new.get("/bots").await.status, StatusCode::OK);
    let mut third = subject.stranger();
    assert_eq!(
        third.post("/sign-in", &GOOD).await.status,
        StatusCode::FORBIDDEN
    );
    let seen = third.post("/sign-in", &[("name", " bea"), form[1]]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    assert_eq!(
        new.post(link, &form).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[actix_rt::test]
async fn name_and_password_open_and_neither_tells_which_was_wrong() {
    let subject = Subject::new().await;
    let first = subject.owner().await.cookie;
    let mut browser = subject.stranger();
    let mut pages = Vec::new();
    for form in [
        [("name", "ann"), ("password", "wrong and long enough")],
        [("name", "eve"), ("password", PASSWORD)],
        [("name", ""), ("password", "")],
    ] {
        let seen = browser.post("/sign-in", &form).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN);
        assert!(!seen.body.contains("value=\"wrong"), "{}", seen.body);
        let name = form[0].1;
        let page = seen.body.replace(&format!("value=\"{name}\""), "");
        pages.push(page.replace(" autofocus", ""));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
    let mut form = GOOD.to_vec();
    form.push(("next", "/bots?page=2"));
    let seen = browser.post("/sign-in", &form).await;
    assert_eq!(
        (seen.status, seen.location()),
        (StatusCode::SEE_OTHER, "/bots?page=2")
    );
    let cookie = seen.headers.get("set-cookie").unwrap().to_str().unwrap();
    for part in ["gramtap=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let second = browser.cookie.clone();
    assert!(second.is_some() && second != first);
    // Who is in already is sent on; a new sign-in ends the session before it.
    assert_eq!(
        browser.get("/sign-in?next=/refused").await.location(),
        "/refused"
    );
    browser.post("/sign-in", &GOOD).await;
    let third = browser.cookie.replace(second.clone().unwrap());
    assert_ne!(second, third);
    assert_eq!(browser.get("/bots").await.status, StatusCode::SEE_OTHER);
}

#[actix_rt::test]
async fn next_leads_to_no_other_host() {
    let subject = Subject::new().await;
    let mut browser = subject.owner().await;
    for next in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example",
        "%2F%2Fevil.example",
    ] {
        let seen = browser.get(&format!("/sign-in?next={next}")).await;
        assert_eq!(seen.location(), "/bots", "{next}");
    }
    let mut form = GOOD.to_vec();
    form.push(("next", "/\\evil.example"));
    assert_eq!(browser.post("/sign-in", &form).await.location(), "/bots");
}

#[actix_rt::test]
async fn a_session_ends_unused_after_14_days_and_always_after_30() {
    let subject = Subject::new().await;
    let mut unused = subject.owner().await;
    let mut used = subject.stranger();
    used.post("/sign-in", &GOOD).await;
    for _ in 0..2 {
        tick(13 * DAY);
        assert_eq!(used.get("/bots").await.status, StatusCode::OK);
    }
    assert_eq!(unused.get("/bots").await.status, StatusCode::SEE_OTHER);
    tick(4 * DAY - 10);
    assert_eq!(used.get("/bots").await.status, StatusCode::OK);
    tick(20);
    assert_eq!(used.get("/bots").await.location(), "/sign-in?next=%2Fbots");
    let now = super::subject::NOW.get();
    assert_eq!(sweep(subject.database(), now, 1).await.unwrap(), 2);
    assert_eq!(sweep(subject.database(), now, 10).await.unwrap(), 1);
    assert_eq!(sweep(subject.database(), now, 10).await.unwrap(), 0);
}

#[actix_rt::test]
async fn forged_cookies_open_nothing() {
    let subject = Subject::new().await;
    let mut browser = subject.owner().await;
    let good = browser.cookie.clone().unwrap();
    let unknown = cookie::seal(&subject.site.keys, &[9; 16]);
    let half = good.split_once('.').unwrap().0.to_owned();
    for forged in [
        unknown,
        half.clone(),
        format!("{half}.AAAA"),
        "x".into(),
        "".into(),
    ] {
        browser.cookie = Some(forged.clone());
        let seen = browser.get("/bots").await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{forged}");
    }
    browser.cookie = Some(good);
    assert_eq!(browser.get("/bots").await.status, StatusCode::OK);
}

#[actix_rt::test]
async fn signing_out_ends_the_session_and_needs_the_pages_word() {
    let subject = Subject::new().await;
    let mut browser = subject.owner().await;
    let csrf = browser.csrf().await;
    for form in [
        &[][..],
        &[("csrf", "")],
        &[("csrf", "AAAAAAAAAAAAAAAAAAAAAA")],
    ] {
        let seen = browser.post("/sign-out", form).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "{form:?}");
    }
    // Another site's form, even with the word.
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        browser.headers = vec![header];
        let seen = browser.post("/sign-out", &[("csrf", &csrf)]).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "{header:?}");
    }
    browser.headers = vec![("sec-fetch-site", "same-origin")];
    let kept = browser.cookie.clone();
    let seen = browser.post("/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(
        (seen.status, seen.location()),
        (StatusCode::SEE_OTHER, "/sign-in")
    );
    assert!(browser.cookie.is_none());
    browser.cookie = kept;
    assert_eq!(browser.get("/bots").await.status, StatusCode::SEE_OTHER);
}

#[actix_rt::test]
async fn guessing_is_slowed_down() {
    let subject = Subject::new().await;
    subject.owner().await;
    let mut browser = subject.stranger();
    let wrong = [("name", "ann"), ("password", "not this one at all")];
    for _ in 0..5 {
        assert_eq!(
            browser.post("/sign-in", &wrong).await.status,
            StatusCode::FORBIDDEN
        );
    }
    // Not even the right one, before the time is over.
    let seen = browser.post("/sign-in", &GOOD).await;
    assert_eq!(seen.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(seen.body.contains("Wait a minute"), "{}", seen.body);
    tick(15);
    assert_eq!(
        browser.post("/sign-in", &GOOD).await.status,
        StatusCode::SEE_OTHER
    );
}

#[actix_rt::test]
async fn guesses_of_a_client_slow_down_no_other_one_behind_the_same_proxy() {
    for (trusted, others) in [
        (&["192.0.2.0/24"][..], StatusCode::FORBIDDEN),
        (&[], StatusCode::TOO_MANY_REQUESTS),
    ] {
        let mut subject = Subject::new().await;
        subject.trust(trusted);
        let mut browser = subject.stranger();
        browser.peer = Some("192.0.2.1:4000".parse().unwrap());
        let mut guess = async |client, name| {
            browser.headers = vec![("x-forwarded-for", client)];
            let form = [("name", name), ("password", "not this one at all")];
            browser.post("/sign-in", &form).await.status
        };
        for name in ["ann", "bob", "cid", "dan", "eve"] {
            assert_eq!(guess("203.0.113.5", name).await, StatusCode::FORBIDDEN);
        }
        assert_eq!(
            guess("203.0.113.5", "fay").await,
            StatusCode::TOO_MANY_REQUESTS
        );
        assert_eq!(guess("203.0.113.6", "fay").await, others);
    }
}

#[actix_rt::test]
async fn nothing_that_opens_anything_is_in_sql() {
    let subject = Subject::new().await;
    let link = owner_link(subject.database(), "").await.unwrap().unwrap();
    let browser = subject.owner().await;
    subject.database().close().await;
    let mut files = Vec::new();
    for file in subject.folder.path().read_dir().unwrap() {
        files.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let cookie = browser.cookie.unwrap();
    let id = cookie.split_once('.').unwrap().0.to_owned();
    let raw = data_encoding::BASE64URL_NOPAD
        .decode(id.as_bytes())
        .unwrap();
    let secrets = [
        PASSWORD.as_bytes(),
        &link.as_bytes()[9..],
        id.as_bytes(),
        raw.as_slice(),
    ];
    for secret in secrets {
        assert!(
            !files.windows(secret.len()).any(|at| at == secret),
            "{secret:?}"
        );
    }
    assert!(files.windows(9).any(|at| at == b"$argon2id"));
}
