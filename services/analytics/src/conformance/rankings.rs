//! Every ranking against the oracle: commands, buttons, media, kinds, sources.
//!
//! In: traffic, from `numbers.rs`. Out: a panic where a number differs. Invariant: a ranking, its rest and its other ones are all that
//! was counted.

use std::collections::BTreeMap;

use gramtap_events::event::Event;

use super::Subject;
use super::oracle::{self, holds, within};
use super::stream::Traffic;
use crate::query::actions::Ranking;
use crate::query::{Period, actions, sources};

/// What an event tells of a kind.
type Text = fn(&Event) -> Option<&str>;

/// Compares every ranking of a period.
pub(super) async fn are_true(subject: &Subject, traffic: &Traffic, period: &Period) {
    let top = 5;
    let told = actions::actions(&subject.database, traffic.tenant, period, top)
        .await
        .unwrap();
    let texts: [(&Ranking, Text); 5] = [
        (&told.commands, |event| event.command.as_deref()),
        (&told.callbacks, |event| event.callback_data.as_deref()),
        (&told.buttons, |event| event.button_text.as_deref()),
        (&told.media, |event| event.media.as_deref()),
        (&told.updates, |event| Some(event.event.as_str())),
    ];
    for (ranking, text) in texts {
        ranks(
            ranking,
            &oracle::labels(traffic, period, text),
            &oracle::labels(traffic, &period.before(), text),
            top,
        );
    }
    let told = sources::sources(&subject.database, traffic.tenant, period, top)
        .await
        .unwrap();
    ranks(
        &told.starts,
        &oracle::labels(traffic, period, |event| event.payload.as_deref()),
        &oracle::labels(traffic, &period.before(), |event| event.payload.as_deref()),
        top,
    );
    let payloads = traffic
        .events
        .iter()
        .filter(|event| within(event, period))
        .filter_map(|event| event.payload.as_deref());
    let mut pairs = BTreeMap::new();
    for payload in payloads {
        for pair in match payload {
            "utm_source=ads&utm_medium=cpc" => &["utm_source=ads", "utm_medium=cpc"][..],
            "dXRtX3NvdXJjZT14" => &["utm_source=x"],
            _ => &[],
        } {
            *pairs.entry((*pair).to_owned()).or_insert(0) += 1;
        }
    }
    let told_pairs: BTreeMap<_, _> = told
        .utm
        .top
        .iter()
        .map(|it| (it.label.clone(), it.n))
        .collect();
    assert_eq!(told_pairs, pairs);
    let by_user = oracle::sources(traffic);
    let mut arrived = BTreeMap::new();
    for (id, _) in oracle::first(traffic)
        .iter()
        .filter(|(_, at)| holds(period, **at))
    {
        *arrived.entry(by_user.get(id).cloned()).or_insert(0) += 1;
    }
    assert_eq!(told.direct, arrived.remove(&None).unwrap_or(0));
    assert_eq!(
        told.arrived
            .iter()
            .map(|(source, n)| (Some(source.clone()), *n))
            .collect::<BTreeMap<_, _>>(),
        arrived
    );
}

fn ranks(
    told: &Ranking,
    truth: &BTreeMap<String, i64>,
    before: &BTreeMap<String, i64>,
    top: usize,
) {
    let mut truth: Vec<(&String, &i64)> = truth.iter().collect();
    truth.sort_by_key(|(label, n)| (-**n, (*label).clone()));
    let shown: Vec<(&String, &i64)> = told.top.iter().map(|it| (&it.label, &it.n)).collect();
    assert_eq!(shown, truth[..top.min(truth.len())]);
    for ranked in &told.top {
        assert_eq!(
            ranked.before,
            before.get(&ranked.label).copied().unwrap_or(0),
            "{ranked:?}"
        );
    }
    let rest = &truth[shown.len()..];
    assert_eq!(
        (told.rest, told.rest_labels, told.other),
        (rest.iter().map(|(_, n)| **n).sum(), rest.len(), 0)
    );
}
