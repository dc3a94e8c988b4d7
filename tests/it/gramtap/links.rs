//! `gramtap console link`: who runs Gramtap gets into its console, again and again.
//!
//! In: the command beside a running `up`. Out: pass or fail. Invariant: what is printed is used as it is printed.

use super::*;

/// Chooses a name and a password at a link that was printed.
async fn enter(place: &Place, link: &str, password: &str) -> Answer {
    let path = link
        .strip_prefix(&format!("http://{}", place.console))
        .expect(link);
    let body = format!("name=Ann&password={password}");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n",
        place.console,
        body.len()
    );
    let form = "Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    Client::connect(place.console)
        .await
        .ask(format!("{head}{form}{body}"))
        .await
}

#[tokio::test]
async fn a_link_lets_in_once_and_the_next_one_makes_a_new_password() {
    let place = Place::new().await;
    let up = place.up(&[]).await;
    for (says, password) in [
        ("makes you the owner", "four+words+of+a+kind"),
        ("a new password", "four+other+words+of+it"),
    ] {
        let told = place.run(&["console", "link"]).await;
        assert_eq!(told.code, OK, "{}", told.err);
        let (link, rest) = told.out.split_once('\n').unwrap();
        assert!(rest.contains(says), "{rest}");
        let entered = enter(&place, link, password).await;
        assert_eq!(entered.status(), 303, "{}", entered.text());
        assert!(entered.header("set-cookie").is_some());
        assert_eq!(
            enter(&place, link, password).await.status(),
            422,
            "it works once"
        );
    }
    // What watches a console asks for heads alone.
    let mut monitor = Client::connect(place.console).await;
    monitor
        .send("HEAD /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    let head = monitor.answer_to_head().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(
        head.header("content-length")
            .is_some_and(|length| length != "0")
    );
    assert!(monitor.is_closed().await, "a head has no body");
    up.stop().await;
}
