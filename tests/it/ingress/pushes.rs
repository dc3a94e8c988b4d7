//! Updates by webhook, passed on to the bot, with the bot's answer passed back.
//!
//! In: a simulated Telegram that pushes, an endpoint that keeps what it is sent. Out: pass or fail. Invariant: what is compared is what the same push is, and what
//! the same answer does, without Gramtap between.

use gramtap_simulator::{Delivery, DeliveryFilter};
use gramtap_telegram::BotId;
use gramtap_tenants::{Code, Hook, NewTenant, Webhook};
use gramtap_tests::{DEADLINE, Endpoint, Ingress, Installation, Pushed, Stores, updates};

use super::*;

const SECRET: &str = "AAcanary-of-the-secret-header";

/// A bot with an endpoint, behind Gramtap or not.
struct Rig {
    telegram: Telegram,
    endpoint: Endpoint,
    installation: Installation,
    ingress: Ingress,
    code: Code,
    hook: Hook,
}

impl Rig {
    async fn start(allowed: &str) -> Self {
        let (telegram, endpoint) = (Telegram::start().await, Endpoint::start().await);
        let installation = Installation::new(Stores::Embedded).await;
        let port = format!("[\"{}\"]", endpoint.address().port());
        let more = [
            ("GRAMTAP_WEBHOOKS__ALLOW", allowed),
            ("GRAMTAP_WEBHOOKS__PORTS", port.as_str()),
            ("GRAMTAP_WEBHOOKS__HTTP", "true"),
        ];
        let registry = installation.registry();
        let new = NewTenant {
            bot: Some(BotId(BOT)),
            ..NewTenant::default()
        };
        let code = registry.add(&new).await.unwrap().code;
        let mut webhook = Webhook::new(&url(&endpoint)).unwrap();
        webhook.secret = Some(SECRET.to_owned().into());
        let (_, hook) = registry.set_webhook(code, &webhook, None).await.unwrap();
        let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &more).await;
        Self {
            telegram,
            endpoint,
            installation,
            ingress,
            code,
            hook,
        }
    }

    fn address(&self) -> String {
        format!(
            "http://{}/webhook/{}",
            self.ingress.address(),
            self.hook.expose()
        )
    }

    /// Telegram pushes there from now on.
    async fn set(&self, url: &str) {
        let body = format!("url={url}&secret_token={SECRET}&drop_pending_updates=true");
        let answer = loop {
            let mut client = self.telegram.client().await;
            let answer = client.ask(form(TOKEN, "setWebhook", &body)).await;
            match answer.status() {
                // paced: Telegram takes one a second
                429 => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
                _ => break answer,
            }
        };
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }

    /// Somebody writes; waits until the bot's library has said that it has it.
    async fn say(&self, text: &str) -> Vec<Delivery> {
        let filter = DeliveryFilter::default();
        let before = self.telegram.control.deliveries(&filter).len();
        self.telegram.control.say(BOT, USER, text).unwrap();
        loop {
            let waiting = self
                .telegram
                .control
                .wait_for_deliveries(&filter, before + 1, DEADLINE);
            let made = waiting.await.split_off(before);
            assert!(!made.is_empty(), "nothing was pushed");
            if made
                .iter()
                .any(|one| one.status.is_some_and(|it| it / 100 == 2))
            {
                return made;
            }
            // paced: an attempt that has not ended is changed in place
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

fn url(endpoint: &Endpoint) -> String {
    format!("http://{}/a%20path?with=AAcanary", endpoint.address())
}

/// A push without what another sender may change.
fn same(pushed: &Pushed) -> (Vec<String>, String) {
    let own = |line: &&String| !line.starts_with("X-Forwarded-For: ");
    let head = pushed.head.iter().filter(own).cloned().collect();
    let body = String::from_utf8(pushed.body.clone()).unwrap();
    // Numbers of updates and messages count on.
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    (head, body.chars().map(digits).collect())
}

/// What Telegram saw of an answer, and did.
fn seen(delivery: &Delivery) -> (String, Vec<String>, Vec<u8>, String) {
    let head = String::from_utf8(delivery.head.to_vec()).unwrap();
    let mut lines = head.trim_end().lines().map(str::to_owned);
    let status = lines.next().unwrap_or_default();
    let lasting = |line: &String| {
        let name = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !matches!(name.as_str(), "date" | "connection")
    };
    let mut headers: Vec<String> = lines.filter(lasting).collect();
    headers.sort();
    let performed = delivery.performed.as_ref();
    let performed = performed.map(|it| format!("{} {:?} {}", it.method, it.arguments, it.ok));
    (
        status,
        headers,
        delivery.body.to_vec(),
        performed.unwrap_or_default(),
    )
}

fn answer(head: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_push_and_its_answer_are_the_same_as_without_us() {
    let rig = Rig::start(r#"["127.0.0.0/8"]"#).await;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\nsendMessage\r\n--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhello\r\n--b--\r\n";
    let answers = [
        answer("200 OK", ""),
        answer("200 OK\r\nContent-Type: application/json", "{}"),
        answer(
            "200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-Own: 1",
            r#"{"method":"sendMessage","chat_id":7,"text":"hello"}"#,
        ),
        answer(
            "200 OK\r\nContent-Type: application/x-www-form-urlencoded",
            "method=sendMessage&chat_id=7&text=hello",
        ),
        answer(
            "200 OK\r\nContent-Type: multipart/form-data; boundary=b",
            multipart,
        ),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        answer("500 Own Words", "no"),
        answer("403 Forbidden\r\nContent-Type: text/html", "<b>no</b>"),
    ];
    // Numbers of messages have two digits from here on, so that lengths are the same.
    for _ in 0..20 {
        rig.telegram.control.say(BOT, USER, "before").unwrap();
    }
    let mut told = Vec::new();
    for address in [url(&rig.endpoint), rig.address()] {
        rig.set(&address).await;
        let before = rig.endpoint.pushed().len();
        let mut made = Vec::new();
        for (number, answer) in answers.iter().enumerate() {
            rig.endpoint.answer(answer.clone());
            made.extend(rig.say(&format!("text {number}")).await);
        }
        let pushed = rig.endpoint.pushed().split_off(before);
        assert_eq!(pushed.len(), answers.len() + 2, "two are tried again");
        told.push((pushed, made));
    }
    let [(direct, answered), (through, passed)] = told.try_into().unwrap();
    for (direct, through) in direct.iter().zip(&through) {
        assert_eq!(same(direct), same(through));
        assert_eq!(through.header("x-forwarded-for"), Some("127.0.0.1"));
    }
    assert_eq!(answered.len(), passed.len());
    for (answered, passed) in answered.iter().zip(&passed) {
        assert_eq!(seen(answered), seen(passed));
    }
    let performed = passed.iter().filter(|one| one.performed.is_some());
    assert_eq!(performed.count(), 3);
    // Nine updates, two of them pushed twice.
    let Rig {
        installation,
        ingress,
        code,
        ..
    } = rig;
    ingress.stop().await;
    let tenant = installation.registry().get(code).await.unwrap().unwrap();
    let told = updates(&installation.open_bus(), &[tenant.id]).await;
    assert_eq!(told.len(), answers.len() + 2);
    assert!(told.iter().all(|one| {
        let via = one.via == gramtap_events::update::Via::Webhook;
        via && one.update_id.is_some() && one.kind.as_deref() == Some("message") && !one.cut
    }));
    let found = installation.canaries(&[SECRET, "with=AAcanary"]).await;
    assert_eq!(found, Vec::<String>::new());
    installation.remove().await;
}

#[tokio::test]
async fn what_telegram_did_not_send_changes_nothing() {
    let rig = Rig::start(r#"["127.0.0.0/8"]"#).await;
    let other = Hook::generate().unwrap();
    let push = |verb: &str, hook: &str, secret: &str| {
        let secret = format!("X-Telegram-Bot-Api-Secret-Token: {secret}\r\n");
        format!(
            "{verb} /webhook/{hook} HTTP/1.1\r\nHost: gramtap.test\r\n{secret}Content-Length: 15\r\n\r\n{{\"update_id\":1}}"
        )
    };
    let own = rig.hook.expose();
    for (request, label) in [
        (push("POST", other.expose(), SECRET), "hook_unknown"),
        (push("POST", "nonsense", SECRET), "hook_unknown"),
        (
            push("POST", &own.to_ascii_uppercase(), SECRET),
            "hook_unknown",
        ),
        (push("POST", own, "AAcanary-wrong"), "push_forged"),
        (push("POST", own, ""), "push_forged"),
        (push("GET", own, SECRET), "path_unknown"),
    ] {
        let answer = rig.ingress.client().await.ask(&request).await;
        assert_eq!(
            (answer.status(), answer.header("gramtap-error")),
            (404, Some(label))
        );
        assert_eq!(answer.json()["description"], "Not Found");
    }
    assert_eq!(rig.endpoint.pushed(), []);
    let answer = rig
        .ingress
        .client()
        .await
        .ask(push("POST", own, SECRET))
        .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(rig.endpoint.pushed().len(), 1);
    rig.ingress.stop().await;
    rig.installation.remove().await;
}

#[tokio::test]
async fn an_address_that_may_not_be_called_is_not() {
    let rig = Rig::start("[]").await;
    rig.set(&rig.address()).await;
    rig.telegram.control.say(BOT, USER, "text").unwrap();
    let filter = DeliveryFilter::default();
    let said = "Wrong response from the webhook: 502 Bad Gateway";
    loop {
        let made = rig
            .telegram
            .control
            .wait_for_deliveries(&filter, 1, DEADLINE)
            .await;
        let first = made.first().expect("a push");
        match &first.error {
            Some(error) => {
                assert_eq!(error, said);
                let head = String::from_utf8_lossy(&first.head).into_owned();
                assert!(head.contains("Gramtap-Error: address_loopback"), "{head}");
                break;
            }
            // paced: an attempt that has not ended is changed in place
            None => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    assert_eq!(rig.endpoint.pushed(), []);
    rig.ingress.stop().await;
    rig.installation.remove().await;
}
