//! Requests as each client library writes them.
#![allow(clippy::unwrap_used)]

mod shapes;

use std::io::Write;

use super::*;

const LIMITS: CaptureLimits = CaptureLimits {
    body: 64 << 10,
    update: 512 << 10,
    answer: 8 << 20,
};

fn copy_of(
    budget: &Budget,
    kind: &str,
    encoding: &str,
    query: &str,
    body: &[u8],
    piece: usize,
) -> RequestCopy {
    let some = |text: &'static str| (!text.is_empty()).then_some(text.as_bytes());
    let head = RequestHead {
        content_type: (!kind.is_empty()).then_some(kind.as_bytes()),
        content_encoding: match encoding {
            "gzip" => some("gzip"),
            "deflate" => some("Deflate"),
            "br" => some("br"),
            _ => None,
        },
        query: (!query.is_empty()).then_some(query),
    };
    let mut tap = RequestTap::new(&LIMITS, budget, &head);
    for piece in body.chunks(piece.max(1)) {
        tap.push(piece);
    }
    tap.finish()
}

fn copied(kind: &str, query: &str, body: &[u8]) -> RequestCopy {
    copy_of(&Budget::new(64 << 20), kind, "", query, body, 7)
}

/// The arguments as strings, in order.
fn read(copy: &RequestCopy) -> Vec<(String, String)> {
    let (members, _) = copy.arguments();
    members
        .into_iter()
        .map(|(name, value)| {
            (
                name.into_owned(),
                params::as_text(value).unwrap().into_owned(),
            )
        })
        .collect()
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn every_client_is_read() {
    let multipart = "multipart/form-data; boundary=7e";
    let telebot_file = "--7e\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"photo.jpg\"\r\nContent-Type: application/octet-stream\r\n\r\n\u{1}\u{2}\r\n--7e\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--7e--\r\n";
    let php = "--7e\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--7e\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nПривет\r\n--7e\r\nContent-Disposition: form-data; name=\"parse_mode\"\r\n\r\n\r\n--7e--\r\n";
    let typed = "--7e\r\nContent-Disposition: form-data; name=\"x\"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nchat_id=42&text=a%20b\r\n--7e--\r\n";
    type Arguments = [(&'static str, &'static str)];
    let table: [(&str, &str, &str, &str, Shape, &Arguments); 20] = [
        ("aiogram getMe", "", "", "", Shape::None, &[]),
        (
            "aiogram sendMessage",
            FORM,
            "",
            "chat_id=42&text=%D0%9F%D1%80%D0%B8+hi",
            Shape::Form,
            &[("chat_id", "42"), ("text", "При hi")],
        ),
        (
            "pyTBA sync sendMessage",
            "",
            "chat_id=42&text=%D0%9F%D1%80%D0%B8&reply_markup=%7B%7D",
            "",
            Shape::Query,
            &[("chat_id", "42"), ("text", "При"), ("reply_markup", "{}")],
        ),
        (
            "pyTBA sync getUpdates",
            "",
            "offset=1&timeout=20",
            "",
            Shape::Query,
            &[("offset", "1"), ("timeout", "20")],
        ),
        (
            "pyTBA async getMe: GET, a type and no body",
            "application/octet-stream",
            "",
            "",
            Shape::None,
            &[],
        ),
        (
            "pyTBA async getUpdates: GET with a body",
            FORM,
            "",
            "offset=1&timeout=20",
            Shape::Form,
            &[("offset", "1"), ("timeout", "20")],
        ),
        (
            "PTB",
            "application/x-www-form-urlencoded; charset=utf-8",
            "",
            "chat_id=42&text=a%2Bb",
            Shape::Form,
            &[("chat_id", "42"), ("text", "a+b")],
        ),
        (
            "php core getMe",
            FORM,
            "",
            "0=d",
            Shape::Form,
            &[("0", "d")],
        ),
        (
            "TelegramBot/Api",
            multipart,
            "",
            php,
            Shape::Multipart,
            &[("chat_id", "42"), ("text", "Привет"), ("parse_mode", "")],
        ),
        (
            "telegraph",
            "application/json",
            "",
            r#"{"chat_id":"42","text":"hi"}"#,
            Shape::Json,
            &[("chat_id", "42"), ("text", "hi")],
        ),
        (
            "ntba 0.66 upload",
            multipart,
            "chat_id=42&document=",
            "--7e--\r\n",
            Shape::Multipart,
            &[("chat_id", "42"), ("document", "")],
        ),
        (
            "grammY getMe",
            "application/json",
            "",
            "{}",
            Shape::Json,
            &[],
        ),
        (
            "telegraf",
            "Application/JSON",
            "",
            r#"{"chat_id":42,"reply_markup":{"force_reply":true}}"#,
            Shape::Json,
            &[
                ("chat_id", "42"),
                ("reply_markup", r#"{"force_reply":true}"#),
            ],
        ),
        (
            "go tgbotapi",
            FORM,
            "",
            "chat_id=42&entities=null&text=hi",
            Shape::Form,
            &[("chat_id", "42"), ("entities", "null"), ("text", "hi")],
        ),
        (
            "telebot getMe",
            "application/json",
            "",
            "null",
            Shape::Json,
            &[],
        ),
        (
            "telebot send",
            "application/json",
            "",
            r#"{"chat_id":"42","text":"hi","reply_markup":"{\"inline_keyboard\":[]}"}"#,
            Shape::Json,
            &[
                ("chat_id", "42"),
                ("text", "hi"),
                ("reply_markup", r#"{"inline_keyboard":[]}"#),
            ],
        ),
        (
            "telebot upload",
            multipart,
            "",
            telebot_file,
            Shape::Multipart,
            &[("chat_id", "42")],
        ),
        (
            "Java",
            "application/json; charset=utf-8",
            "",
            r#"{"timeout":50,"allowed_updates":[]}"#,
            Shape::Json,
            &[("timeout", "50"), ("allowed_updates", "[]")],
        ),
        (
            "a part that is a form",
            multipart,
            "",
            typed,
            Shape::Multipart,
            &[("chat_id", "42"), ("text", "a b")],
        ),
        (
            "query first, first one wins",
            "application/json",
            "chat_id=1&&=x&a=2&a=3",
            r#"{"chat_id":2,"b":null,"b":4}"#,
            Shape::Json,
            &[("chat_id", "1"), ("a", "2"), ("b", "null")],
        ),
    ];
    for (client, kind, query, body, shape, arguments) in table {
        let copy = copied(kind, query, body.as_bytes());
        let read = read(&copy);
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(read, arguments, "{client}");
        assert_eq!(
            (copy.shape(), copy.bytes(), copy.arguments().1),
            (shape, body.len() as u64, None),
            "{client}"
        );
    }
    let copy = copied(multipart, "", telebot_file.as_bytes());
    assert_eq!(
        copy.files(),
        [File {
            field: "photo".to_owned(),
            name: Some("photo.jpg".to_owned()),
            kind: Some("application/octet-stream".to_owned()),
            bytes: 2
        }]
    );
}

#[test]
fn arguments_for_routing() {
    let copy = copied(
        "application/json",
        "",
        br#"{"timeout":"30","method":"getMe","n":{"a":1}}"#,
    );
    assert_eq!(copy.argument("timeout").as_deref(), Some("30"));
    assert_eq!(copy.argument("method").as_deref(), Some("getMe"));
    assert_eq!(copy.argument("n").as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(copy.argument("none"), None);
}

#[test]
fn what_is_not_whole_says_why_and_gives_what_there_is() {
    let large = "x".repeat(70 << 10);
    let form = format!("chat_id=1&a=2&text={large}");
    let json_body = format!(r#"{{"chat_id":1,"a":2,"text":"{large}"}}"#);
    let query = format!("chat_id=1&a=2&text={large}");
    let known = vec![
        ("chat_id".to_owned(), "1".to_owned()),
        ("a".to_owned(), "2".to_owned()),
    ];
    for (kind, query, body) in [
        (FORM, "", form.as_str()),
        ("application/json", "", json_body.as_str()),
        ("", query.as_str(), ""),
    ] {
        let copy = copied(kind, query, body.as_bytes());
        assert_eq!(
            (read(&copy), copy.cut()),
            (known.clone(), Some(Cut::TooLarge)),
            "{kind}"
        );
    }
    for body in [
        r#"{"chat_id":1,"a":2,"text":"#,
        r#"{"chat_id":1,"a":2,"#,
        r#"{"chat_id":1,"a":2}x"#,
        "{\"chat_id\":1,\"a\":2,\"b\":\"\u{1}\"}",
    ] {
        let copy = copied("application/json", "", body.as_bytes());
        assert_eq!(
            (read(&copy), copy.arguments().1),
            (known.clone(), Some(Cut::Unreadable)),
            "{body}"
        );
    }
    assert_eq!(
        copied("application/json", "", b"[1]").arguments().1,
        Some(Cut::Unreadable)
    );
    let spent = Budget::new(100);
    let copy = copy_of(&spent, FORM, "", "a=2", form.as_bytes(), 50);
    assert_eq!(
        (read(&copy), copy.cut()),
        (known[1..].to_vec(), Some(Cut::Budget))
    );
    assert_eq!(spent.used(), 3, "the query is still held");
    drop(copy);
    assert_eq!(spent.used(), 0);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn encoded_bodies_are_read_and_bombs_are_not() {
    let budget = Budget::new(1 << 20);
    let body = gzip(br#"{"chat_id":42,"text":"hi"}"#);
    let copy = copy_of(&budget, "application/json", "gzip", "", &body, 5);
    assert_eq!(
        (read(&copy).len(), copy.cut(), copy.bytes()),
        (2, None, body.len() as u64)
    );
    assert!(budget.used() < 100, "the decoder is given back");

    let bomb = gzip(format!("a=1&b={}", "0".repeat(8 << 20)).as_bytes());
    let copy = copy_of(&budget, FORM, "deflate", "", &bomb, 4096);
    assert_eq!(
        (read(&copy), copy.cut()),
        (vec![("a".to_owned(), "1".to_owned())], Some(Cut::TooLarge))
    );
    assert!(budget.used() <= (64 << 10) + 200, "{}", budget.used());
    let part = "--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n";
    let bomb = gzip(format!("{part}{}", "0".repeat(12 << 20)).as_bytes());
    let copy = copy_of(
        &budget,
        "multipart/form-data; boundary=b",
        "gzip",
        "",
        &bomb,
        4096,
    );
    assert_eq!(
        (copy.files()[0].bytes >> 20, copy.cut()),
        (7, Some(Cut::Unfinished))
    );

    for (encoding, body) in [("br", &b"chat_id=2"[..]), ("gzip", b"\xff\xff\xff")] {
        let copy = copy_of(&budget, FORM, encoding, "a=1", body, 100);
        assert_eq!(
            (read(&copy).len(), copy.cut(), copy.shape()),
            (1, Some(Cut::Unreadable), Shape::Form),
            "{encoding}"
        );
    }
    let small = Budget::new(1000);
    let copy = copy_of(&small, FORM, "gzip", "", &gzip(b"a=1"), 100);
    assert_eq!((copy.cut(), small.used()), (Some(Cut::Budget), 0));
}

#[test]
fn debug_shows_sizes_only() {
    let copy = copied(FORM, "token=s3cret", b"text=s3cret");
    assert_eq!(format!("{copy:?}"), "RequestCopy(Form, 11 bytes, cut None)");
}
