//! The style and the script of all pages.
//!
//! In: the files of `static/`, compiled in. Out: the same, with their hash as their version. Invariant: an address with a version
//! never changes what it means, so browsers keep it; pages ask for the version that came with them.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::fault::Fault;

/// Name, kind, contents.
const FILES: [(&str, &str, &str); 3] = [
    (
        "console.css",
        "text/css; charset=utf-8",
        include_str!("../../static/console.css"),
    ),
    (
        "charts.css",
        "text/css; charset=utf-8",
        include_str!("../../static/charts.css"),
    ),
    (
        "console.js",
        "text/javascript; charset=utf-8",
        include_str!("../../static/console.js"),
    ),
];

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (_, _, contents) in FILES {
        hash.update(contents);
    }
    HEXLOWER.encode(&hash.finalize()[..6])
});

/// The version in the addresses of pages.
pub(crate) fn version() -> &'static str {
    &VERSION
}

/// One of them.
pub(super) async fn file(path: web::Path<(String, String)>) -> Result<HttpResponse, Fault> {
    let (_, name) = path.into_inner();
    let found = FILES.into_iter().find(|(file, _, _)| *file == name);
    let (_, kind, contents) = found.ok_or(Fault::Missing("file"))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(contents))
}
