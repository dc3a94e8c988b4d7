//! Which requests a fault is for, and how often it is played.

#![allow(clippy::unwrap_used)]

use super::*;

fn arguments(form: &str) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.add_form(form.as_bytes()).unwrap();
    arguments
}

#[test]
fn matches_by_bot_method_environment_and_argument() {
    let fault = |json: &str| serde_json::from_str::<Fault>(json).unwrap();
    let table = [
        ("{}", "/nothing", "", true),
        (r#"{"bot":1}"#, "/nothing", "", false),
        (
            r#"{"bot":1,"method":"sendmessage"}"#,
            "/bot1:a/SendMessage",
            "",
            true,
        ),
        (r#"{"bot":2}"#, "/bot1:a/SendMessage", "", false),
        (r#"{"method":"getMe"}"#, "/bot1:a/", "method=getMe", true),
        (r#"{"method":"file"}"#, "/file/bot1:a/x", "", true),
        (r#"{"environment":"test"}"#, "/bot1:a/getMe", "", false),
        (r#"{"environment":"test"}"#, "/bot1:a/test/getMe", "", true),
        (
            r#"{"argument":["chat_id","7"]}"#,
            "/bot1:a/sendMessage",
            "chat_id=7",
            true,
        ),
        (
            r#"{"argument":["chat_id","7"]}"#,
            "/bot1:a/sendMessage",
            "chat_id=8",
            false,
        ),
    ];
    for (json, target, form, fits) in table {
        assert_eq!(
            fault(json).fits(&Route::of(target.as_bytes()), Some(&arguments(form))),
            fits,
            "{json} {target} {form}"
        );
    }
}

#[test]
fn skips_then_plays_so_often_at_its_stage() {
    let faults = Faults::default();
    let route = Route::of(b"/bot1:a/getMe");
    let none = Arguments::default();
    assert!(faults.pick(&route, Some(&none)).is_none());
    let later = faults.arm(Fault {
        skip: 1,
        times: Some(2),
        ..Fault::default()
    });
    let early = faults.arm(Fault {
        early: Some(Early::Drain),
        ..Fault::default()
    });
    let played: Vec<Option<u64>> = (0..4)
        .map(|_| faults.pick(&route, Some(&none)).map(|(id, _)| id))
        .collect();
    assert_eq!(played, [None, Some(later), Some(later), None]);
    assert_eq!(faults.pick(&route, None).map(|(id, _)| id), Some(early));
    assert!(faults.disarm(early) && !faults.disarm(early));
    assert_eq!(faults.list()[0].played, 2);
}
