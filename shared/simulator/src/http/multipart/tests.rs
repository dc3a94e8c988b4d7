//! Every shape of multipart body that clients were seen to send, in every cut; and what is refused.

#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn read(text: &[u8], piece: usize, keep: usize) -> Result<(Arguments, Vec<Upload>), Refusal> {
    let mut arguments = Arguments::default();
    let mut multipart = Multipart::new(b"multipart/form-data; boundary=\"B\"; charset=x", keep)?;
    for piece in text.chunks(piece.max(1)) {
        multipart.push(piece, &mut arguments)?;
    }
    Ok((arguments, multipart.finish()?))
}

/// Every shape that clients were seen to send (telegram.md §1.2).
const SHAPES: &str = "prologue\r\n--B\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"/home/u/Ж (1).jpg\"\r\n\r\n\
    \r\n--not\r\n-- B\r\n\
    --B\r\ncontent-disposition:form-data;name=\"chat_id\"\r\n\r\n7\r\n\
    --B\r\nContent-Disposition: form-data; name=caption\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi\r\n\
    --B\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n\
    --B\r\nContent-Disposition: form-data; name=\"form\"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=1&b=%20\r\n\
    --B\r\nContent-Disposition: form-data; name=\"thumb\"; filename=\"\"\r\nContent-Type: image/png\r\n\r\n\r\n\
    --B--\r\nepilogue";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_shape_in_every_cut(piece in 1_usize..300) {
        let (arguments, files) = read(SHAPES.as_bytes(), piece, 1 << 20).unwrap();
        let got: Vec<_> = arguments.iter().collect();
        prop_assert_eq!(got, vec![("chat_id", "7"), ("caption", "hi"), ("empty", ""), ("a", "1"), ("b", " ")]);
        prop_assert_eq!(files.len(), 2);
        prop_assert_eq!(&files[0].file_name, "/home/u/Ж (1).jpg");
        prop_assert_eq!(&files[0].content_type, "application/octet-stream");
        prop_assert_eq!(&files[0].content[..], b"\r\n--not\r\n-- B");
        prop_assert_eq!((files[1].size, files[1].content_type.as_str()), (0, "image/png"));
    }
}

#[test]
fn refuses_as_telegrams_reader_does() {
    let table: [(&str, u16); 6] = [
        ("--B\r\n\r\n\r\nx\r\n--B--", 400),
        ("--B\r\nContent-Type: x\r\n\r\nx\r\n--B--", 400),
        (
            "--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--B--",
            400,
        ),
        ("--B\r\nnothing\r\n\r\nx\r\n--B--", 400),
        (
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
            400,
        ),
        ("no boundary at all", 400),
    ];
    for (text, status) in table {
        assert_eq!(
            read(text.as_bytes(), 7, 9).unwrap_err().status,
            status,
            "{text:?}"
        );
    }
    let part = "--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\nx\r\n";
    assert!(read(format!("{}--B--", part.repeat(50)).as_bytes(), 999, 9).is_ok());
    assert_eq!(
        read(format!("{}--B--", part.repeat(51)).as_bytes(), 999, 9)
            .unwrap_err()
            .status,
        413
    );
    let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=",
        &long,
    ] {
        assert_eq!(
            Multipart::new(content_type.as_bytes(), 1)
                .err()
                .map(|refusal| refusal.status),
            Some(400),
            "{content_type}"
        );
    }
}

#[test]
fn a_large_file_is_counted_and_its_beginning_kept() {
    let text = format!(
        "--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n{}\r\n--B--",
        "x".repeat(5_000)
    );
    let (_, files) = read(text.as_bytes(), 700, 10).unwrap();
    assert_eq!((files[0].size, files[0].content.len()), (5_000, 10));
}
