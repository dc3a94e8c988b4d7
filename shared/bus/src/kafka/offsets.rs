//! Offsets to commit, as librdkafka takes them.
//!
//! In: commits of a consumer or of a transaction. Out: one list. Invariant: a partition is in it
//! once; of several commits for it the last one counts. No I/O.

use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::consume::Commit;

pub(super) fn list<'a>(
    commits: impl IntoIterator<Item = &'a Commit>,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for commit in commits {
        let at = commit.partition;
        if list.find_partition(at.topic.name, at.partition).is_none() {
            list.add_partition(at.topic.name, at.partition);
        }
        if let Some(mut element) = list.find_partition(at.topic.name, at.partition) {
            element.set_offset(Offset::Offset(commit.offset))?;
            element.set_metadata(&commit.metadata);
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::TopicPartition;
    use gramtap_events::topics::{CALLS, UPDATES};

    #[test]
    fn the_last_commit_of_a_partition_counts() {
        let commit = |topic, partition, offset: i64| Commit {
            partition: TopicPartition { topic, partition },
            offset,
            metadata: format!("at {offset}"),
        };
        let commits = [
            commit(&CALLS, 0, 5),
            commit(&UPDATES, 0, 7),
            commit(&CALLS, 1, 1),
            commit(&CALLS, 0, 9),
        ];
        let list = list(&commits).unwrap();
        let found = list.elements().into_iter().map(|it| {
            (
                it.topic().to_owned(),
                it.partition(),
                it.offset(),
                it.metadata().to_owned(),
            )
        });
        let expected = [(&CALLS, 0, 9), (&UPDATES, 0, 7), (&CALLS, 1, 1)];
        let expected = expected.map(|(topic, partition, offset)| {
            (
                topic.name.to_owned(),
                partition,
                Offset::Offset(offset),
                format!("at {offset}"),
            )
        });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
