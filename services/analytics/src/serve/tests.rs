//! What holds for every page.
#![allow(clippy::unwrap_used)]

mod audit;
pub(crate) mod bots;
mod canary;
mod deliveries;
mod door;
mod keys;
mod live;
mod settings;
mod subject;

pub(crate) use canary::Log;
pub(crate) use subject::{Subject, keys, tick};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, test};

use super::fault::Fault;
use super::viewer::Viewer;
use super::*;

async fn get(path: &str) -> actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody> {
    let app = App::new()
        .wrap(from_fn(headers::close))
        .route(
            "/private",
            web::get().to(async |_: Viewer| HttpResponse::Ok().finish()),
        )
        .configure(routes::configure);
    let app = test::init_service(app).await;
    test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await
}

#[actix_rt::test]
async fn strangers_are_sent_to_sign_in_and_from_there_to_where_they_wanted() {
    let response = get("/private?days=7&x=%2F").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        response.headers().get(LOCATION).unwrap(),
        "/sign-in?next=%2Fprivate%3Fdays%3D7%26x%3D%252F"
    );
}

#[actix_rt::test]
async fn every_answer_is_closed_and_only_assets_are_kept() {
    let style = format!("/assets/{}/console.css", version());
    for (path, status, kind, kept) in [
        ("/no-such", 404, "text/html; charset=utf-8", "no-store"),
        (
            style.as_str(),
            200,
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        (
            "/assets/x/no-such.css",
            404,
            "text/html; charset=utf-8",
            "no-store",
        ),
    ] {
        let response = get(path).await;
        assert_eq!(response.status(), status, "{path}");
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header(CONTENT_TYPE), kind, "{path}");
        assert_eq!(header(CACHE_CONTROL), kept, "{path}");
        assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert!(header(CONTENT_SECURITY_POLICY).starts_with("default-src 'none';"));
    }
}

#[actix_rt::test]
async fn a_fault_tells_what_to_do_and_nothing_of_the_inside() {
    let error = actix_web::ResponseError::error_response(&Fault::Template(askama::Error::Fmt));
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = actix_web::body::to_bytes(error.into_body()).await.unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    assert!(
        body.contains("This page is broken") && !body.contains("Fmt"),
        "{body}"
    );
}
