//! §1.2, uploads in every multipart shape; §2.3, limits.
//!
//! In: bodies as each library writes them. Out: messages with files, and the same bytes downloaded again.

use gramtap_simulator::{FileSpec, Filter, SimulatorConfig};
use serde_json::Value;

use crate::wire::{Answer, Stage, TOKEN, get};

/// A multipart call, its body delimited by length or in chunks of 1,000 bytes.
fn multipart(method: &str, content_type: &str, body: &[u8], chunked: bool) -> Vec<u8> {
    let framing = if chunked {
        "Transfer-Encoding: chunked".to_owned()
    } else {
        format!("Content-Length: {}", body.len())
    };
    let head = format!(
        "POST /bot{TOKEN}/{method} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{framing}\r\n\r\n"
    );
    let mut request = head.into_bytes();
    if !chunked {
        request.extend_from_slice(body);
        return request;
    }
    for piece in body.chunks(1_000) {
        request.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
        request.extend_from_slice(piece);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

async fn upload(stage: &Stage, method: &str, body: &str, chunked: bool) -> Answer {
    let request = multipart(
        method,
        "multipart/form-data; boundary=B",
        body.as_bytes(),
        chunked,
    );
    stage.client().await.ask(request).await
}

/// Sends, asks getFile and downloads again.
async fn round(stage: &Stage, sent: &Value) -> Vec<u8> {
    let id = sent["document"]["file_id"].as_str().unwrap();
    let file = stage
        .call("getFile", &format!("file_id={id}"))
        .await
        .result();
    let path = file["file_path"].as_str().unwrap();
    // python-telegram-bot escapes the colon.
    let answer = stage
        .client()
        .await
        .ask(get(&format!("/file/bot123%3Aabc/{path}")))
        .await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/octet-stream"))
    );
    assert_eq!(file["file_size"], answer.body.len());
    answer.body
}

#[tokio::test]
async fn every_shape_of_upload() {
    let stage = Stage::start().await;
    let content = "line\r\n--not the boundary\r\n\0ж".repeat(200);
    let file = |head: &str| format!("--B\r\n{head}\r\n\r\n{content}\r\n");
    let field = |name: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let plain = "Content-Disposition: form-data; name=\"document\"; filename=\"a.txt\"";
    let shapes = [
        // requests: the file part without a Content-Type.
        (
            "no type",
            format!("{}{}--B--", field("chat_id", "7"), file(plain)),
            "a.txt",
        ),
        // aiogram: the file under a random name, each part typed.
        (
            "attach",
            format!(
                "--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n{}{}--B--",
                field("document", "attach://rAnd0m"),
                file(
                    "Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"rAnd0m\"; filename=\"a.txt\""
                )
            ),
            "a.txt",
        ),
        // grammY: no spaces in the part's head.
        (
            "no spaces",
            format!(
                "--B\r\ncontent-disposition:form-data;name=\"chat_id\"\r\n\r\n7\r\n{}--B--",
                file(
                    "content-disposition:form-data;name=\"document\";filename=\"a.txt\"\r\ncontent-type:application/octet-stream"
                )
            ),
            "a.txt",
        ),
        // telebot: the file first; telegraf: a part `method`; unset parameters as empty parts.
        (
            "file first",
            format!(
                "{}{}{}{}--B--",
                file(plain),
                field("chat_id", "7"),
                field("method", "x"),
                field("thumb", "")
            ),
            "a.txt",
        ),
        // Guzzle: Content-Length on parts.
        (
            "lengths",
            format!(
                "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\nContent-Length: 1\r\n\r\n7\r\n{}--B--",
                file(plain)
            ),
            "a.txt",
        ),
        // A part typed as a form is split into parameters.
        (
            "form part",
            format!(
                "--B\r\nContent-Disposition: form-data; name=\"x\"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nchat_id=7&a=b\r\n{}--B--",
                file(plain)
            ),
            "a.txt",
        ),
        // Go: the whole path; raw UTF-8 and spaces in the name.
        (
            "path",
            format!(
                "{}{}--B--",
                field("chat_id", "7"),
                file(
                    "Content-Disposition: form-data; name=\"document\"; filename=\"/home/я/мой файл.txt\""
                )
            ),
            "мой файл.txt",
        ),
    ];
    for (shape, body, name) in &shapes {
        for chunked in [false, true] {
            let sent = upload(&stage, "sendDocument", body, chunked).await.result();
            assert_eq!(sent["document"]["file_name"], *name, "{shape}");
            assert_eq!(round(&stage, &sent).await, content.as_bytes(), "{shape}");
        }
    }
    // node-telegram-bot-api: parameters in the query, `document=` among them.
    let request = multipart(
        "sendDocument?chat_id=7&document=&caption=c",
        "multipart/form-data; boundary=B",
        shapes[0].1.as_bytes(),
        false,
    );
    let sent = stage.client().await.ask(request).await.result();
    assert_eq!(
        (&sent["caption"], &sent["document"]["file_name"]),
        (&"c".into(), &"a.txt".into())
    );
    let seen = stage.control.requests(&Filter::method("sendDocument"));
    assert_eq!(seen.last().unwrap().files[0].size, content.len() as u64);
}

#[tokio::test]
async fn media_of_every_kind_by_upload_id_and_url() {
    let stage = Stage::start().await;
    for (method, field) in [
        ("sendPhoto", "photo"),
        ("sendAudio", "audio"),
        ("sendDocument", "document"),
        ("sendVideo", "video"),
        ("sendAnimation", "animation"),
        ("sendVoice", "voice"),
        ("sendVideoNote", "video_note"),
        ("sendSticker", "sticker"),
    ] {
        let by_url = stage
            .call(
                method,
                &format!("chat_id=7&{field}=https://host/a.bin&caption=c"),
            )
            .await
            .result();
        let file = if field == "photo" {
            &by_url[field][1]
        } else {
            &by_url[field]
        };
        let id = file["file_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{method} {by_url}"));
        let by_id = stage
            .call(method, &format!("chat_id=7&{field}={id}"))
            .await
            .result();
        let again = if field == "photo" {
            &by_id[field][1]
        } else {
            &by_id[field]
        };
        assert_eq!(again["file_id"], id, "{method}");
        assert_eq!(
            stage
                .call("getFile", &format!("file_id={id}"))
                .await
                .result()["file_size"],
            1_000
        );
    }
    let body = "--B\r\nContent-Disposition: form-data; name=\"media\"\r\n\r\n\
                [{\"type\":\"photo\",\"media\":\"attach://one\",\"caption\":\"<b>c</b>\",\"parse_mode\":\"HTML\"},{\"type\":\"video\",\"media\":\"https://host/v.mp4\"}]\r\n\
                --B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
                --B\r\nContent-Disposition: form-data; name=\"one\"; filename=\"1.jpg\"\r\n\r\nJPEG\r\n--B--";
    let album = upload(&stage, "sendMediaGroup", body, true).await.result();
    assert_eq!(album.as_array().unwrap().len(), 2);
    assert_eq!(album[0]["media_group_id"], album[1]["media_group_id"]);
    assert_eq!(
        (
            &album[0]["caption"],
            &album[0]["caption_entities"][0]["type"]
        ),
        (&"c".into(), &"bold".into())
    );
}

#[tokio::test]
async fn limits() {
    let config = SimulatorConfig {
        upload_limit: 1 << 20,
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let part = |size: usize| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
             --B\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a\"\r\n\r\n{}\r\n--B--",
            "x".repeat(size)
        )
    };
    assert_eq!(
        upload(&stage, "sendDocument", &part(1 << 20), true)
            .await
            .status,
        200
    );
    assert_eq!(
        upload(&stage, "sendDocument", &part((1 << 20) + 1), true)
            .await
            .failure(),
        "413 Request Entity Too Large"
    );
    let far = upload(&stage, "sendDocument", &part(4 << 20), false).await;
    assert_eq!(
        (far.failure().as_str(), far.header("connection")),
        ("413 Request Entity Too Large", Some("close"))
    );
    assert_eq!(
        upload(&stage, "sendDocument", &part(0), false)
            .await
            .failure(),
        "400 Bad Request: file must be non-empty"
    );
    let big = stage.control.add_file(&FileSpec {
        size: (20 << 20) + 1,
        ..FileSpec::default()
    });
    let failure = stage
        .call("getFile", &format!("file_id={}", big.file_id))
        .await
        .failure();
    assert_eq!(failure, "400 Bad Request: file is too big");
    let fits = stage.control.add_file(&FileSpec {
        size: 20 << 20,
        ..FileSpec::default()
    });
    assert_eq!(
        stage
            .call("getFile", &format!("file_id={}", fits.file_id))
            .await
            .status,
        200
    );
}
