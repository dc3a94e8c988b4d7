//! What `/v1` is, as OpenAPI 3.1, made from the code.
//!
//! In: the paths and shapes of the other files here. Out: `/v1/openapi.json`, and `docs/openapi.json`, which a test holds to it. Invariant: what
//! every operation may be refused with is added here, so that no path can be without it.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::problem::{KIND, Told};
use super::{bots, deliveries, events, export, live, numbers};

/// Gramtap's numbers and records of bots. A key is made in the console, under API keys, and sent with each request. Times are RFC 3339 in
/// UTC; dates are those of the bot's own time zone. Fields are only ever added: ignore those you do not know. What is wrong is told as RFC 9457.
#[derive(OpenApi)]
#[openapi(
    info(title = "Gramtap", version = "1", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    paths(
        bots::list, bots::connect, bots::one, bots::change, bots::remove,
        numbers::overview, numbers::audience, numbers::actions, numbers::sources,
        numbers::errors, numbers::error, numbers::latency, numbers::polls,
        deliveries::numbers, deliveries::attempts, deliveries::dead, deliveries::letter, deliveries::replay,
        events::events, export::export, live::live,
    ),
    components(schemas(Told<'_>)),
    tags(
        (name = "Bots", description = "Which bots are connected. Reading needs the scope `read`, changing `manage`."),
        (name = "Numbers", description = "What the console's pages show. Needs the scope `read`."),
        (name = "Deliveries", description = "Updates on their way to a bot's webhook, and those that were given up. Reading needs the scope `read`, replaying `manage`."),
        (name = "Records", description = "Single events and errors. Needs the scope `export`."),
    ),
    security(("bearer" = []), ("header" = [])),
    modifiers(&Refusals),
)]
struct Document;

/// What every operation may be refused with.
struct Refusals;

/// Status, when.
const ALWAYS: [(&str, &str); 6] = [
    ("401", "No key came, or one that does not hold."),
    ("403", "The key does not allow this."),
    ("422", "A field cannot be what it is; the detail names it."),
    ("429", "Too many refused keys came from this address: wait."),
    ("500", "A fault of Gramtap."),
    (
        "503",
        "The database or the log does not answer, or too many read at once: ask again.",
    ),
];
const OF_A_BOT: [(&str, &str); 1] = [("404", "There is no such bot, or the key may not see it.")];
const OF_A_BODY: [(&str, &str); 3] = [
    ("400", "The request is no HTTP that can be read."),
    ("413", "The body is too large."),
    ("415", "The body is not application/json."),
];

const OF_CONNECTING: [(&str, &str); 2] = [
    ("409", "The bot is connected already."),
    ("502", "Telegram does not say whose the token is."),
];

impl Modify for Refusals {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKey::Header(ApiKeyValue::new("Api-Key"));
        components.add_security_scheme("header", SecurityScheme::ApiKey(header));
        for (path, item) in &mut document.paths.paths {
            let has_bot = path.contains("{code}");
            let operations = [
                (&mut item.get, false),
                (&mut item.post, true),
                (&mut item.patch, true),
                (&mut item.delete, false),
            ];
            for (operation, has_body) in operations {
                let Some(operation) = operation else { continue };
                add(operation, &ALWAYS);
                if has_bot {
                    add(operation, &OF_A_BOT);
                }
                if has_body {
                    add(operation, &OF_A_BODY);
                }
                if operation.operation_id.as_deref() == Some("connect") {
                    add(operation, &OF_CONNECTING);
                }
            }
        }
    }
}

fn add(operation: &mut Operation, refusals: &[(&str, &str)]) {
    for (status, when) in refusals {
        let problem = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new()
            .schema(Some(RefOr::Ref(problem)))
            .build();
        let response = ResponseBuilder::new()
            .description(*when)
            .content(KIND, content);
        let responses = &mut operation.responses.responses;
        responses.insert((*status).to_owned(), RefOr::T(response.build()));
    }
}

/// The description as JSON.
///
/// # Errors
/// None that is known: it is made of the code.
pub fn text() -> Result<String, serde_json::Error> {
    Document::openapi().to_pretty_json().map(|text| text + "\n")
}

/// `/v1/openapi.json`: tells nothing but what is in this program, so it needs no key.
pub(super) async fn document() -> Result<HttpResponse, super::Problem> {
    let text = text().map_err(|error| super::Problem::Broken(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(text))
}
