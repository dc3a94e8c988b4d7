//! §2.3, downloads; and the test environment of §1.1, which has files of its own.
//!
//! In: files added or uploaded. Out: their bytes, whole, in parts, or not at all.

use gramtap_simulator::{Environment, FileSpec, Filter, Mode, SimulatorConfig, User};
use serde_json::Value;

use crate::wire::{BOT, Stage, TOKEN, USER, get};

#[tokio::test]
async fn downloads() {
    let stage = Stage::start().await;
    let spec = FileSpec {
        path: Some("documents/мой файл.txt".to_owned()),
        text: Some("0123456789".to_owned()),
        ..FileSpec::default()
    };
    let file = stage.control.add_file(&spec);
    assert_eq!(file.file_path, "documents/мой файл.txt");
    let target =
        format!("/file/bot{TOKEN}/documents/%D0%BC%D0%BE%D0%B9%20%D1%84%D0%B0%D0%B9%D0%BB.txt");
    let mut client = stage.client().await;
    let whole = client.ask(get(&target)).await;
    assert_eq!(
        (whole.text().as_str(), whole.header("accept-ranges")),
        ("0123456789", Some("bytes"))
    );
    let etag = whole.header("etag").unwrap().to_owned();
    let date = whole.header("last-modified").unwrap().to_owned();
    let table = [
        (
            "Range: bytes=2-4".to_owned(),
            206,
            "234",
            Some("bytes 2-4/10"),
        ),
        (
            "Range: bytes=7-".to_owned(),
            206,
            "789",
            Some("bytes 7-9/10"),
        ),
        (
            "Range: bytes=-2".to_owned(),
            206,
            "89",
            Some("bytes 8-9/10"),
        ),
        ("Range: bytes=0-1,4-5".to_owned(), 200, "0123456789", None),
        (
            format!("Range: bytes=2-4\r\nIf-Range: {etag}"),
            206,
            "234",
            Some("bytes 2-4/10"),
        ),
        (
            "Range: bytes=2-4\r\nIf-Range: \"other\"".to_owned(),
            200,
            "0123456789",
            None,
        ),
        (format!("If-None-Match: {etag}"), 304, "", None),
        (format!("If-Modified-Since: {date}"), 304, "", None),
        (
            "If-None-Match: \"other\"".to_owned(),
            200,
            "0123456789",
            None,
        ),
    ];
    for (header, status, text, range) in table {
        let answer = client
            .ask(format!(
                "GET {target} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"
            ))
            .await;
        assert_eq!(
            (
                answer.status,
                answer.text().as_str(),
                answer.header("content-range")
            ),
            (status, text, range),
            "{header}"
        );
    }
    let unsatisfiable = client
        .ask(format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nRange: bytes=10-\r\n\r\n"
        ))
        .await;
    assert_eq!(
        (unsatisfiable.status, unsatisfiable.header("content-range")),
        (416, Some("bytes */10"))
    );
    let failed = client
        .ask(format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nIf-Match: \"other\"\r\n\r\n"
        ))
        .await;
    assert_eq!(failed.status, 412);

    // HEAD tells the length and sends nothing: the next answer follows at once.
    client
        .send(format!("HEAD {target} HTTP/1.1\r\nHost: x\r\n\r\n"))
        .await;
    let head = client.head().await;
    assert!(
        head.starts_with("HTTP/1.1 200 OK") && head.contains("Content-Length: 10\r\n"),
        "{head}"
    );
    assert_eq!(
        client.ask(get("/file/bot123:abc/nothing")).await.failure(),
        "404 Not Found"
    );
    assert_eq!(
        client
            .ask(get("/file/bot123:abc/../etc/passwd"))
            .await
            .failure(),
        "404 Not Found"
    );
    assert_eq!(
        client
            .ask(get("/file/bot123:other/documents/x"))
            .await
            .failure(),
        "401 Unauthorized"
    );
}

#[tokio::test]
async fn a_large_download_costs_no_memory_and_is_the_same_in_parts() {
    let stage = Stage::start().await;
    let file = stage.control.add_file(&FileSpec {
        size: 3_000_000,
        ..FileSpec::default()
    });
    let target = format!("/file/bot{TOKEN}/{}", file.file_path);
    let whole = stage.client().await.ask(get(&target)).await.body;
    assert_eq!(whole.len(), 3_000_000);
    let part = stage
        .client()
        .await
        .ask(format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nRange: bytes=1000000-1999999\r\n\r\n"
        ))
        .await;
    assert_eq!(part.body, whole[1_000_000..2_000_000]);
}

#[tokio::test]
async fn the_test_environment_is_another_world() {
    let stage = Stage::start().await;
    let test = stage.control.environment(Environment::Test);
    test.add_bot_token(TOKEN).unwrap();
    test.add_user(User::new(USER, "Testing Ann"));
    let file = test.add_file(&FileSpec {
        text: Some("test".to_owned()),
        ..FileSpec::default()
    });
    test.say(BOT, USER, "in the test environment").unwrap();
    let mut client = stage.client().await;
    let updates = client
        .ask(get("/bot123:abc/test/getUpdates"))
        .await
        .result();
    assert_eq!(updates[0]["message"]["from"]["first_name"], "Testing Ann");
    assert_eq!(
        client.ask(get("/bot123:abc/getUpdates")).await.result(),
        Value::Array(vec![])
    );
    assert_eq!(
        client
            .ask(get(&format!("/file/bot123:abc/test/{}", file.file_path)))
            .await
            .text(),
        "test"
    );
    assert_eq!(
        client
            .ask(get(&format!("/file/bot123:abc/{}", file.file_path)))
            .await
            .status,
        404
    );
    assert_eq!(
        stage.control.requests(&Filter::default())[0].environment,
        Environment::Test
    );
}

#[tokio::test]
async fn the_bundled_server_gives_out_no_files() {
    let stage = Stage::with(SimulatorConfig {
        mode: Mode::Bundled,
        ..SimulatorConfig::default()
    })
    .await;
    let file = stage.control.add_file(&FileSpec {
        text: Some("content".to_owned()),
        ..FileSpec::default()
    });
    let mut client = stage.client().await;
    let target = format!("/file/bot{TOKEN}/{}", file.file_path);
    assert_eq!(client.ask(get(&target)).await.failure(), "404 Not Found");
    assert_eq!(
        client
            .ask(format!("HEAD {target} HTTP/1.1\r\nHost: x\r\n\r\n"))
            .await
            .status,
        501
    );
}
