//! The whole of the decisions against an oracle: random updates, outcomes, kills and rebalances.
//!
//! In: random steps. Out: a failure where an update is lost, comes out of its order or after its expiry, or is delivered again although its
//! success was recorded, or though its bot had it dropped. [`world`] is what outlives a process: topics, commits, what endpoints have accepted; [`process`] drives one
//! [`crate::arrange::dispatch::Dispatch`] as the real loop does. Invariant: a kill loses everything that is in the process, written or not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod process;
mod world;

use std::collections::HashMap;

use proptest::prelude::*;

use process::Process;
use world::{Kind, PARTITIONS, World};

/// What happens next. Numbers choose among what is possible.
#[derive(Clone, Debug)]
enum Step {
    /// A bot is sent an update, of one of its queues.
    Arrive {
        bot: u8,
        queue: u8,
        what: Kind,
    },
    /// A process reads some records.
    Read {
        process: usize,
        count: u8,
    },
    /// An attempt ends.
    End {
        process: usize,
        which: usize,
        how: u8,
    },
    /// A process' writes reach the topics, some are acknowledged.
    Write {
        process: usize,
        count: u8,
        told: u8,
    },
    /// Records are read again.
    Reread {
        process: usize,
        count: u8,
        fails: bool,
    },
    Commit {
        process: usize,
        fails: bool,
    },
    /// Seconds go by.
    Wait(u16),
    /// An endpoint works or not.
    Weather {
        endpoint: usize,
        up: bool,
    },
    /// A bot's webhook is another one.
    Renew {
        bot: u8,
    },
    /// A bot has what waits dropped.
    Drop {
        bot: u8,
    },
    Kill {
        process: usize,
    },
    /// A partition moves to the other process.
    Rebalance {
        partition: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let process = 0..2_usize;
    prop_oneof![
        12 => (0..4_u8, 0..4_u8, kind()).prop_map(|(bot, queue, what)| Step::Arrive { bot, queue, what }),
        10 => (process.clone(), 1..8_u8).prop_map(|(process, count)| Step::Read { process, count }),
        12 => (process.clone(), any::<usize>(), any::<u8>()).prop_map(|(process, which, how)| Step::End { process, which, how }),
        6 => (process.clone(), 0..6_u8, 0..6_u8).prop_map(|(process, count, told)| Step::Write { process, count, told }),
        4 => (process.clone(), 1..6_u8, prop::bool::weighted(0.1)).prop_map(|(process, count, fails)| Step::Reread { process, count, fails }),
        3 => (process.clone(), prop::bool::weighted(0.1)).prop_map(|(process, fails)| Step::Commit { process, fails }),
        5 => prop_oneof![6 => 0..4_u16, 3 => 4..70_u16, 1 => 70..7_000_u16].prop_map(Step::Wait),
        2 => (0..8_usize, any::<bool>()).prop_map(|(endpoint, up)| Step::Weather { endpoint, up }),
        1 => (0..4_u8).prop_map(|bot| Step::Renew { bot }),
        1 => (0..4_u8).prop_map(|bot| Step::Drop { bot }),
        1 => process.prop_map(|process| Step::Kill { process }),
        1 => (0..PARTITIONS).prop_map(|partition| Step::Rebalance { partition }),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        16 => Just(Kind::Fresh),
        2 => Just(Kind::Again),
        3 => any::<bool>().prop_map(|elsewhere| Kind::Replay { elsewhere }),
    ]
}

/// Runs the steps, then lets everything come to its end.
fn run(steps: &[Step]) {
    let mut world = World::new();
    let mut processes = [Process::new(), Process::new()];
    for partition in 0..PARTITIONS {
        processes[partition % 2].assign(&mut world, partition);
    }
    for step in steps {
        match *step {
            Step::Arrive { bot, queue, what } => world.arrive(bot, queue, what),
            Step::Read { process, count } => {
                (0..count).for_each(|turn| processes[process].read(&mut world, turn));
            }
            Step::End {
                process,
                which,
                how,
            } => processes[process].end(&mut world, which, how),
            Step::Write {
                process,
                count,
                told,
            } => {
                (0..count).for_each(|_| processes[process].write(&mut world));
                (0..told).for_each(|_| processes[process].told());
            }
            Step::Reread {
                process,
                count,
                fails,
            } => {
                (0..count).for_each(|_| processes[process].reread(&world, fails));
            }
            Step::Commit { process, fails } => processes[process].commit(&mut world, fails),
            Step::Wait(seconds) => {
                world.wait(seconds.into());
                processes.iter_mut().for_each(|it| it.tick(&world));
            }
            Step::Weather { endpoint, up } => world.up[endpoint] = up,
            Step::Renew { bot } => {
                let (now, tenant) = (world.moment(), crate::tests::tenant(bot));
                processes
                    .iter_mut()
                    .for_each(|it| it.dispatch.renewed(now, tenant));
            }
            Step::Drop { bot } => {
                world.dropped[usize::from(bot)] = Some(world.moment());
                processes.iter_mut().for_each(|it| it.learn(&world));
            }
            Step::Kill { process } => {
                let partitions = processes[process].partitions();
                processes[process] = Process::new();
                for partition in partitions {
                    processes[process].assign(&mut world, partition);
                }
            }
            Step::Rebalance { partition } => {
                let from = usize::from(!processes[0].partitions().contains(&partition));
                processes[from].release(&mut world, partition);
                processes[1 - from].assign(&mut world, partition);
            }
        }
        processes.iter_mut().for_each(|it| it.pump(&mut world));
        processes.iter().for_each(Process::check_memory);
        processes.iter().for_each(|it| it.check_waiting(&world));
        processes.iter().for_each(|it| it.check_dropped(&world));
    }
    finish(&mut world, &mut processes);
}

/// All endpoints work from now on; nothing may be left.
fn finish(world: &mut World, processes: &mut [Process; 2]) {
    world.up = [true; 8];
    for round in 0.. {
        assert!(round < 3_000, "never ends: {world:?} {processes:?}");
        for process in &mut *processes {
            for turn in 0..4 {
                process.read(world, turn);
            }
            process.end_all(world);
            (0..16).for_each(|_| process.write(world));
            (0..16).for_each(|_| process.told());
            (0..16).for_each(|_| process.reread(world, false));
            process.pump(world);
            process.tick(world);
            process.pump(world);
        }
        if processes.iter().all(Process::is_quiet) && world.is_read(processes) {
            break;
        }
        world.wait(1);
    }
    for process in &mut *processes {
        process.commit(world, false);
        assert_eq!(process.dispatch.held(), (0, 0));
        let waiting = process.dispatch.waiting();
        assert_eq!(waiting.len(), process.partitions().len());
        assert!(waiting.values().all(HashMap::is_empty), "{waiting:?}");
    }
    world.nothing_is_lost();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_out_of_order_late_or_repeated(steps in prop::collection::vec(step(), 0..300)) {
        run(&steps);
    }
}
