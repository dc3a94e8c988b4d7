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
        load.goes_on(40, "while kafka is gone").await;
        kafka.bring_back().await;
        load.goes_on(40, "after").await;
    };
    load.beside(&telegram, &ingress, outage).await;
    settled(&ingress).await;
    let pid = ingress.pid();
    ingress.stop().await;
    load.is_told(&installation, pid).await;
    installation.remove().await;
}

#[tokio::test]
async fn no_call_fails_and_no_record_is_lost_when_kafka_is_frozen() {
    let mut kafka = broker::alone().await;
    let telegram = Telegram::start().await;
    let installation = Installation::alone(&kafka).await;
    let load = Load::new(&telegram, &installation, BOTS).await;
    // Less than the bots tell in a second.
    let small = [("GRAMTAP_CAPTURE__MEMORY_LIMIT", "32KiB")];
    let url = telegram.url();
    let ingress = Ingress::with(&installation, "ingress", &url, &small).await;
    let outage = async {
        load.goes_on(20, "before").await;
        assert_eq!(gauge(&ingress, "gramtap_spool_records").await, 0);
        if !kafka.pause().await {
            return;
        }
        // Longer than the client's connections and requests live.
        // paced: as long as a machine's pause freezes a broker
        sleep(Duration::from_secs(30)).await;
        let spooled = gauge(&ingress, "gramtap_spool_records").await;
        assert!(spooled > 500, "{spooled} records are on disk");
        println!("{spooled} records were on disk");
        kafka.bring_back().await;
        load.goes_on(20, "after").await;
    };
    load.beside(&telegram, &ingress, outage).await;
    settled(&ingress).await;
    let pid = ingress.pid();
    ingress.stop().await;
    load.is_told(&installation, pid).await;
    installation.remove().await;
}

#[tokio::test]
async fn a_start_without_kafka_serves_and_tells_it_later() {
    let mut kafka = broker::alone().await;
    let telegram = Telegram::start().await;
    let installation = Installation::alone(&kafka).await;
    let load = Load::new(&telegram, &installation, BOTS).await;
    if !kafka.kill().await {
        return;
    }
    // It says that it is ready, though later.
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let outage = async {
        load.goes_on(20, "before kafka is there").await;
        kafka.bring_back().await;
        load.goes_on(20, "after").await;
    };
    load.beside(&telegram, &ingress, outage).await;
    settled(&ingress).await;
    let pid = ingress.pid();
    ingress.stop().await;
    load.is_told(&installation, pid).await;
    installation.remove().await;
}

#[tokio::test]
async fn a_process_that_ends_without_kafka_leaves_its_records_to_the_next() {
    let mut kafka = broker::alone().await;
    let telegram = Telegram::start().await;
    let installation = Installation::alone(&kafka).await;
    let load = Load::new(&telegram, &installation, BOTS).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let outage = async {
        load.goes_on(10, "before").await;
        if kafka.kill().await {
            load.goes_on(10, "while kafka is gone").await;
        }
    };
    load.beside(&telegram, &ingress, outage).await;
    let pid = ingress.pid();
    ingress.stop().await;
    kafka.bring_back().await;
    let next = Ingress::start(&installation, "ingress", &telegram.url()).await;
    settled(&next).await;
    next.stop().await;
    load.is_told(&installation, pid).await;
    installation.remove().await;
}
