//! A script with a key, a bot with traffic, and what they get.
//!
//! In: requests of tests. Out: answers. Invariant: traffic is written to the log and counted before it is asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::test;
use gramtap_actors::Drain;
use gramtap_bus::Message;
use gramtap_events::TenantId;
use gramtap_tenants::{NewTenant, Tenant};
use serde_json::Value;
use tokio::time::timeout;

use crate::conformance::following::{options, wait};
use crate::conformance::stream::{self, Traffic};
use crate::conformance::{DEADLINE, Subject as Counted};
use crate::serve::app;
use crate::serve::keys::kept::{self, Key, Scope};
use crate::serve::keys::secret::Presented;
use crate::serve::tests::Subject;
use crate::store::follow::follow;

/// Who asks.
pub(crate) struct Script<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) key: Option<String>,
}

/// What came back.
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The word of a problem's type.
    pub(crate) fn problem(&self) -> String {
        let kind = self.headers.get("content-type").unwrap();
        assert_eq!(kind, "application/problem+json");
        let told = self.json();
        assert_eq!(told["status"], self.status.as_u16());
        let kind = told["type"].as_str().unwrap();
        kind.strip_prefix("urn:gramtap:problem:")
            .unwrap()
            .to_owned()
    }
}

/// A key, kept; its text.
pub(crate) async fn key(subject: &Subject, change: impl FnOnce(&mut Key)) -> String {
    let presented = Presented::generate().unwrap();
    let mut key = Key {
        id: presented.id.clone(),
        name: "test".to_owned(),
        scopes: Scope::ALL.into(),
        bots: None,
        made_by: "Ann".to_owned(),
        made: (subject.site.clock)(),
        used: None,
        expires: None,
        revoked: None,
    };
    change(&mut key);
    let hash_key = subject.site.keys.access_key();
    kept::make(subject.database(), &presented, &hash_key, &key)
        .await
        .unwrap();
    presented.text()
}

impl<'a> Script<'a> {
    /// With a key that allows everything.
    pub(crate) async fn new(subject: &'a Subject) -> Self {
        Self::with(subject, |_| {}).await
    }

    /// With a key that is changed first.
    pub(crate) async fn with(subject: &'a Subject, change: impl FnOnce(&mut Key)) -> Self {
        let key = key(subject, change).await;
        let key = Some(key);
        Self { subject, key }
    }

    /// With a key for one scope and these bots.
    pub(crate) async fn scoped(subject: &'a Subject, scope: Scope, bots: &[TenantId]) -> Self {
        let bots: BTreeSet<TenantId> = bots.iter().copied().collect();
        Self::with(subject, |key| {
            key.scopes = [scope].into();
            key.bots = (!bots.is_empty()).then_some(bots);
        })
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Got {
        let mut request = test::TestRequest::default()
            .method(method)
            .uri(path)
            .peer_addr("192.0.2.1:4000".parse().unwrap());
        if let Some(key) = &self.key {
            request = request.insert_header(("authorization", format!("Bearer {key}")));
        }
        if let Some(body) = body {
            request = request.set_json(body);
        }
        let mut request = request.to_request();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        let app = test::init_service(app(self.subject.data())).await;
        let response = test::call_service(&app, request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let read = actix_web::body::to_bytes(response.into_body());
        let body = timeout(DEADLINE, read).await.expect("an answer that ends");
        let body = body.ok().expect("a whole answer").to_vec();
        Got {
            status,
            headers,
            body,
        }
    }

    /// An answer that lasts: what it begins with, up to and with `until`.
    pub(crate) async fn watch(&self, path: &str, headers: &[(&str, &str)]) -> Watched {
        let mut request = test::TestRequest::get().uri(path);
        if let Some(key) = &self.key {
            request = request.insert_header(("api-key", key.as_str()));
        }
        for header in headers {
            request = request.insert_header(*header);
        }
        let app = test::init_service(app(self.subject.data())).await;
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), StatusCode::OK);
        Watched {
            body: Box::pin(response.into_body().boxed()),
            text: String::new(),
        }
    }
}

/// See [`Script::watch`].
pub(crate) struct Watched {
    body: std::pin::Pin<Box<actix_web::body::BoxBody>>,
    text: String,
}

impl Watched {
    /// Reads on until the text holds this; all since the last time.
    pub(crate) async fn until(&mut self, wanted: &str) -> String {
        while !self.text.contains(wanted) {
            let next = std::future::poll_fn(|cx| self.body.as_mut().poll_next(cx));
            let chunk = timeout(DEADLINE, next).await.expect("in time");
            let chunk = chunk
                .unwrap_or_else(|| panic!("ended without {wanted}: {}", self.text))
                .ok()
                .unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        std::mem::take(&mut self.text)
    }

    /// Whether it ends.
    pub(crate) async fn ends(&mut self) -> bool {
        let next = std::future::poll_fn(|cx| self.body.as_mut().poll_next(cx));
        timeout(Duration::from_secs(30), next)
            .await
            .is_ok_and(|chunk| chunk.is_none())
    }
}

/// A connected bot.
pub(crate) async fn bot(subject: &Subject, name: &str) -> Tenant {
    let new = NewTenant {
        name: Some(name.to_owned()),
        ..NewTenant::default()
    };
    subject.site.registry.add(&new).await.unwrap()
}

/// Traffic of a bot, which begins on 2026-03-20.
pub(crate) fn traffic(tenant: TenantId, count: usize) -> Traffic {
    let mut traffic = stream::traffic(stream::seed(), count);
    traffic.tenant = tenant;
    for event in &mut traffic.events {
        event.tenant = tenant;
    }
    for failure in &mut traffic.failures {
        failure.tenant = tenant;
    }
    traffic
}

/// Writes traffic to the log.
pub(crate) async fn write(subject: &Subject, traffic: &Traffic) {
    for event in &traffic.events {
        let message = Message::of(event).unwrap();
        subject.site.bus.produce(message).await.unwrap();
    }
    for failure in &traffic.failures {
        let message = Message::of(failure).unwrap();
        subject.site.bus.produce(message).await.unwrap();
    }
}

/// Counts all that is in the log.
pub(crate) async fn count(subject: &Subject) {
    let (bus, store) = (&subject.site.bus, &subject.site.store);
    let counted = Counted {
        database: subject.database().clone(),
        bus: bus.clone(),
        kept: Box::new(()),
    };
    let drain = Drain::new();
    let (options, token) = (options("test-api"), drain.token());
    let done = async {
        wait(&counted, store).await;
        drain.begin();
    };
    let both = async { tokio::join!(follow(bus, store, &options, &token), done) };
    let (followed, ()) = timeout(DEADLINE, both).await.unwrap();
    followed.unwrap();
}
