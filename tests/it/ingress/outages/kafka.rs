//! Kafka killed and started again, frozen, and not there when the process starts.
//!
//! In: the tests' broker, alone. Out: pass or fail.

use gramtap_tests::broker;

use super::*;

const BOTS: usize = 8;

#[tokio::test]
async fn no_call_fails_and_no_record_is_lost_when_kafka_is_killed() {
    let mut kafka = broker::alone().await;
    let telegram = Telegram::start().await;
    let installation = Installation::alone(&kafka).await;
    let load = Load::new(&telegram, &installation, BOTS).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let outage = async {
        load.goes_on(20, "before").await;
        if !kafka.kill().await {
            return;
        }
        load.goes_on(50, "while kafka is gone").await;
        kafka.bring_back().await;
        load.goes_on(20, "after").await;
    };
    load.beside(&telegram, &ingress, outage).await;
    let pid = ended(ingress).await;
    load.is_told(&installation, pid).await;
    installation.remove().await;
}

#[tokio::test]
async fn no_call_fails_and_no_record_is_lost_when_kafka_is_frozen() {
    let mut kafka = broker::alone().await;
    let telegram = Telegram::start().await;
    let installation = Installation::alone(&kafka).await;
    let load = Load::new(&telegram, &installation, BOTS).await;
    // What the bots tell in a few seconds.
    let small = [("GRAMTAP_CAPTURE__MEMORY_LIMIT", "256KiB")];
    let url = telegram.url();
    let ingress = Ingress::with(&installation, "ingress", &url, &small).await;
    let outage = async {
        load.goes_on(20, "before").await;
        assert_eq!(gauge(&ingress, "gramtap_spool_records").await, 0);
        if !kafka.pause().await {
            return;
        }
        // Longer than the client's requests live.
        // paced: an outage lasts; the bots go on meanwhile
        sleep(Duration::from_secs(30)).await;
        let spooled = gauge(&ingress, "gramtap_spool_records").await;
        assert!(spooled > 500, "{spooled} records are on disk");
        kafka.bring_back().await;
        load.goes_on(20, "after").await;
    };
    load.beside(&telegram, &ingress, outage).await;
    let pid = ended(ingress).await;
    load.is_told(&installation, pid).await;
    installation.remove().await;
}

/// Two processes start without Kafka. One lives to see it; the other one ends before, and what it
/// has to tell is told by the next process on its disk.
#[tokio::test]
async fn a_start_without_kafka_serves_and_all_is_told_later() {
    let mut kafka = broker::alone().await;
    let telegram = Telegram::start().await;
    let installation = Installation::alone(&kafka).await;
    let loads = [
        Load::new(&telegram, &installation, BOTS / 2).await,
        Load::new(&telegram, &installation, BOTS / 2).await,
    ];
    if !kafka.kill().await {
        return;
    }
    let url = telegram.url();
    // They say that they are ready, though later.
    let (one, other) = tokio::join!(
        Ingress::start(&installation, "one", &url),
        Ingress::start(&installation, "other", &url),
    );
    let pids = [one.pid(), other.pid()];
    let outage = async {
        let others = loads[1].goes_on(20, "the other one, before kafka is there");
        loads[1].beside(&telegram, &other, others).await;
        other.stop().await;
        kafka.bring_back().await;
        loads[0].goes_on(20, "after").await;
    };
    loads[0].beside(&telegram, &one, outage).await;
    let next = Ingress::start(&installation, "other", &url).await;
    tokio::join!(settled(&one), settled(&next));
    tokio::join!(one.stop(), next.stop());
    for (load, pid) in loads.iter().zip(pids) {
        load.is_told(&installation, pid).await;
    }
    installation.remove().await;
}
