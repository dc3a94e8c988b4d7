//! Bodies as clients write them, in any pieces.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::budget::Budget;
use super::*;

fn scan_with(
    content_type: &str,
    body: &[u8],
    cuts: &[usize],
    room: usize,
    budget: &Budget,
) -> (Parts, Option<Cut>) {
    let mut claim = budget.claim();
    let mut scanner = Scanner::new(content_type.as_bytes(), room);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.sort_unstable();
    let mut from = 0;
    for cut in cuts.into_iter().chain([body.len()]) {
        scanner.push(&body[from..cut], &mut claim);
        from = cut;
    }
    scanner.finish(true)
}

fn scan(content_type: &str, body: &[u8], cuts: &[usize]) -> (Parts, Option<Cut>) {
    scan_with(content_type, body, cuts, 64 << 10, &Budget::new(1 << 20))
}

fn field(name: &str, value: &str) -> Field {
    Field {
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
        form: false,
    }
}

fn file(field: &str, name: &str, kind: Option<&str>, bytes: u64) -> File {
    File {
        field: field.to_owned(),
        name: Some(name.to_owned()),
        kind: kind.map(str::to_owned),
        bytes,
    }
}

/// Each client's way of writing the same thing.
fn clients() -> Vec<(&'static str, String, Parts)> {
    let aiogram = "--abc\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n\
        --abc\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=\"photo\"\r\n\r\nattach://Zx91\r\n\
        --abc\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; name=\"Zx91\"; filename=\"cat.jpg\"\r\n\r\n\u{0}\r\n--ab\r\n--abd\r\n--abc--\r\n";
    let grammy = "--abc\r\ncontent-disposition:form-data;name=\"chat_id\"\r\n\r\n42\r\n--abc\r\ncontent-disposition:form-data;name=\"photo\"\r\n\r\nattach://0f\r\n--abc\r\ncontent-disposition:form-data;name=\"0f\";filename=cat.jpg\r\ncontent-type:application/octet-stream\r\n\r\nJPEG\r\n--abc--\r\n";
    let telebot = "--abc\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"cat.jpg\"\r\nContent-Type: application/octet-stream\r\n\r\nJPEG\r\n--abc\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--abc--\r\n";
    let php = "--abc\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--abc\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n\r\n--abc\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"/srv/бот/cat.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--abc--\r\n";
    let guzzle = "--abc\r\nContent-Disposition: form-data; name=\"chat_id\"\r\nContent-Length: 2\r\n\r\n42\r\n--abc\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"cat.jpg\"\r\nContent-Length: 4\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--abc--\r\n";
    let pytba = "--abc\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"cat.jpg\"\r\n\r\nJPEG\r\n--abc--\r\n";
    vec![
        (
            "aiogram",
            aiogram.to_owned(),
            Parts {
                fields: vec![field("chat_id", "42"), field("photo", "attach://Zx91")],
                files: vec![file(
                    "Zx91",
                    "cat.jpg",
                    Some("application/octet-stream"),
                    14,
                )],
            },
        ),
        (
            "grammY",
            grammy.to_owned(),
            Parts {
                fields: vec![field("chat_id", "42"), field("photo", "attach://0f")],
                files: vec![file("0f", "cat.jpg", Some("application/octet-stream"), 4)],
            },
        ),
        (
            "telebot",
            telebot.to_owned(),
            Parts {
                fields: vec![field("chat_id", "42")],
                files: vec![file(
                    "photo",
                    "cat.jpg",
                    Some("application/octet-stream"),
                    4,
                )],
            },
        ),
        (
            "TelegramBot/Api",
            php.to_owned(),
            Parts {
                fields: vec![field("chat_id", "42"), field("caption", "")],
                files: vec![file("photo", "/srv/бот/cat.jpg", Some("image/jpeg"), 4)],
            },
        ),
        (
            "Guzzle",
            guzzle.to_owned(),
            Parts {
                fields: vec![field("chat_id", "42")],
                files: vec![file("photo", "cat.jpg", Some("image/jpeg"), 4)],
            },
        ),
        (
            "pyTelegramBotAPI",
            pytba.to_owned(),
            Parts {
                fields: vec![],
                files: vec![file("photo", "cat.jpg", None, 4)],
            },
        ),
    ]
}

#[test]
fn every_client_in_every_pair_of_pieces() {
    for (client, body, parts) in clients() {
        for cut in 0..=body.len() {
            let found = scan(
                "multipart/form-data; boundary=abc",
                body.as_bytes(),
                &[cut, cut + 3],
            );
            assert_eq!(found, (parts_of(&parts), None), "{client} cut at {cut}");
        }
    }
}

fn parts_of(parts: &Parts) -> Parts {
    Parts {
        fields: parts
            .fields
            .iter()
            .map(|field| Field {
                name: field.name.clone(),
                value: field.value.clone(),
                form: field.form,
            })
            .collect(),
        files: parts.files.clone(),
    }
}

#[test]
fn a_part_typed_as_a_form_is_marked() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nchat_id=1&text=a\r\n--b--";
    let (parts, cut) = scan("multipart/form-data; boundary=b", body.as_bytes(), &[]);
    assert!(parts.fields[0].form);
    assert_eq!(cut, None);
}

#[test]
fn boundaries_as_headers_write_them() {
    let long = "x".repeat(70);
    let longer = format!("multipart/form-data; boundary={long}y");
    let long_type = format!("multipart/form-data; boundary={long}");
    let table: [(&str, Option<&str>); 9] = [
        ("multipart/form-data; boundary=abc", Some("abc")),
        (
            "Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b;c\"",
            Some("\"a b"),
        ),
        ("multipart/form-data; boundary=\"a:b\"", Some("a:b")),
        (
            "multipart/form-data;boundary=----WebKit ; x=y",
            Some("----WebKit"),
        ),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary", None),
        ("multipart/form-data; boundary=", None),
        (&long_type, Some(&long)),
        (&longer, None),
    ];
    for (header, found) in table {
        assert_eq!(
            boundary(header.as_bytes()),
            found.map(str::as_bytes),
            "{header}"
        );
    }
}

#[test]
fn what_is_cut_says_why_and_keeps_the_rest() {
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let large = "x".repeat(100);
    let body = format!(
        "{}{}{}--b--",
        part("a", "1"),
        part("text", &large),
        part("c", "3")
    );
    let kind = "multipart/form-data; boundary=b";
    let budget = Budget::new(1 << 20);
    let (parts, cut) = scan_with(kind, body.as_bytes(), &[], 50, &budget);
    assert_eq!(
        (parts.fields, cut),
        (vec![field("a", "1"), field("c", "3")], Some(Cut::TooLarge))
    );
    let budget = Budget::new(20);
    let (parts, cut) = scan_with(kind, body.as_bytes(), &[], 1000, &budget);
    assert_eq!(
        (parts.fields, cut),
        (vec![field("a", "1"), field("c", "3")], Some(Cut::Budget))
    );
    assert_eq!(budget.used(), 0);
    // All that is held of a file counts: its type, too.
    let typed = format!(
        "--b\r\nContent-Disposition: form-data; name=f; filename=g\r\nContent-Type: {large}\r\n\r\n\r\n--b--"
    );
    let budget = Budget::new(1 << 20);
    let (parts, cut) = scan_with(kind, typed.as_bytes(), &[], 50, &budget);
    assert_eq!((parts.files, cut), (vec![], Some(Cut::TooLarge)));

    assert_eq!(
        scan("multipart/form-data", b"--b", &[]).1,
        Some(Cut::Unreadable)
    );
    assert_eq!(
        scan(kind, b"--b\r\nX: y\r\n\r\nz\r\n--b--", &[]).1,
        Some(Cut::Unreadable)
    );
    assert_eq!(
        scan(kind, format!("--b\r\n{}", "x".repeat(9000)).as_bytes(), &[]).1,
        Some(Cut::Unreadable)
    );
    assert_eq!(scan(kind, b"", &[]).1, Some(Cut::Unfinished));
    let (parts, cut) = scan(
        kind,
        b"--b\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\n1234567",
        &[],
    );
    assert_eq!(
        (parts.files, cut),
        (vec![file("a", "f", None, 7)], Some(Cut::Unfinished))
    );

    let many: String = (0..400).map(|at| part(&format!("n{at}"), "")).collect();
    let (parts, cut) = scan(kind, format!("{many}--b--").as_bytes(), &[]);
    assert_eq!(
        (parts.fields.len(), cut),
        (MOST_FIELDS, Some(Cut::TooLarge))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_make_no_difference(
        parts in prop::collection::vec(("[a-z]{1,5}", prop::option::of("[a-z./é]{0,8}"), "(\r|\n|-|b|\r\n--|[a-z]){0,12}"), 0..5),
        preamble in prop::sample::select(vec!["", "junk\r\n", "\r\n"]),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let boundary = "bb-b";
        prop_assume!(parts.iter().all(|(_, _, value)| !format!("\r\n{value}\r\n").contains("\r\n--bb-b")));
        let mut body = preamble.to_owned();
        let mut expected = Parts::default();
        for (name, filename, value) in &parts {
            match filename {
                Some(filename) => {
                    body += &format!("--{boundary}\r\nContent-Disposition: form-data; name={name}; filename=\"{filename}\"\r\n\r\n{value}\r\n");
                    expected.files.push(file(name, filename, None, value.len() as u64));
                }
                None => {
                    body += &format!("--{boundary}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
                    expected.fields.push(field(name, value));
                }
            }
        }
        body += &format!("--{boundary}--\r\n");
        let found = scan("multipart/form-data; boundary=bb-b", body.as_bytes(), &cuts);
        prop_assert_eq!(found, (expected, None));
    }

    #[test]
    fn no_bytes_panic_and_pieces_still_make_no_difference(
        body in prop::collection::vec(prop_oneof![Just(b"\r\n--b".to_vec()), Just(b"\r\n\r\n".to_vec()), Just(b"Content-Disposition: form-data; name=a".to_vec()), prop::collection::vec(any::<u8>(), 0..6)], 0..20),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let body = body.concat();
        prop_assert_eq!(scan("multipart/form-data; boundary=b", &body, &cuts), scan("multipart/form-data; boundary=b", &body, &[]));
    }
}
