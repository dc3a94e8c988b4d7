//! Answers as libraries write them, and as nobody should.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=\"b-1\"";

fn read(kind: &str, encoding: Option<&str>, body: &[u8]) -> Reply {
    let body = Bytes::copy_from_slice(body);
    Reply::read(kind.as_bytes(), encoding.map(str::as_bytes), body, None)
}

/// Method and chat, or the word of the refusal.
fn said(kind: &str, body: &str) -> String {
    match read(kind, None, body.as_bytes()) {
        Reply::Nothing => "nothing".to_owned(),
        Reply::Execute(asked) => {
            assert_eq!(asked.body, body);
            assert_eq!(asked.kind, kind.as_bytes());
            format!("{} {:?}", asked.method.as_str(), asked.chat_id)
        }
        Reply::Refuse(method, label) => format!("{label} {method:?}"),
    }
}

#[test]
fn a_method_is_found_however_it_is_written() {
    let parts = "--b-1\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"method\"\r\n\r\nmethod\r\n\
                 --b-1\r\ncontent-disposition:form-data;name=method\r\n\r\nsendPhoto\r\n\
                 --b-1\r\nContent-Disposition: form-data; name=\"chat_id\"\r\nContent-Type: text/plain\r\n\r\n-7\r\n--b-1--\r\n";
    for (kind, body, expected) in [
        (
            JSON,
            r#"{"method":"sendMessage","chat_id":7,"text":"x"}"#,
            "sendMessage Some(7)",
        ),
        (
            JSON,
            r#"{"chat_id":"-100","method":"SENDMESSAGE"}"#,
            "sendMessage Some(-100)",
        ),
        (
            JSON,
            r#"{"method":"sendMessage","chat_id":"@name"}"#,
            "sendMessage None",
        ),
        (JSON, r#"{"method":"brandNew_1"}"#, "brandNew_1 None"),
        (
            FORM,
            "chat_id=7&text=a%26method%3Dx&method=sendMessage&method=y",
            "sendMessage Some(7)",
        ),
        (PARTS, parts, "sendPhoto Some(-7)"),
        // None of these asks for anything.
        (JSON, "", "nothing"),
        (JSON, "{}", "nothing"),
        (JSON, "OK", "nothing"),
        (JSON, r#"{"method":""}"#, "nothing"),
        (JSON, r#"{"method":7}"#, "nothing"),
        (JSON, r#"["method"]"#, "nothing"),
        (FORM, "text=method", "nothing"),
        (PARTS, "--b-2\r\n\r\n", "nothing"),
        ("multipart/form-data", parts, "nothing"),
        ("text/html", r#"{"method":"sendMessage"}"#, "nothing"),
        ("", "method=sendMessage", "nothing"),
        // These are not executed by Telegram either.
        (
            JSON,
            r#"{"method":"getMe"}"#,
            "reply_forbidden Some(\"getMe\")",
        ),
        (
            FORM,
            "method=GETUPDATES",
            "reply_forbidden Some(\"getUpdates\")",
        ),
        (
            JSON,
            r#"{"method":"setWebhook"}"#,
            "reply_forbidden Some(\"setWebhook\")",
        ),
        (
            JSON,
            r#"{"method":"deleteWebhook"}"#,
            "reply_forbidden Some(\"deleteWebhook\")",
        ),
        (
            JSON,
            r#"{"method":"close"}"#,
            "reply_forbidden Some(\"close\")",
        ),
        (
            JSON,
            r#"{"method":"logOut"}"#,
            "reply_forbidden Some(\"logOut\")",
        ),
        (
            JSON,
            r#"{"method":"send/../../x"}"#,
            "reply_unreadable None",
        ),
        (
            JSON,
            "{\"method\":\"send\\nMessage\"}",
            "reply_unreadable None",
        ),
    ] {
        assert_eq!(said(kind, body), expected, "{kind} {body}");
    }
}

#[test]
fn a_packed_answer_is_read_and_passed_on_packed() {
    let body = br#"{"method":"sendMessage","chat_id":7}"#;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(body).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(body).unwrap();
    for (encoding, packed) in [
        ("gzip", gzip.finish().unwrap()),
        ("Deflate", zlib.finish().unwrap()),
    ] {
        let Reply::Execute(asked) = read(JSON, Some(encoding), &packed) else {
            unreachable!("{encoding}");
        };
        assert_eq!((asked.body, asked.chat_id), (packed.into(), Some(7)));
        assert_eq!(asked.encoding.as_deref(), Some(encoding.as_bytes()));
    }
    for encoding in ["br", "gzip", "gzip, deflate"] {
        let reply = read(JSON, Some(encoding), body);
        assert!(
            matches!(reply, Reply::Refuse(None, "reply_unreadable")),
            "{encoding}"
        );
    }
    // A small answer that would fill the memory.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 17 * 1024 * 1024]).unwrap();
    let reply = read(JSON, Some("gzip"), &bomb.finish().unwrap());
    assert!(matches!(reply, Reply::Refuse(None, "reply_unreadable")));
}

proptest! {
    #[test]
    fn nothing_panics(kind in "(application/json|application/x-www-form-urlencoded|multipart/form-data; boundary=b)?", body: Vec<u8>,
                      text in "(--b|\r\n|name=\"method\"|;|\"|x){0,20}") {
        read(&kind, None, &body);
        read(&kind, None, text.as_bytes());
        read(&kind, Some("gzip"), &body);
    }
}
