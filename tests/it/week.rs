//! A scripted week of traffic, counted by processes that are killed: every event and every number is what it should be.
//!
//! The way of a test: `week/scripted.rs` has plain Python (`tests/week`) write the records of the week and what is true of it, and writes the
//! records to the bus → `week/counter.rs` is the process that counts, killed with SIGKILL at places drawn from a seed,
//! which `week/progress.rs` watches → `week/answers.rs` asks for all numbers in process, and Python asks the console of the last counter, by
//! `/v1` and on its pages → Python compares them, and events.v1 as an analyst reads it, with the truth; of the embedded log, also what
//! `deploy/clickhouse/queries.sql` says of it. Invariant: a death is told by what had been counted, not by the clock; the last comes
//! before all was counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod answers;
mod counter;
mod progress;
mod scripted;

use gramtap_analytics::store::{Limits, Store};
use gramtap_bus::conformance::death::Dice;
use gramtap_database::Statement;
use gramtap_tests::{Installation, Stores, analytics_turn, broker};

use counter::Counter;
use progress::Progress;
use scripted::Week;

/// Decides the week and where processes die.
const SEED: u32 = 7;
/// How often it dies on servers.
const DEATHS: usize = 10;
/// How often in one process.
const EMBEDDED_DEATHS: usize = 5;

#[tokio::test]
async fn a_week_is_counted_exactly_though_its_counters_die_ten_times() {
    let alone = broker::alone().await;
    let installation = Installation::alone(&alone).await;
    let turn = analytics_turn(&installation).await;
    let week = Week::make(&installation, SEED).await;
    let store = store(&installation, &week).await;
    let bus = installation.open_bus();
    let mut progress = Progress::watch(installation.observe_bus(), &store, &week).await;
    let since = scripted::now_ms();

    let name = |name: &str| format!("week-{}-{name}", week.tag);
    let start = |it: &str| Counter::start(&installation, Stores::Servers, &name(it));
    let mut dice = Dice::new(u64::from(SEED));
    let mut beside = None;
    for number in 0..DEATHS {
        // However much one of them counts at once, something is left for the others.
        week.write(&bus, (number, DEATHS + 1)).await;
        let place = progress::place_within(&mut dice, number, DEATHS + 1);
        let mut one = start("one");
        // In the middle a second one comes, is given partitions, sees the first die twice, and goes.
        if number == 4 {
            let two = start("two");
            progress.has_taken_over(&two.name).await;
            beside = Some(two);
        }
        progress.reaches(place, &mut one).await;
        one.kill().await;
        progress.is_not_over().await;
        if number == 6 {
            beside.take().unwrap().stop().await;
        }
    }
    week.write(&bus, (DEATHS, DEATHS + 1)).await;
    let one = start("one");
    progress.ends(&week).await;

    let link = one.link().await;
    answers::ask(&store, &week).await;
    week.ask(&link).await;
    let source = ["kafka", &broker::address(), &since.to_string()];
    week.is_true(&source).await;
    week.differs(&store, &link).await;
    one.stop().await;
    installation.remove().await;
    drop((turn, alone));
}

#[tokio::test]
async fn a_week_in_one_process_is_counted_exactly_though_it_dies_five_times() {
    let installation = Installation::new(Stores::Embedded).await;
    let week = Week::make(&installation, SEED + 1).await;
    let store = store(&installation, &week).await;
    let bus = installation.open_bus();
    gramtap_bus::topics::apply(&bus, &gramtap_events::topics::ALL, gramtap_tests::DEADLINE)
        .await
        .unwrap();
    drop(bus);

    let mut progress = Progress::watch(installation.observe_bus(), &store, &week).await;
    let start = |name: &str| Counter::start(&installation, Stores::Embedded, name);
    let mut dice = Dice::new(u64::from(SEED));
    let part = |number| {
        let bus = installation.open_bus();
        let week = &week;
        async move { week.write(&bus, (number, EMBEDDED_DEATHS + 1)).await }
    };
    for number in 0..EMBEDDED_DEATHS {
        // The log is one process's: it is written to while nobody counts.
        part(number).await;
        let place = progress::place_within(&mut dice, number, EMBEDDED_DEATHS + 1);
        let mut one = start("one");
        progress.reaches(place, &mut one).await;
        one.kill().await;
        progress.is_not_over().await;
    }
    part(EMBEDDED_DEATHS).await;
    let one = start("one");
    progress.ends(&week).await;
    answers::ask(&store, &week).await;
    week.ask(&one.link().await).await;
    one.stop().await;

    let log = gramtap_bus::Bus::log_file(&installation.data_dir("ingress"));
    week.is_true(&["log", &log.to_string_lossy()]).await;
    week.is_true_in_clickhouse(&log).await;
}

/// The sums of an installation, and the bots' zones in them.
async fn store(installation: &Installation, week: &Week) -> Store {
    let database = installation.registry().database().clone();
    let store = Store::new(database, Limits::default());
    for bot in &week.bots {
        store.set_zone(bot.tenant, &bot.zone).await.unwrap();
    }
    store
}

impl Week {
    /// The comparison sees what is planted: calls counted twice, a batch that was lost, another zone.
    async fn differs(&self, store: &Store, link: &str) {
        const TWICE: Statement = Statement::new(
            "plant_twice",
            "UPDATE sum_calls SET calls = calls + 1 WHERE tenant = $1 AND method = 'getFile' AND hour >= $2 AND hour < $3",
        );
        const LOST: Statement = Statement::new(
            "plant_lost",
            "DELETE FROM sum_labels WHERE tenant = $1 AND kind = 'command' AND hour >= $2 AND hour < $3",
        );
        let [shop, tour, news] = [0, 1, 2].map(|place| self.bots[place].clone());
        let noon = self.now - 2 * 86_400;
        let hours = |bot: &scripted::Bot| {
            [
                bot.tenant.as_str().into(),
                (noon - 14_400).into(),
                noon.into(),
            ]
        };
        assert!(
            store
                .database()
                .execute(&TWICE, &hours(&shop))
                .await
                .unwrap()
                > 0
        );
        assert!(
            store
                .database()
                .execute(&LOST, &hours(&news))
                .await
                .unwrap()
                > 0
        );
        store.set_zone(tour.tenant, "UTC").await.unwrap();
        answers::ask(store, self).await;
        self.ask(link).await;
        let (same, words) = self.compare(&[]).await;
        assert!(!same, "{words}");
        for (bot, number) in [
            (
                "shop, day 2031-10-27",
                "overview, total, traffic, calls: should be",
            ),
            ("news, day 2031-10-27", "actions, commands"),
            (
                "tour, day 2031-10-21",
                "overview, total, people, active: should be",
            ),
            (
                "shop, /v1, day 2031-10-27",
                "overview, total, traffic, calls: should be",
            ),
            ("news, /v1, week", "actions, commands"),
            ("tour, /v1, day 2031-10-21", "period, time_zone: should be"),
            ("shop, pages, week", "overview, total.calls: should be"),
            (
                "news, pages, week",
                "actions, commands.n of /start: should be",
            ),
            ("tour, pages, today", "overview, total.active: should be"),
        ] {
            let named = words
                .lines()
                .any(|line| line.starts_with(bot) && line.contains(number));
            assert!(named, "{bot}, {number} is not among\n{words}");
        }
    }
}
