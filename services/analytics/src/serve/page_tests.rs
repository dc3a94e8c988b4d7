//! The pages of a bot, asked for as a browser does.
//!
//! In: an empty bot, a small one, a rich one (`seed.rs`) and a hostile one, folded into SQLite. Out: a failure where a page shows another number
//! than `query/` has, leaves out an advice, or lets anything through as HTML. To look at the pages, name a folder in
//! `GRAMTAP_TEST_PAGES`: they are written there, too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod cost;
mod evidence;
mod hostile;
mod people;
mod seed;
mod shown;

use std::collections::BTreeMap;

use actix_web::dev::Service;
use actix_web::http::StatusCode;
use actix_web::{HttpMessage, test};
use gramtap_settings::SecretString;
use gramtap_telegram::BotId;
use gramtap_tenants::{Keys, NewTenant, Registry, SecretsSection, Tenant};

use super::door::Door;
use super::viewer::Viewer;
use super::*;
use crate::conformance::stream::Traffic;
use crate::conformance::{Subject, add};
use crate::sqlite_tests::subject;

/// The second that it is: a Friday, 2026-04-03T14:20:00 in UTC.
const NOW: i64 = 1_775_226_000;

/// A console with a bot.
struct Rig {
    site: Site,
    bot: Tenant,
    _subject: Subject,
}

/// A console whose bot has the traffic that `make` makes.
async fn rig(zone: &str, make: impl FnOnce(&Tenant) -> Traffic) -> Rig {
    let subject = subject().await;
    let folder = tempfile::tempdir().unwrap();
    let secrets = SecretsSection {
        key: SecretString::default(),
        key_file: std::path::PathBuf::new(),
    };
    let keys = Keys::load(&secrets, folder.path()).unwrap();
    let registry = Registry::new(subject.database.clone(), keys.clone());
    let new = NewTenant {
        bot: Some(BotId(7_100_200_300)),
        name: Some("Shop bot".to_owned()),
        ..NewTenant::default()
    };
    let bot = registry.add(&new).await.unwrap();
    let store = subject.store();
    store.set_zone(bot.id, zone).await.unwrap();
    add(&store, &make(&bot), &[4_000]).await;
    let site = Site {
        store,
        registry,
        bus: subject.bus.clone(),
        keys,
        proxies: gramtap_process::TrustedProxies::default(),
        telegram: gramtap_botapi::Section {
            url: "https://telegram.example.org".to_owned(),
            ca_file: String::new(),
            bind: String::new(),
        },
        public_url: "https://tg.example.org".to_owned(),
        url: "https://console.example.org".to_owned(),
        door: Door::default(),
        desk: crate::serve::desk::Desk::default(),
        webhooks: gramtap_outbound::guard::Policy::default(),
        clock: || NOW,
    };
    Rig {
        site,
        bot,
        _subject: subject,
    }
}

/// A page that was shown.
struct Shown {
    status: StatusCode,
    html: String,
}

impl Rig {
    fn code(&self) -> &str {
        self.bot.code.as_str()
    }

    /// Asks for a page below the bot's path.
    async fn page(self, path: &str) -> (Self, Shown) {
        let (rig, mut shown) = self.pages(&[path]).await;
        (rig, shown.remove(0))
    }

    async fn pages(self, paths: &[&str]) -> (Self, Vec<Shown>) {
        let viewer = Viewer {
            account: "a".to_owned(),
            name: "Olga".to_owned(),
            owner: true,
            csrf: "c".to_owned(),
        };
        let site = web::Data::new(self.site);
        let app = App::new()
            .app_data(site.clone())
            .configure(routes::configure)
            .wrap_fn(move |request, service| {
                request.extensions_mut().insert(viewer.clone());
                service.call(request)
            });
        let app = test::init_service(app).await;
        let mut shown = Vec::new();
        for path in paths {
            let uri = format!("/bots/{}/{path}", self.bot.code);
            let request = test::TestRequest::get().uri(&uri).to_request();
            let response = test::call_service(&app, request).await;
            let status = response.status();
            let body = test::read_body(response).await;
            let html = String::from_utf8(body.to_vec()).unwrap();
            keep(path, &html);
            shown.push(Shown { status, html });
        }
        drop(app);
        let site = std::sync::Arc::into_inner(site.into_inner()).unwrap();
        (Self { site, ..self }, shown)
    }
}

/// Writes a page to the folder that somebody wants to see it in.
fn keep(path: &str, html: &str) {
    if let Some(folder) = std::env::var_os("GRAMTAP_TEST_PAGES") {
        let name = path.replace(['/', '?', '=', '&'], "-");
        let folder = std::path::PathBuf::from(folder);
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
}

impl Shown {
    /// The exact values of the page, by name: those of charts and rankings in the order of the page.
    fn numbers(&self) -> BTreeMap<String, Vec<String>> {
        let mut numbers = BTreeMap::<String, Vec<String>>::new();
        for element in self.html.split("<data ").skip(1) {
            let tag = element.split_once('>').unwrap().0;
            let of = |name: &str| {
                let begins = format!("{name}=\"");
                let rest = tag.split_once(&begins).map(|(_, rest)| rest);
                rest.map(|rest| rest.split_once('"').unwrap().0.to_owned())
            };
            if let Some(name) = of("data-number") {
                numbers.entry(name).or_default().push(of("value").unwrap());
            }
        }
        numbers
    }

    /// The one value with a name.
    #[track_caller]
    fn number(&self, name: &str) -> String {
        let numbers = self.numbers();
        let Some(values) = numbers.get(name) else {
            panic!("{name} is not among {:?}", numbers.keys());
        };
        assert_eq!(values.len(), 1, "{name}");
        values[0].clone()
    }
}
