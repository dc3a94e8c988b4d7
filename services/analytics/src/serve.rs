//! The console: pages for people, and the same numbers for scripts.
//!
//! The way of a request: `headers.rs` closes the page against anything from elsewhere → `session.rs` finds out who asks, as
//! `sign_in.rs`, `welcome.rs` and `door/` have let them in → `routes.rs` has every path → `viewer.rs` says who asks, `form.rs` what a
//! form sends; pages of a bot find it through `bot.rs` and its dates through `asked.rs` → the page's own
//! file asks `query/` and fills a template → `page.rs` writes it. Scripts come by `api.rs` with a key of `keys.rs`; `live.rs` and
//! `records.rs` read the log itself, and `desk.rs` has what bounds them. What goes wrong on the way is a [`fault::Fault`].
//! `assets.rs` serves the style and the script, which come with the binary. [`Console`] is the listener.
//! Invariant: nobody sees anything without being signed in; no page loads anything from another host; no handler
//! waits for anything but SQL. SQL away: a page says so and asks again by itself; bots are not served here.

mod actions;
pub mod api;
pub mod asked;
mod assets;
mod attention;
mod audience;
mod audit;
pub mod bot;
mod bots;
pub mod chart;
pub mod clock;
pub mod definition;
mod deliveries;
pub mod desk;
pub mod door;
mod errors;
pub mod fault;
pub mod figure;
pub mod form;
mod headers;
pub mod heading;
pub mod keys;
mod latency;
pub mod live;
mod next;
pub mod number;
mod overview;
pub mod page;
mod ranking;
pub mod records;
mod routes;
mod session;
mod sign_in;
pub mod site;
mod sources;
pub mod viewer;
mod welcome;

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

pub(crate) use assets::version;
pub use door::links::{LinkError, guest_link, new_link, owner_link};
pub use site::Site;

/// The pages of a bot: the last part of their path, and what they are called.
pub const PAGES: [(&str, &str); 10] = [
    ("overview", "Overview"),
    ("audience", "Audience"),
    ("actions", "Actions"),
    ("sources", "Sources"),
    ("errors", "Errors"),
    ("latency", "Latency"),
    ("deliveries", "Deliveries"),
    ("live", "Live"),
    ("connect", "Connect"),
    ("settings", "Settings"),
];

/// Threads that answer.
const WORKERS: usize = 2;
/// How long answers under way may take at the end, in seconds.
const FINISH: u64 = 3;
/// How long a browser may take to send a head.
const HEAD: Duration = Duration::from_secs(10);

/// The listener of people and scripts.
#[derive(Debug)]
pub struct Console {
    url: String,
    server: ServerHandle,
}

impl Console {
    /// Begins to serve.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(listener: TcpListener, site: Site) -> io::Result<Self> {
        let url = site.url.clone();
        let site = web::Data::new(site);
        let server = HttpServer::new(move || app(site.clone()))
            .workers(WORKERS)
            .disable_signals()
            .client_request_timeout(HEAD)
            .shutdown_timeout(FINISH)
            .listen(listener)?
            .run();
        let handle = server.handle();
        drop(gramtap_actors::spawn("console", server));
        Ok(Self {
            url,
            server: handle,
        })
    }

    /// Where browsers find it, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it, after the answers under way.
    pub async fn stop(self) {
        self.server.stop(true).await;
    }
}

/// All of it but the listener.
fn app(
    site: web::Data<Site>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(site)
        .wrap(from_fn(session::enter))
        .wrap(from_fn(headers::close))
        .configure(routes::configure)
}

#[cfg(test)]
mod page_tests;
#[cfg(test)]
pub(crate) mod tests;
