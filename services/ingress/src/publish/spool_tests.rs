//! The spool's file by itself.
//!
//! In: records of all sizes. Out: pass or fail.
#![allow(clippy::unwrap_used)]
use super::*;

fn record(position: u64, size: usize) -> Saved {
    let tenant = TenantId::UNATTRIBUTED;
    let mut message = Message::new(
        &topics::UPDATES,
        tenant.as_str().to_owned(),
        vec![b'x'; size],
    );
    message.headers = vec![
        Header::new("gt-kind", "update"),
        Header::new("traceparent", "00-a-b-01"),
    ];
    Saved {
        position,
        tenant,
        at: Moment::now(),
        message,
    }
}

fn save(spool: &mut Spool, records: &[Saved]) -> usize {
    let rows = records
        .iter()
        .map(|it| (it.position, it.tenant, it.at, &it.message));
    spool.save(rows).unwrap()
}

fn read(spool: &Spool, position: Option<u64>, limit: usize) -> (Vec<Saved>, bool) {
    let Read { rows, end } = spool.read(position, limit).unwrap();
    (rows.into_iter().map(Result::unwrap).collect(), end)
}

#[test]
fn gives_back_what_it_was_given_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<_> = (3..10).map(|position| record(position, 100)).collect();
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    assert_eq!(save(&mut spool, &records), 7);
    drop(spool);
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    assert_eq!((spool.records(), spool.last().unwrap()), (7, Some(9)));
    assert_eq!(read(&spool, None, 100), (records.clone(), true));
    assert_eq!(read(&spool, Some(5), 2), (records[3..5].to_vec(), false));
    spool.forget(&[8, 3, 5, 4, 6, 7]).unwrap();
    assert_eq!(read(&spool, None, 100), (records[6..].to_vec(), true));
    spool.forget(&[9]).unwrap();
    assert_eq!((spool.records(), spool.bytes()), (0, 0));
}

#[test]
fn large_records_are_read_a_few_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 1 << 30).unwrap();
    let records: Vec<_> = (0..40).map(|position| record(position, 500_000)).collect();
    save(&mut spool, &records);
    let (rows, end) = read(&spool, None, 500);
    assert!((1..12).contains(&rows.len()) && !end, "{}", rows.len());
}

#[test]
fn the_file_shrinks_when_it_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let size = || {
        let file = folder.path().join("spool.db");
        std::fs::metadata(file).unwrap().len()
    };
    let mut spool = Spool::open(folder.path(), 1 << 30).unwrap();
    let records: Vec<_> = (0..64).map(|position| record(position, 500_000)).collect();
    save(&mut spool, &records);
    let positions: Vec<_> = (0..64).collect();
    spool.forget(&positions).unwrap();
    for _ in 0..4 {
        spool.shrink().unwrap();
    }
    assert!(size() < 100_000, "{}", size());
}

#[test]
fn a_row_that_makes_no_sense_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    let records: Vec<_> = (0..3).map(|position| record(position, 10)).collect();
    save(&mut spool, &records);
    let newer = "UPDATE spool SET topic = 'gramtap.not-yet.v1' WHERE position = 1";
    spool.file.execute_batch(newer).unwrap();
    let found = spool.read(None, 100).unwrap().rows;
    let expected = [Ok(records[0].clone()), Err(1), Ok(records[2].clone())];
    assert_eq!(found, expected);
}

#[test]
fn a_second_process_is_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Spool::open(folder.path(), 1 << 20).unwrap();
    Spool::open(folder.path(), 1 << 20).unwrap_err();
}

#[test]
fn keeps_the_first_ones_that_fit() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 2_000).unwrap();
    let records: Vec<_> = (1..10).map(|position| record(position, 400)).collect();
    let kept = save(&mut spool, &records);
    assert!((2..=4).contains(&kept), "{kept}");
    assert_eq!(spool.records(), kept as u64);
    assert!(spool.bytes() <= 2_000);
    assert_eq!(read(&spool, None, 100), (records[..kept].to_vec(), true));
    assert_eq!(save(&mut spool, &records[kept..]), 0);
}
