//! `/v1` of a real console, held to its own description: tests/api/check beside a real `gramtap demo`.
//!
//! In: what tests/api/requirements.txt pins. Out: pass or fail, with what Schemathesis says. Invariant: the bots of the demo are at work
//! meanwhile, so that answers have numbers and records in them; what is asked is the same in every run, what it is asked of is not.

use super::*;

#[tokio::test]
async fn every_answer_is_as_described() {
    let place = Place::new().await;
    let mut command = place.gramtap(&["demo"]);
    let temporary = place.path().join("tmp");
    std::fs::create_dir_all(&temporary).unwrap();
    let log = std::fs::File::create(place.path().join("demo.log")).unwrap();
    command.env("TMPDIR", temporary).stderr(log);
    let mut demo = Running::start(command);
    while !demo.said.contains("It ends") {
        demo.line().await;
    }
    let mut words = demo.said.split_whitespace();
    let link = words.find(|word| word.contains("/welcome/")).unwrap();
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("api/check");
    let check = Command::new(check)
        .env("CONSOLE", format!("http://{}", place.console))
        .env("LINK", link)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let check = done(check.await.unwrap());
    assert_eq!(check.code, OK, "{}\n{}", check.out, check.err);
    demo.stop().await;
    // Requests that are no HTTP are complained of by the HTTP library.
    let log = std::fs::read_to_string(place.path().join("demo.log")).unwrap();
    let ours = log.lines().find(|line| !line.contains(" actix_http::"));
    assert_eq!(ours, None, "it had nothing to complain of");
}
