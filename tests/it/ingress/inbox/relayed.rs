//! What is told of updates that are passed on to the bot.
//!
//! In: a bot in relay mode, whose endpoint answers in every way. Out: pass or fail, by deliveries.v1.

use gramtap_events::delivery::Verdict;

use super::*;

#[tokio::test]
async fn each_attempt_is_told_and_only_an_answer_of_2xx_is_a_delivery() {
    let rig = Rig::start(Installation::new(Stores::Embedded).await, Mode::Relay).await;
    let answer = |head: &str, body: &str| {
        format!(
            "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let asks = r#"{"method":"sendMessage","chat_id":7,"text":"AAcanary-of-an-answer"}"#;
    let cases = [
        (
            answer("200 OK", ""),
            Some(200),
            Verdict::Delivered,
            None,
            None,
        ),
        (
            answer("200 OK\r\nContent-Type: application/json", asks),
            Some(200),
            Verdict::Delivered,
            None,
            Some("sendMessage"),
        ),
        (
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            Some(204),
            Verdict::Delivered,
            None,
            None,
        ),
        (
            answer("302 Found\r\nLocation: /x", ""),
            Some(302),
            Verdict::Retry,
            Some("endpoint_redirects"),
            None,
        ),
        (
            answer("403 Forbidden", "no"),
            Some(403),
            Verdict::Retry,
            Some("endpoint_denies"),
            None,
        ),
        (
            answer("500 Oops", asks),
            Some(500),
            Verdict::Retry,
            Some("endpoint_fails"),
            Some("sendMessage"),
        ),
        (
            "nonsense\r\n\r\n".to_owned(),
            None,
            Verdict::Retry,
            Some("endpoint_malformed"),
            None,
        ),
        // No answer at all: whoever pushes leaves.
        (
            String::new(),
            None,
            Verdict::Retry,
            Some("sender_left"),
            None,
        ),
    ];
    for (number, case) in (1..).zip(&cases) {
        rig.endpoint.answer(case.0.clone());
        let mut client = rig.ingress.client().await;
        let body = message(number, 7, "text");
        client.send(rig.push_whole(b"", body.as_bytes())).await;
        rig.endpoint.wait(usize::try_from(number).unwrap()).await;
        if !case.0.is_empty() {
            client.answer().await.unwrap();
        }
    }
    let Rig {
        installation,
        ingress,
        endpoint,
        tenant,
        ..
    } = rig;
    // Ends when the last attempt has noticed that nobody waits for it.
    ingress.stop().await;
    let bus = installation.open_bus();
    let (told, seen) = (
        deliveries(&bus, &[tenant.id]).await,
        updates(&bus, &[tenant.id]).await,
    );
    assert_eq!((told.len(), seen.len()), (cases.len(), cases.len()));
    let shown = format!("http://{}", endpoint.address());
    for ((number, (_, status, verdict, label, method)), told) in (1..).zip(&cases).zip(&told) {
        assert_eq!(
            (told.update_id, told.status, told.verdict),
            (Some(number), *status, *verdict)
        );
        assert_eq!(
            (told.label.as_deref(), told.reply_method.as_deref()),
            (*label, *method),
            "{number}"
        );
        assert_eq!(
            (&told.kind[..], told.queue.to_string()),
            ("message", "chat:7".to_owned())
        );
        assert_eq!(
            (told.attempt, told.next_at, told.bot),
            (1, None, tenant.bot)
        );
        assert_eq!(told.endpoint.as_deref(), Some(shown.as_str()));
        let of = seen.iter().find(|it| it.update_id == Some(number)).unwrap();
        assert_eq!(told.inbox_record, of.record);
    }
    assert_eq!(inbox(&bus, &[tenant.id]).await, []);
    drop(bus);
    let found = installation.canaries(&["AAcanary-of-an-answer"]).await;
    assert_eq!(found, Vec::<String>::new());
    installation.remove().await;
}
