//! Updates that are taken in before they are delivered.
//!
//! In: a simulated Telegram that pushes, pushes of exact bytes; a bot in inbox mode, whose endpoint keeps what it is sent. Out: pass or fail. `outages.rs`: Kafka
//! killed and frozen; `relayed.rs`: what is told of updates that are passed on. Invariant: what the inbox holds is opened with the installation's key and
//! compared byte for byte with what was pushed.

mod outages;
mod relayed;

use gramtap_events::inbox::{Inbox, Sealed};
use gramtap_events::tenant::Mode;
use gramtap_simulator::DeliveryFilter;
use gramtap_tenants::{Hook, Part, Tenant, Webhook};
use gramtap_tests::{
    Endpoint, Ingress, Installation, Stores, deliveries, fresh_bot, inbox, updates,
};

use super::*;

const SECRET: &str = "AAcanary-of-the-inboxs-secret-header";

/// A bot with an endpoint, whose updates are pushed to Gramtap.
struct Rig {
    telegram: Telegram,
    endpoint: Endpoint,
    installation: Installation,
    ingress: Ingress,
    bot: i64,
    tenant: Tenant,
    hook: Hook,
}

/// An update as the inbox has it.
#[derive(Debug)]
struct Opened {
    record: Inbox,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Rig {
    async fn start(installation: Installation, mode: Mode) -> Self {
        Self::start_with(installation, mode, ("GRAMTAP_WEBHOOKS__HTTP", "true")).await
    }

    /// With a setting more.
    async fn start_with(installation: Installation, mode: Mode, more: (&str, &str)) -> Self {
        let (telegram, endpoint) = (Telegram::start().await, Endpoint::start().await);
        let bot = fresh_bot();
        let token = format!("{bot}:AAcanary-of-the-inbox-0123456789abcdef");
        telegram.control.add_bot_token(&token).unwrap();
        let tenant = installation.add(Some(bot)).await;
        let url = format!("http://{}/AAcanary-of-the-path", endpoint.address());
        let mut webhook = Webhook::new(&url).unwrap();
        webhook.secret = Some(SECRET.to_owned().into());
        let registry = installation.registry();
        let set = registry.set_webhook(tenant.code, &webhook, Some(mode));
        let (tenant, hook) = set.await.unwrap();
        let port = format!("[\"{}\"]", endpoint.address().port());
        let more = [
            ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
            ("GRAMTAP_WEBHOOKS__PORTS", port.as_str()),
            ("GRAMTAP_WEBHOOKS__HTTP", "true"),
            more,
        ];
        let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &more).await;
        let rig = Self {
            telegram,
            endpoint,
            installation,
            ingress,
            bot,
            tenant,
            hook,
        };
        rig.set(&token).await;
        rig
    }

    /// Telegram pushes to Gramtap from now on.
    async fn set(&self, token: &str) {
        let (address, hook) = (self.ingress.address(), self.hook.expose());
        let body = format!("url=http://{address}/webhook/{hook}&secret_token={SECRET}");
        let mut client = self.telegram.client().await;
        let answer = client.ask(form(token, "setWebhook", &body)).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }

    /// The request of a push with these headers, each with its line's end.
    fn push(&self, headers: &[u8], body: &[u8]) -> Vec<u8> {
        let line = format!(
            "POST /webhook/{} HTTP/1.1\r\nHost: gramtap.test\r\n",
            self.hook.expose()
        );
        let secret = format!("X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n");
        [line.as_bytes(), secret.as_bytes(), headers, b"\r\n", body].concat()
    }

    /// Of this length.
    fn push_whole(&self, headers: &[u8], body: &[u8]) -> Vec<u8> {
        let length = format!("Content-Length: {}\r\n", body.len());
        self.push(&[headers, length.as_bytes()].concat(), body)
    }

    /// What is in the inbox, in order.
    async fn taken(&self) -> Vec<Opened> {
        let keys = self.installation.keys();
        let taken = inbox(&self.installation.observe_bus(), &[self.tenant.id]).await;
        let open = |record: Inbox| {
            let part =
                |part, sealed: &Sealed| keys.open_update((&record).into(), part, sealed).unwrap();
            let headers = part(Part::Headers, &record.headers);
            let headers: Vec<(String, String)> = serde_json::from_slice(&headers).unwrap();
            // Each byte is a character.
            let bytes = |text: String| text.chars().map(|it| u8::try_from(it).unwrap()).collect();
            let headers = headers
                .into_iter()
                .map(|(name, value)| (name, bytes(value)));
            Opened {
                headers: headers.collect(),
                body: part(Part::Body, &record.body),
                record,
            }
        };
        taken.into_iter().map(open).collect()
    }

    /// Waits until Telegram has nothing more to push.
    async fn is_done(&self) {
        gramtap_tests::until("the end of what Telegram has to push", async || {
            let state = self.telegram.control.webhook(self.bot).unwrap();
            assert_eq!(state.expired_updates, 0);
            (state.pending_updates == 0).then_some(())
        })
        .await;
    }

    async fn end(self) {
        self.ingress.stop().await;
        self.installation.remove().await;
    }
}

fn message(update: i64, chat: i64, text: &str) -> String {
    format!(
        r#"{{"update_id":{update},"message":{{"message_id":1,"date":1,"chat":{{"id":{chat},"type":"private"}},"text":"{text}"}}}}"#
    )
}

#[tokio::test]
async fn the_embedded_inbox_holds_what_was_pushed() {
    what_is_pushed_is_what_is_taken_in(Stores::Embedded).await;
}

#[tokio::test]
async fn kafkas_inbox_holds_what_was_pushed() {
    what_is_pushed_is_what_is_taken_in(Stores::Servers).await;
}

async fn what_is_pushed_is_what_is_taken_in(stores: Stores) {
    let rig = Rig::start(Installation::new(stores).await, Mode::Inbox).await;
    let large = message(7, 7, &"\u{e9}".repeat(350_000));
    let binary: Vec<u8> = (0..=255).collect();
    let form = b"--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"\x00\"\r\n\r\n\xff\xfe\r\n--b--\r\n";
    type Case<'a> = (&'a [u8], &'a [u8], Option<i64>, &'a str, &'a str);
    let cases: [Case<'_>; 9] = [
        (
            b"Content-Type: application/json\r\nAccept-Encoding: gzip, deflate\r\n",
            message(1, -1_007, "text").leak().as_bytes(),
            Some(1),
            "message",
            "chat:-1007",
        ),
        (b"X-Odd: caf\xe9\r\n", b"not json", None, "other:", "other"),
        (b"X-Two: 1\r\nX-Two: 2\r\n", b"", None, "other:", "other"),
        (
            b"",
            br#"{"update_id":5,"brand_new":{"x":1}}"#,
            Some(5),
            "other:brand_new",
            "other",
        ),
        (b"", br#"[{"update_id":6}]"#, None, "other:", "other"),
        (
            b"",
            br#"{"callback_query":{"from":{"id":9}},"update_id":8}"#,
            Some(8),
            "callback_query",
            "callback:9",
        ),
        (b"", large.as_bytes(), Some(7), "message", "chat:7"),
        (
            b"Content-Type: application/octet-stream\r\n",
            &binary,
            None,
            "other:",
            "other",
        ),
        (
            b"Content-Type: multipart/form-data; boundary=b\r\n",
            form,
            None,
            "other:",
            "other",
        ),
    ];
    let mut client = rig.ingress.client().await;
    for (headers, body, ..) in &cases {
        let answer = client.ask(rig.push_whole(headers, body)).await;
        assert_eq!(
            (answer.status(), answer.header("gramtap-error")),
            (200, None)
        );
        assert_eq!(
            (answer.header("content-length"), answer.body.len()),
            (Some("0"), 0)
        );
    }
    let chunked = rig.push(
        b"Transfer-Encoding: chunked\r\n",
        b"3\r\n{\"u\r\n10;x=y\r\npdate_id\": 4711}\r\n0\r\n\r\n",
    );
    assert_eq!(client.ask(chunked).await.status(), 200);

    let mut taken = rig.taken().await;
    let last = taken.pop().unwrap();
    assert_eq!(
        (last.record.update_id, &last.body[..]),
        (Some(4711), &br#"{"update_id": 4711}"#[..])
    );
    assert_eq!(taken.len(), cases.len());
    for (opened, (headers, body, update_id, kind, queue)) in taken.iter().zip(cases) {
        assert!(opened.body == body, "{} bytes", body.len());
        let record = &opened.record;
        assert_eq!((record.update_id, &record.kind[..]), (update_id, kind));
        assert_eq!(
            (record.queue.to_string(), record.tenant),
            (queue.to_owned(), rig.tenant.id)
        );
        let mut passed = opened.headers.clone();
        passed.sort();
        let mut sent = vec![
            ("X-Forwarded-For".to_owned(), b"127.0.0.1".to_vec()),
            (
                "X-Telegram-Bot-Api-Secret-Token".to_owned(),
                SECRET.as_bytes().to_vec(),
            ),
        ];
        for line in headers
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let at = line.iter().position(|byte| *byte == b':').unwrap();
            let name = String::from_utf8(line[..at].to_vec()).unwrap();
            sent.push((name, line[at + 1..].trim_ascii().to_vec()));
        }
        sent.sort();
        assert_eq!(passed, sent);
    }
    // What is no record is passed on as it is, what is no update is not.
    let whole = message(9, 9, &"x".repeat(1024 * 1024));
    let answer = client.ask(rig.push_whole(b"", whole.as_bytes())).await;
    assert_eq!(answer.status(), 200);
    let [pushed] = rig.endpoint.wait(1).await.try_into().unwrap();
    assert!(pushed.body == whole.as_bytes());
    let beyond = rig.push_whole(b"", &vec![b'x'; 4 * 1024 * 1024 + 1]);
    let mut other = rig.ingress.client().await;
    assert_eq!(other.ask(beyond).await.status(), 413);
    assert_eq!(rig.taken().await.len(), 10);
    rig.end().await;
}

#[tokio::test]
async fn what_telegram_pushes_is_sealed_and_told_nowhere_else() {
    let rig = Rig::start(Installation::new(Stores::Servers).await, Mode::Inbox).await;
    let text = format!("AAcanary-of-a-text-{}", rig.bot);
    for number in 0..6 {
        rig.telegram
            .control
            .add_user(User::new(100 + number % 2, "Bo"));
        rig.telegram
            .control
            .say(rig.bot, 100 + number % 2, &text)
            .unwrap();
    }
    rig.is_done().await;
    let pushed = rig.telegram.control.deliveries(&DeliveryFilter::ended());
    assert_eq!(pushed.len(), 6);
    let taken = rig.taken().await;
    assert_eq!(taken.len(), 6);
    for push in pushed {
        assert_eq!((push.status, push.attempt), (Some(200), 1));
        let opened = taken
            .iter()
            .find(|it| it.record.update_id == Some(push.update_id));
        let opened = opened.unwrap();
        let body = push
            .request
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        assert_eq!(opened.body, &push.request[body..]);
        assert_eq!(opened.record.queue, push.queue);
        assert!(String::from_utf8_lossy(&opened.body).contains(&text));
    }
    assert_eq!(rig.endpoint.pushed(), []);
    let bus = rig.installation.open_bus();
    assert!(updates(&bus, &[rig.tenant.id]).await.is_empty());
    assert_eq!(deliveries(&bus, &[rig.tenant.id]).await, []);
    rig.ingress.stop().await;
    let texts = [&text, SECRET, rig.hook.expose(), "AAcanary-of-the-path"];
    assert_eq!(
        rig.installation.canaries(&texts).await,
        Vec::<String>::new()
    );
    rig.installation.remove().await;
}

#[tokio::test]
async fn what_telegram_did_not_send_is_not_taken_in() {
    let rig = Rig::start(Installation::new(Stores::Embedded).await, Mode::Inbox).await;
    let body = message(1, 7, "forged");
    let own = String::from_utf8(rig.push_whole(b"", body.as_bytes())).unwrap();
    let other = Hook::generate().unwrap();
    for (request, label) in [
        (
            own.replace(rig.hook.expose(), other.expose()),
            "hook_unknown",
        ),
        (own.replace(SECRET, "AAcanary-wrong"), "push_forged"),
        (
            own.replace("X-Telegram-Bot-Api-Secret-Token: ", "X-Nothing: "),
            "push_forged",
        ),
        (own.replacen("POST", "PUT", 1), "path_unknown"),
    ] {
        let answer = rig.ingress.client().await.ask(request).await;
        assert_eq!(
            (answer.status(), answer.header("gramtap-error")),
            (404, Some(label))
        );
    }
    assert!(rig.taken().await.is_empty());
    assert_eq!(rig.endpoint.pushed(), []);
    assert_eq!(rig.ingress.client().await.ask(own).await.status(), 200);
    assert_eq!(rig.taken().await.len(), 1);
    rig.end().await;
}

/// A bot that was removed is served for a day more, and nothing of it is kept.
#[tokio::test]
async fn a_bot_that_leaves_is_relayed() {
    let rig = Rig::start(Installation::new(Stores::Embedded).await, Mode::Inbox).await;
    let push = |number| rig.push_whole(b"", message(number, number, "text").as_bytes());
    let mut client = rig.ingress.client().await;
    assert_eq!(client.ask(push(1)).await.status(), 200);
    assert_eq!(rig.endpoint.pushed(), []);
    let registry = rig.installation.registry();
    registry.remove(rig.tenant.code, false).await.unwrap();
    let mut number = 1;
    gramtap_tests::until("the first relayed update", async || {
        number += 1;
        assert_eq!(client.ask(push(number)).await.status(), 200);
        (!rig.endpoint.pushed().is_empty()).then_some(())
    })
    .await;
    assert_eq!(rig.taken().await.len() as i64, number - 1);
    rig.end().await;
}
