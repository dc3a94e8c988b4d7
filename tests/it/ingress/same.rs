//! What a bot gets through Gramtap is what it gets from Telegram, and each call is recorded once.
//!
//! In: one script, played to a simulator directly and to another one through an embedded ingress.
//! Out: pass or fail: status line, headers and body of each answer, what each simulator received,
//! the log's records in their order.

use gramtap_simulator::{AddedFile, FileSpec, Filter};
use gramtap_tests::{Answer, Ingress, Installation, Stores, calls, canaries_in, updates};
use serde_json::{Value, json};

use super::*;

const MEGABYTES: usize = 2 << 20;
const BOUNDARY: &str = "the-boundary";

/// A document in a multipart body.
fn multipart() -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n{USER}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a b.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend((0..MEGABYTES).map(|at| (at % 251) as u8));
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn upload(framing: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /bot{TOKEN}/sendDocument HTTP/1.1\r\nHost: gramtap.test\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{framing}\r\n\r\n"
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(65_521) {
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

/// Calls by name.
fn script(file: &AddedFile) -> Vec<(&'static str, Vec<u8>)> {
    let path = file.file_path.replace(' ', "%20");
    let escaped = TOKEN.replace(':', "%3A");
    let json = r#"{"chat_id":7,"text":"in JSON: \u00fc \ud83d\ude00"}"#;
    let length = format!("Content-Length: {}", multipart().len());
    let query = format!("/bot{TOKEN}/sendMessage?chat_id=7&text=in%20a%20query");
    vec![
        ("getMe", get(&format!("/bot{TOKEN}/getMe")).into()),
        (
            "JSON",
            post(
                &format!("/bot{TOKEN}/sendMessage"),
                "application/json",
                json,
            )
            .into(),
        ),
        (
            "form",
            form(TOKEN, "sendMessage", "chat_id=7&text=in+a+form").into(),
        ),
        ("query", get(&query).into()),
        ("poll", form(TOKEN, "getUpdates", "timeout=30").into()),
        ("upload with a length", upload(&length, &multipart())),
        (
            "upload in chunks",
            upload("Transfer-Encoding: chunked", &chunked(&multipart())),
        ),
        ("error", form(TOKEN, "sendMessage", "chat_id=7").into()),
        ("no such method", form(TOKEN, "sendNothing", "").into()),
        (
            "download",
            get(&format!("/file/bot{escaped}/{path}")).into(),
        ),
    ]
}

/// Three updates wait, and a file.
fn prepare(telegram: &Telegram) -> AddedFile {
    telegram.control.backlog(BOT, 3, 0).unwrap();
    telegram.control.add_file(&FileSpec {
        name: "a b.txt".to_owned(),
        path: Some("documents/a b.txt".to_owned()),
        text: None,
        size: 300_000,
    })
}

/// What arrived at Telegram, but for what belongs to one connection.
fn arrived(telegram: &Telegram) -> Vec<Value> {
    let requests = telegram.control.requests(&Filter::default());
    let told = requests.iter().map(|one| {
        let kind = one.headers.iter().filter(|it| it.0 == "Content-Type");
        json!({
            "verb": one.verb, "target": one.target, "arguments": one.arguments,
            "files": one.files, "kind": kind.collect::<Vec<_>>(), "complete": one.complete,
        })
    });
    told.collect()
}

async fn play(mut client: Client, script: &[(&'static str, Vec<u8>)]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (_, request) in script {
        answers.push(client.ask(request).await);
    }
    answers
}

#[tokio::test]
async fn answers_are_telegrams_and_each_call_is_recorded_once_in_order() {
    let (near, far) = (Telegram::start().await, Telegram::start().await);
    let script = script(&prepare(&near));
    prepare(&far);
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &far.url()).await;

    let expected = play(near.client().await, &script).await;
    let got = play(ingress.client().await, &script).await;
    for (at, (name, _)) in script.iter().enumerate() {
        let (expected, got) = (&expected[at], &got[at]);
        assert_eq!(got.line, expected.line, "{name}");
        assert_eq!(got.lasting_headers(), expected.lasting_headers(), "{name}");
        assert!(
            got.body == expected.body,
            "{name}: {} for {}",
            got.text(),
            expected.text()
        );
    }
    assert_eq!(arrived(&far), arrived(&near));
    assert_eq!(got[4].json()["result"].as_array().unwrap().len(), 3);
    assert_eq!(got[9].body.len(), 300_000);

    // The log can be watched while its process runs.
    installation
        .observe_bus()
        .ends(&gramtap_events::topics::CALLS)
        .await
        .unwrap();
    ingress.stop().await;
    let bus = installation.open_bus();
    let records = only_calls(calls(&bus, &[tenant.id]).await);
    let told: Vec<_> = records
        .iter()
        .map(|it| {
            let shape = serde_json::to_value(it.http.shape).unwrap();
            let shape = shape.as_str().unwrap().to_owned();
            (it.method.as_str(), shape, it.http.status.unwrap(), it.ok)
        })
        .collect();
    let row = |method, shape: &str, status, ok| (method, shape.to_owned(), status, ok);
    assert_eq!(
        told,
        [
            row("getMe", "none", 200, Some(true)),
            row("sendMessage", "json", 200, Some(true)),
            row("sendMessage", "form", 200, Some(true)),
            row("sendMessage", "query", 200, Some(true)),
            row("getUpdates", "form", 200, Some(true)),
            row("sendDocument", "multipart", 200, Some(true)),
            row("sendDocument", "multipart", 200, Some(true)),
            row("sendMessage", "form", 400, Some(false)),
            row("sendNothing", "none", 404, Some(false)),
            row("file", "none", 200, None),
        ]
    );
    for (record, answer) in records.iter().zip(&got) {
        assert_eq!(record.bot.unwrap().0, BOT);
        assert_eq!(record.http.bytes_out, answer.body.len() as u64);
    }
    let text = |at: usize| {
        let params: Value =
            serde_json::from_str(records[at].params.as_ref().unwrap().get()).unwrap();
        params["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        [text(1), text(2), text(3)],
        ["in JSON: ü 😀", "in a form", "in a query"]
    );
    for upload in &records[5..7] {
        let file = &upload.files[0];
        let told = (file.field.as_str(), file.name.as_deref(), file.bytes);
        assert_eq!(told, ("document", Some("a b.bin"), MEGABYTES as u64));
    }

    let seen = updates(&bus, &[tenant.id]).await;
    let polled = got[4].json()["result"].clone();
    let ids: Vec<_> = seen.iter().map(|it| json!(it.update_id)).collect();
    let sent: Vec<_> = polled.as_array().unwrap().iter().collect();
    assert_eq!(
        ids,
        sent.iter()
            .map(|it| it["update_id"].clone())
            .collect::<Vec<_>>()
    );
    for (record, sent) in seen.iter().zip(sent) {
        assert_eq!(record.kind.as_deref(), Some("message"));
        let update: Value = serde_json::from_str(record.update.as_ref().unwrap().get()).unwrap();
        let sent = sent["message"].clone();
        assert!(update == sent || update["message"] == sent, "{update}");
    }
    drop(bus);
    let secret = TOKEN.split_once(':').unwrap().1;
    assert_eq!(canaries_in(installation.folder(), &[secret]), [""; 0]);
}
