//! One file of a multipart body that is there whole.
//!
//! In: the body, its type, the field's name. Out: the file's bytes. For the certificate of setWebhook, which `relay/takeover/order.rs` has to know. Invariant: parts
//! are told as the scanner of `multipart.rs` tells them; what cannot be read is no file. Pure.

use memchr::memmem;

use super::boundary;
use super::head::PartHead;

/// The bytes of the first file of that field.
pub(crate) fn of<'a>(content_type: &[u8], body: &'a [u8], field: &str) -> Option<&'a [u8]> {
    let delimiter = [b"\r\n--", boundary(content_type)?].concat();
    // The first one begins the body.
    let mut rest = body.strip_prefix(&delimiter[2..]).or_else(|| {
        let at = memmem::find(body, &delimiter)?;
        body.get(at + delimiter.len()..)
    })?;
    loop {
        let head = memmem::find(rest, b"\r\n\r\n")?;
        if rest.starts_with(b"--") {
            return None;
        }
        let content = &rest[head + 4..];
        let end = memmem::find(content, &delimiter)?;
        let part = PartHead::parse(&rest[..head])?;
        if part.filename.is_some() && part.name == field {
            return Some(&content[..end]);
        }
        rest = &content[end + delimiter.len()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_field() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nx\r\n--b\r\ncontent-disposition:form-data;name=cert;filename=\"\"\r\n\r\nPEM\r\nPEM\r\n--b\r\nContent-Disposition: form-data; name=\"empty\"; filename=\"a\"\r\n\r\n\r\n--b--\r\n";
        let kind = b"multipart/form-data; boundary=b";
        assert_eq!(of(kind, body, "cert"), Some(&b"PEM\r\nPEM"[..]));
        assert_eq!(of(kind, body, "empty"), Some(&b""[..]));
        assert_eq!(of(kind, body, "url"), None, "a field is no file");
        assert_eq!(of(kind, body, "other"), None);
        assert_eq!(of(b"multipart/form-data", body, "cert"), None);
        assert_eq!(of(kind, &body[..80], "cert"), None);
    }
}
