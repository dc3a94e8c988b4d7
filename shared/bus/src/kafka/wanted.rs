//! What topics should be like, and how those on the broker differ.
//!
//! In: the table of topics, the topics as they are. Out: `admin.rs`, which asks and changes.
//! Invariant: retention and segments are the operator's to change, so different ones stop no service;
//! they are put right by `apply` alone. Pure.

use std::collections::BTreeMap;

use gramtap_events::Topic;

use super::LARGEST_ON_WIRE;

pub(super) type Settings = BTreeMap<String, String>;

/// A topic as the broker has it.
pub(super) struct Found {
    pub(super) partitions: i32,
    /// All settings, defaults included.
    pub(super) effective: Settings,
    /// Those that were set for this topic.
    pub(super) own: Settings,
}

/// The settings that a topic should have.
pub(super) fn settings(topic: &Topic) -> Settings {
    let (policy, retention) = match topic.retention {
        _ if topic.compacted => ("compact", None),
        Some(retention) => ("delete", Some(retention.as_millis().to_string())),
        None => ("delete", Some("-1".to_owned())),
    };
    let mut settings = Settings::from([
        ("cleanup.policy".to_owned(), policy.to_owned()),
        ("max.message.bytes".to_owned(), LARGEST_ON_WIRE.to_string()),
    ]);
    settings.extend(retention.map(|retention| ("retention.ms".to_owned(), retention)));
    if topic.compacted {
        settings.insert("segment.bytes".to_owned(), COMPACTED_SEGMENT.to_string());
    }
    settings
}

/// The segment that is written to is never compacted, and a compacted topic is read whole by
/// whoever needs it: Kafka's default of a gibibyte would be minutes of it.
const COMPACTED_SEGMENT: usize = 32 * 1024 * 1024;

/// What keeps a service from starting.
pub(super) fn problems(topic: &Topic, found: Option<&Found>, partitions: i32) -> Vec<String> {
    let Some(found) = found else {
        return vec![format!("{} is missing", topic.name)];
    };
    let mut problems = Vec::new();
    if found.partitions != partitions {
        let is = found.partitions;
        problems.push(format!(
            "{} has {is} partitions, kafka.partitions is {partitions}",
            topic.name
        ));
    }
    for (name, wanted) in settings(topic) {
        let is = found.effective.get(&name).map_or("", String::as_str);
        let fits = match name.as_str() {
            "retention.ms" | "segment.bytes" => true,
            "max.message.bytes" => is.parse().is_ok_and(|is: usize| is >= LARGEST_ON_WIRE),
            _ => is == wanted,
        };
        if !fits {
            problems.push(format!(
                "{} has {name}={is}, it should be {wanted}",
                topic.name
            ));
        }
    }
    problems
}

/// The settings that differ: name, as it is, as it should be.
pub(super) fn differences(topic: &Topic, found: &Found) -> Vec<(String, String, String)> {
    let wanted = settings(topic).into_iter();
    let differing = wanted.filter_map(|(name, wanted)| {
        let is = found.effective.get(&name).cloned().unwrap_or_default();
        (is != wanted).then_some((name, is, wanted))
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gramtap_events::topics::{ALL, CALLS, TENANTS};

    fn found(topic: &Topic, changes: &[(&str, &str)]) -> Found {
        let mut effective = settings(topic);
        for (name, value) in changes {
            effective.insert((*name).to_owned(), (*value).to_owned());
        }
        Found {
            partitions: 24,
            effective,
            own: Settings::new(),
        }
    }

    #[test]
    fn a_topic_as_it_should_be_has_no_problems_and_no_differences() {
        for topic in ALL {
            let found = found(topic, &[]);
            assert!(
                problems(topic, Some(&found), 24).is_empty()
                    && differences(topic, &found).is_empty()
            );
            let (policy, retention) = (
                &found.effective["cleanup.policy"],
                found.effective.get("retention.ms"),
            );
            assert_eq!(policy == "compact", topic.compacted, "{}", topic.name);
            assert_eq!(retention.is_none(), topic.compacted, "{}", topic.name);
        }
    }

    #[test]
    fn problems_name_the_topic_and_both_values() {
        /// A topic, what is different about it, `kafka.partitions`, the problems.
        type Row<'a> = (&'a Topic, &'a [(&'a str, &'a str)], i32, &'a [&'a str]);
        let table: [Row<'_>; 6] = [
            (
                &CALLS,
                &[],
                12,
                &["gramtap.calls.v1 has 24 partitions, kafka.partitions is 12"],
            ),
            (
                &CALLS,
                &[("cleanup.policy", "compact")],
                24,
                &["gramtap.calls.v1 has cleanup.policy=compact, it should be delete"],
            ),
            (
                &TENANTS,
                &[("cleanup.policy", "delete")],
                24,
                &["gramtap.tenants.v1 has cleanup.policy=delete, it should be compact"],
            ),
            (
                &CALLS,
                &[("max.message.bytes", "1048588")],
                24,
                &["gramtap.calls.v1 has max.message.bytes=1048588, it should be 1114112"],
            ),
            // Nobody is kept from starting by more room, or by another retention or segment.
            (&TENANTS, &[("segment.bytes", "1073741824")], 24, &[]),
            (
                &CALLS,
                &[("max.message.bytes", "9999999"), ("retention.ms", "1")],
                24,
                &[],
            ),
        ];
        for (topic, changes, partitions, expected) in table {
            assert_eq!(
                problems(topic, Some(&found(topic, changes)), partitions),
                expected
            );
        }
        assert_eq!(problems(&CALLS, None, 24), ["gramtap.calls.v1 is missing"]);
    }

    #[test]
    fn differences_are_what_apply_changes() {
        let found = found(&CALLS, &[("retention.ms", "1"), ("segment.ms", "5")]);
        let retention = settings(&CALLS)["retention.ms"].clone();
        let expected = ("retention.ms".to_owned(), "1".to_owned(), retention);
        assert_eq!(differences(&CALLS, &found), [expected]);
        let found = self::found(&TENANTS, &[("segment.bytes", "1073741824")]);
        assert_eq!(differences(&TENANTS, &found).len(), 1);
    }
}
