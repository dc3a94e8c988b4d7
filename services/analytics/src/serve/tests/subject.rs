//! A console over SQLite and the embedded log in a folder of its own, and a browser that keeps its cookie.
//!
//! In: requests of tests. Out: [`Seen`] answers. Invariant: the clock says what the test has set; a browser sends its cookie and its
//! form's word as a real one does, and nothing else.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, LOCATION};
use actix_web::{test, web};
use gramtap_botapi::Section;
use gramtap_bus::conformance::embedded;
use gramtap_bus::{Bus, topics};
use gramtap_database::Database;
use gramtap_events::topics::{CALLS, ERRORS, EVENTS, INBOX, INBOX_DEAD, UPDATES};
use gramtap_outbound::guard::Policy;
use gramtap_process::TrustedProxies;
use gramtap_settings::Networks;
use gramtap_tenants::{Keys, Registry};
use serde_json::json;
use tempfile::TempDir;

use crate::serve::door::Door;
use crate::serve::{Site, app, owner_link};
use crate::store::{Limits, Store};

thread_local! {
    /// What the site's clock says.
    pub(crate) static NOW: Cell<i64> = Cell::new(crate::serve::site::system_clock());
}

/// A console.
pub(crate) struct Subject {
    pub(crate) site: Arc<Site>,
    pub(crate) folder: TempDir,
}

/// What a browser got.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).unwrap().to_str().unwrap()
    }
}

pub(crate) fn keys() -> Keys {
    let section = json!({"key": "07".repeat(32), "key_file": ""});
    let section = serde_json::from_value(section).unwrap();
    Keys::load(&section, Path::new("/no/such")).unwrap()
}

pub(crate) fn tick(seconds: i64) {
    NOW.set(NOW.get() + seconds);
}

impl Subject {
    pub(crate) async fn new() -> Self {
        // Nothing listens there.
        Self::with("http://127.0.0.1:1", "https://bots.example.com").await
    }

    /// With a Bot API and an ingress elsewhere.
    pub(crate) async fn with(telegram: &str, public_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let section = serde_json::from_value(json!({"url": "", "max_connections": 4})).unwrap();
        let database = Database::open(&section, folder.path()).unwrap();
        let bus = Bus::open(&embedded(folder.path())).unwrap();
        topics::apply(
            &bus,
            &[&CALLS, &UPDATES, &EVENTS, &ERRORS, &INBOX, &INBOX_DEAD],
            Duration::from_secs(60),
        )
        .await
        .unwrap();
        let keys = keys();
        let site = Site {
            store: Store::new(database.clone(), Limits::default()),
            registry: Registry::new(database, keys.clone()),
            bus,
            keys,
            public_url: public_url.to_owned(),
            url: "http://127.0.0.1:8090".to_owned(),
            proxies: TrustedProxies::default(),
            telegram: Section {
                url: telegram.to_owned(),
                ca_file: String::new(),
                bind: String::new(),
            },
            door: Door::default(),
            desk: crate::serve::desk::Desk::default(),
            webhooks: Policy::default(),
            clock: || NOW.get(),
        };
        Self {
            site: site.into(),
            folder,
        }
    }

    /// Believes these proxies. Nobody may have asked it anything yet.
    pub(crate) fn trust(&mut self, networks: &[&str]) {
        let networks = networks.iter().map(|it| it.parse().unwrap());
        let proxies = networks.collect::<Networks>().into();
        Arc::get_mut(&mut self.site).unwrap().proxies = proxies;
    }

    /// What its handlers are given.
    pub(crate) fn data(&self) -> web::Data<Site> {
        self.site.clone().into()
    }

    pub(crate) fn database(&self) -> &Database {
        self.site.store.database()
    }

    /// Somebody who owns the console and is signed in.
    pub(crate) async fn owner(&self) -> Browser<'_> {
        let link = owner_link(self.database(), "").await.unwrap().unwrap();
        let mut browser = self.stranger();
        let form = [("name", "Ann"), ("password", "four words of a kind")];
        let seen = browser.post(&link, &form).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
        browser
    }

    /// A browser without a cookie.
    pub(crate) fn stranger(&self) -> Browser<'_> {
        Browser {
            subject: self,
            cookie: None,
            peer: None,
            headers: Vec::new(),
        }
    }
}

/// A browser.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    subject: &'a Subject,
    pub(crate) cookie: Option<String>,
    /// What it connects from.
    pub(crate) peer: Option<SocketAddr>,
    /// What it sends besides.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        self.send(test::TestRequest::get().uri(path)).await
    }

    /// Sends a form as it is.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Seen {
        self.send(test::TestRequest::post().uri(path).set_form(form))
            .await
    }

    /// Sends a form of a page that it has just loaded.
    pub(crate) async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Seen {
        let csrf = self.csrf().await;
        let mut whole = form.to_vec();
        whole.push(("csrf", &csrf));
        self.post(path, &whole).await
    }

    /// The word of its session, as every page's frame has it.
    pub(crate) async fn csrf(&mut self) -> String {
        let page = self.get("/bots").await.body;
        let rest = page.split_once("name=\"csrf\" value=\"").unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    }

    async fn send(&mut self, mut request: test::TestRequest) -> Seen {
        if let Some(cookie) = &self.cookie {
            request = request.insert_header(("cookie", format!("gramtap={cookie}")));
        }
        if let Some(peer) = self.peer {
            request = request.peer_addr(peer);
        }
        for header in &self.headers {
            request = request.append_header(*header);
        }
        let app = test::init_service(app(self.subject.data())).await;
        let response = test::call_service(&app, request.to_request()).await;
        for cookie in response.response().cookies() {
            let value = cookie.value().to_owned();
            self.cookie = (!value.is_empty()).then_some(value);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = test::read_body(response).await;
        Seen {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}
