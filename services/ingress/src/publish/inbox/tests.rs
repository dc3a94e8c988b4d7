//! The inbox's door on a bus that acknowledges, and on one that never does.
//!
//! In: the embedded log; Kafka at an address where nobody listens. Out: pass or fail.
#![allow(clippy::unwrap_used)]

use futures_util::future::join;
use gramtap_bus::conformance::embedded;
use gramtap_bus::{BusConfig, Isolation, Kind, Offset, TopicPartition};
use gramtap_events::topics::INBOX;
use gramtap_tenants::SecretsSection;
use serde_json::json;

use super::*;

const BOT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaab";

struct Rig {
    inbox: Inbox,
    bus: Bus,
    keys: Keys,
    _folder: tempfile::TempDir,
}

impl Rig {
    fn new(limit: usize, change: impl FnOnce(&mut BusConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = embedded(folder.path());
        change(&mut config);
        let bus = Bus::open(&config).unwrap();
        let secrets: SecretsSection =
            serde_json::from_value(json!({"key": "", "key_file": ""})).unwrap();
        let keys = Keys::load(&secrets, folder.path()).unwrap();
        let mint = Arc::new(Mint::new("ingress-0", 7));
        let bounds = Bounds {
            bytes: limit,
            slow: Duration::from_secs(1),
        };
        let inbox = Inbox::new(&bus, keys.clone(), mint, bounds);
        inbox.circuit().close();
        Self {
            inbox,
            bus,
            keys,
            _folder: folder,
        }
    }

    async fn take_in(&self, chat: i64, size: usize) -> Taken {
        self.inbox.take_in(push(chat, size)).await
    }
}

fn push(chat: i64, size: usize) -> Push {
    let filler = "x".repeat(size);
    let body = format!(r#"{{"update_id":1,"message":{{"chat":{{"id":{chat}}},"x":"{filler}"}}}}"#);
    Push {
        tenant: BOT.parse().unwrap(),
        at: Moment::now(),
        head: head_of(body.as_bytes()),
        headers: vec![(b"A".to_vec(), b"b".to_vec())],
        body: body.into(),
    }
}

#[tokio::test]
async fn what_is_stored_can_be_opened_and_what_is_no_record_may_not_overtake_it() {
    let rig = Rig::new(4 * 1024 * 1024, |_| {});
    assert_eq!(rig.take_in(7, 10).await, Taken::Stored);
    let from = (rig.bus.ends(&INBOX).await.unwrap()).into_iter();
    let written = from.filter(|it| it.high > it.low).map(|it| {
        let partition = TopicPartition {
            topic: &INBOX,
            partition: it.partition,
        };
        (partition, Offset::Beginning)
    });
    let reader = rig
        .bus
        .assign(written.collect(), Isolation::Committed)
        .await;
    let Some(Ok(gramtap_bus::Event::Record(delivery))) = reader.unwrap().next().await else {
        panic!("no record");
    };
    let record: Record = serde_json::from_slice(&delivery.payload.unwrap()).unwrap();
    let opened = rig
        .keys
        .open_update((&record).into(), Part::Headers, &record.headers);
    assert_eq!(
        kept::read(&opened.unwrap()),
        Some(vec![(b"A".to_vec(), b"b".to_vec())])
    );

    let beyond = gramtap_bus::message::LARGEST;
    assert_eq!(rig.take_in(8, beyond).await, Taken::Not("too_large"));
    assert_eq!(rig.take_in(7, beyond).await, Taken::Held);
    // That says nothing of how the bus does.
    assert!(rig.inbox.circuit().is_closed());
}

#[tokio::test]
async fn what_is_taken_in_leaves_room_for_what_is_added_to_it_later() {
    let rig = Rig::new(4 * 1024 * 1024, |_| {});
    let size = |text| rig.inbox.seal(push(1, text)).unwrap().size();
    // Three bytes are four characters of a sealed text.
    let largest = (LARGEST - ROOM - size(0)) / 4 * 3;
    let largest = (largest - 8..).take_while(|text| size(*text) <= LARGEST - ROOM);
    let largest = largest.last().unwrap();
    assert!(largest > 780_000, "{largest}");
    assert_eq!(rig.take_in(1, largest + 1).await, Taken::Not("too_large"));
    assert_eq!(rig.take_in(1, largest).await, Taken::Stored);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_room_nor_longer_than_patience() {
    let rig = Rig::new(16 * 1024, |config| {
        config.bus.kind = Kind::Kafka;
        config.kafka.brokers = "127.0.0.1:1".to_owned();
    });
    let began = tokio::time::Instant::now();
    let (waits, beyond) = join(rig.take_in(1, 6_000), rig.take_in(2, 6_000)).await;
    assert_eq!((waits, beyond), (Taken::Unconfirmed, Taken::Not("full")));
    assert_eq!(began.elapsed().as_secs(), PATIENCE.as_secs());
    // Its report has not come, but nobody waits for it any more; two more like it open the circuit.
    for chat in [3, 4] {
        assert!(rig.inbox.circuit().is_closed());
        assert_eq!(rig.take_in(chat, 10).await, Taken::Unconfirmed);
    }
    assert!(!rig.inbox.circuit().is_closed());
    assert_eq!(rig.take_in(5, 10).await, Taken::Not("circuit"));
    assert_eq!(rig.take_in(3, 10).await, Taken::Held);
}
