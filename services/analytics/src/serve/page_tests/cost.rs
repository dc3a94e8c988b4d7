//! What a page costs: questions to SQL, whatever the number of days and of events.
//!
//! In: a rich bot, its pages of one day and of ninety. Out: a failure where a page asks more than it is known to. The questions are counted by the
//! process's own metrics, so they are counted in a process of their own. Invariant: as many for ninety days as for one, but for the
//! batches of courses of errors.

use std::process::Command;

use gramtap_telemetry::Counter;

use super::*;

/// Pages, and the questions of each: two of them find the bot and its zone.
const COSTS: [(&str, u64); 7] = [
    ("overview", 16),
    ("audience", 10),
    ("actions", 12),
    ("sources", 7),
    ("errors", 7),
    ("latency", 3),
    ("error", 9),
];

const NAME: &str =
    "serve::page_tests::cost::a_page_asks_a_few_questions_however_many_days_it_shows";
/// Says that a process was started to count.
const ALONE: &str = "GRAMTAP_TEST_ALONE";

#[actix_rt::test]
async fn a_page_asks_a_few_questions_however_many_days_it_shows() {
    if std::env::var_os(ALONE).is_some() {
        return count().await;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && told.contains("1 passed"),
        "{told}"
    );
}

async fn count() {
    let asked = || Counter::RegistryQueries { result: "ok" }.get();
    let mut rig = rig("Asia/Tehran", |bot| seed::rich(bot, 10, 9, true)).await;
    let error = format!("errors/{}", seed::group("getUpdates", 409, "two_pollers"));
    let mut costs = Vec::new();
    for (page, _) in COSTS {
        for days in [1, 90] {
            let path = if page == "error" { &error } else { page };
            let before = asked();
            let shown;
            (rig, shown) = rig.page(&format!("{path}?days={days}")).await;
            assert_eq!(shown.status, StatusCode::OK, "{page}");
            costs.push((page, asked() - before));
        }
    }
    let expected: Vec<(&str, u64)> = COSTS.into_iter().flat_map(|cost| [cost, cost]).collect();
    assert_eq!(costs, expected);
}
