//! What the registry promises of how webhooks stand, on whichever engine. A part of `suite.rs`.
//!
//! In: a registry. Out: pass or fail. Invariant: bots and partitions of its own.

use std::sync::LazyLock;
use std::time::Duration;

use gramtap_events::{Moment, TenantId};
use gramtap_tenants::{FailedAttempt, NewTenant, Registry, StandingRow, WebhookStanding};

/// No other part of the suite writes about bots on it.
const PARTITION: i32 = 7;

pub(crate) async fn all(registry: &Registry) {
    what_is_decided_later_stands(registry).await;
    a_failure_is_told_until_the_webhook_is_set(registry).await;
    of_a_partition_those_are_told_for_which_something_waits(registry).await;
}

async fn bot(registry: &Registry) -> TenantId {
    registry.add(&NewTenant::default()).await.unwrap().id
}

fn row(tenant: TenantId, waiting: u64, failed: Option<FailedAttempt>) -> StandingRow {
    StandingRow {
        tenant,
        partition: PARTITION,
        waiting,
        failed,
    }
}

fn failed(at: Moment, message: &str) -> FailedAttempt {
    FailedAttempt {
        at,
        label: "endpoint_fails".to_owned(),
        message: message.to_owned(),
    }
}

/// So many seconds after some moment, the same for all.
fn seconds(count: u64) -> Moment {
    static BEGIN: LazyLock<Moment> = LazyLock::new(Moment::now);
    BEGIN.plus(Duration::from_secs(count))
}

async fn what_is_decided_later_stands(registry: &Registry) {
    let tenant = bot(registry).await;
    let told = async || registry.standing(tenant).await.unwrap();
    assert_eq!(told().await, WebhookStanding::default());
    for (at, waiting, stands) in [(1, 3, 3), (2, 5, 5), (1, 9, 5), (2, 4, 4), (3, 0, 0)] {
        let rows = [row(tenant, waiting, None)];
        registry.write_standing(seconds(at), &rows).await.unwrap();
        assert_eq!(told().await.waiting, stands, "{waiting} of {at}");
    }
    registry.write_standing(seconds(9), &[]).await.unwrap();
    assert_eq!(told().await, WebhookStanding::default());
}

async fn a_failure_is_told_until_the_webhook_is_set(registry: &Registry) {
    let tenant = bot(registry).await;
    let write = async |at, failed: Option<FailedAttempt>| {
        let rows = [row(tenant, 1, failed)];
        registry.write_standing(seconds(at), &rows).await.unwrap();
        registry.standing(tenant).await.unwrap().failed
    };
    let first = failed(seconds(5), "first");
    assert_eq!(write(6, Some(first.clone())).await, Some(first.clone()));
    assert_eq!(write(7, None).await, Some(first), "it is not told again");
    let second = failed(seconds(8), "second");
    assert_eq!(write(8, Some(second.clone())).await, Some(second));
    registry.standing_set(tenant, seconds(9)).await.unwrap();
    assert_eq!(write(10, None).await, None);
    let late = failed(seconds(9), "of the webhook before");
    assert_eq!(write(11, Some(late)).await, None);
    let third = failed(seconds(12), "third");
    assert_eq!(write(12, Some(third.clone())).await, Some(third));
}

async fn of_a_partition_those_are_told_for_which_something_waits(registry: &Registry) {
    // More than one statement takes.
    let mut rows = Vec::new();
    for number in 0..75 {
        rows.push(StandingRow {
            partition: 8 + i32::from(number >= 70),
            ..row(bot(registry).await, number % 3, None)
        });
    }
    registry.write_standing(seconds(1), &rows).await.unwrap();
    let expected = rows.iter().filter(|row| row.waiting > 0);
    let expected = expected.map(|row| (row.partition, row.tenant, row.waiting));
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    let mut found = registry.standing_of(&[9, 8]).await.unwrap();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(registry.standing_of(&[10]).await.unwrap(), []);
}
