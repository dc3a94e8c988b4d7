//! Updates that somebody asked to have delivered again.
//!
//! In: `../forwarder.rs`. Out: pass or fail.

use std::time::Duration;

use gramtap_events::Moment;
use gramtap_events::inbox::{Inbox, Replay};
use gramtap_tenants::{Part, Place};
use gramtap_tests::{
    Endpoint, Forwarder, Inboxes, Installation, Pushed, Reaction, Stores, dead_until,
    deliveries_until, message, put, round,
};

use super::*;

const HEADER: &str = "x-telegram-bot-api-secret-token";

#[tokio::test]
async fn a_replay_goes_where_it_is_told_to_and_its_secret_to_the_bot_alone() {
    let [own, other] = [Endpoint::start().await, Endpoint::start().await];
    let broken = Endpoint::reacting(|_: &Pushed| Reaction::status("500 No")).await;
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let tenant = bot(&installation, &own).await;
    let (bus, inboxes) = (installation.open_bus(), Inboxes::new(&installation));
    let keys = installation.keys();
    // An update whose own time is long over, asked for now.
    let asked = |id: i64, to: Option<&str>| {
        let received = Moment::from(Moment::now().time() - Duration::from_secs(2 * 86_400));
        let update = inboxes.record(tenant.id, &message(id, id, "text"), SECRET, received);
        let place = Place::from(&update);
        let seal = |to: &str| {
            keys.seal_update(place, Part::Address, to.as_bytes())
                .unwrap()
        };
        let replay = Replay {
            at: Moment::now(),
            to: to.map(seal),
        };
        Inbox {
            replay: Some(replay),
            ..update
        }
    };
    let at = |endpoint: &Endpoint, path: &str| format!("http://{}{path}", endpoint.address());
    let fresh = inboxes.record(tenant.id, &message(1, 1, "text"), SECRET, Moment::now());
    for record in [
        fresh,
        asked(1, None),
        asked(2, Some(&at(&other, "/elsewhere"))),
        asked(3, Some(&at(&own, "/another"))),
        asked(4, Some("http://169.254.169.254/")),
        asked(5, Some("no address")),
        asked(6, Some(&at(&broken, "/"))),
    ] {
        put(&bus, &record).await;
    }
    drop(bus);
    let endpoints = [&own, &other, &broken];
    let first = Forwarder::start(&round, &installation, "ingress", &endpoints, &[]).await;
    let looked = installation.observe_bus();
    deliveries_until(&looked, tenant.id, |found| delivered(found) == 4).await;
    let dead = dead_until(&looked, tenant.id, 2).await;
    broken.wait(2).await;
    first.kill().await;
    let mut causes: Vec<_> = dead
        .iter()
        .map(|it| (it.inbox.update_id, &*it.cause))
        .collect();
    causes.sort_unstable();
    assert_eq!(
        causes,
        [(Some(4), "address_metadata"), (Some(5), "url_malformed")]
    );

    // None of it is delivered again but what failed.
    let tries = broken.pushed().len();
    let second = Forwarder::start(&round, &installation, "ingress", &endpoints, &[]).await;
    broken.wait(tries + 1).await;
    second.stop().await;
    let lines = |endpoint: &Endpoint| {
        let pushed = endpoint.pushed().into_iter();
        let mut lines: Vec<_> = pushed
            .map(|it| (it.head[0].clone(), it.header(HEADER).map(str::to_owned)))
            .collect();
        lines.sort();
        lines
    };
    let line = |path: &str, secret: Option<&str>| {
        (format!("POST {path} HTTP/1.1"), secret.map(str::to_owned))
    };
    let usual = line("/a%20path?with=AAcanary", Some(SECRET));
    let another = line("/another", Some(SECRET));
    assert_eq!(lines(&own), [usual.clone(), usual, another]);
    assert_eq!(lines(&other), [line("/elsewhere", None)]);
    assert!(lines(&broken).iter().all(|it| *it == line("/", None)));
    let found = installation
        .canaries(&[SECRET, "/elsewhere", "/another"])
        .await;
    assert_eq!(found, Vec::<String>::new());
    installation.remove().await;
}
