//! CPU of a sendMessage, system calls, and how many are answered a second.
//!
//! In: a running proxy. Out: numbers. Invariant: it is asked in turns with an nginx that stands beside it, a second or less each: what the machine has to do
//! besides, it does to both, and the ratio of a turn has little of it.

use std::time::Duration;

use anyhow::Result;

use crate::client::Client;
use crate::load::closed;
use crate::proxy::{Proxy, Subject};
use crate::site::Site;
use crate::statistics::median;
use crate::usage::Events;
use crate::values::Values;
use crate::work::{CONNECTIONS, cost, each, messages, warm};

/// Turns of a round.
const TURNS: u32 = 4;

/// What is sent, and to whom.
pub(crate) struct Send<'a> {
    pub(crate) proxy: &'a Proxy,
    pub(crate) subject: Subject,
    /// Bytes.
    pub(crate) size: usize,
    pub(crate) name: &'a str,
    /// How long it is sent in all.
    pub(crate) time: Duration,
}

/// One side of the turns.
struct Side {
    pids: Vec<u32>,
    clients: Vec<Client>,
}

/// What a side did in its turn.
#[derive(Clone, Copy)]
struct Turn {
    /// CPU seconds a request.
    each: f64,
    answered: u64,
}

impl Side {
    async fn start(proxy: &Proxy, requests: &[Vec<u8>]) -> Result<Self> {
        Ok(Self {
            pids: proxy.pids()?,
            clients: warm(proxy, CONNECTIONS, requests).await?,
        })
    }

    async fn turn(&mut self, requests: &[Vec<u8>], time: Duration) -> Result<Turn> {
        let run = closed::run(&mut self.clients, requests, time);
        let (each, answered) = cost(&self.pids, run).await?;
        Ok(Turn { each, answered })
    }
}

/// Requests as fast as they are answered. CPU is told in µs a request.
pub(crate) async fn measure(
    send: Send<'_>,
    site: &Site,
    tls: bool,
    values: &mut Values,
) -> Result<()> {
    let requests = messages(send.size);
    let mut side = Side::start(send.proxy, &requests).await?;
    let beside = match send.subject > Subject::Nginx {
        true => Some(Proxy::start(Subject::Nginx, site, tls).await?),
        false => None,
    };
    let mut nginx = match &beside {
        Some(nginx) => Some(Side::start(nginx, &requests).await?),
        None => None,
    };
    let time = send.time / TURNS;
    let (mut turns, mut of_cpu, mut of_rate) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let turn = side.turn(&requests, time).await?;
        if let Some(nginx) = &mut nginx {
            let nginx = nginx.turn(&requests, time).await?;
            of_cpu.push(turn.each / nginx.each);
            of_rate.push(each(turn.answered as f64, nginx.answered));
        }
        turns.push(turn);
    }
    drop(beside);
    let name = send.name;
    let answered: u64 = turns.iter().map(|turn| turn.answered).sum();
    let rate = answered as f64 / send.time.as_secs_f64();
    values.insert_with(format!("{name}, answered a second"), rate, median(&of_rate));
    if side.pids.is_empty() {
        return Ok(());
    }
    let spent = turns.iter().map(|turn| turn.each * turn.answered as f64);
    let spent = each(spent.sum(), answered) * 1e6;
    values.insert_with(format!("{name}, CPU in µs"), spent, median(&of_cpu));
    if send.size == 230 {
        let calls = Events::count("raw_syscalls:sys_enter", &side.pids)?;
        let answered = closed::run(&mut side.clients, &requests, send.time / 2).await?;
        match calls.end() {
            Ok(calls) => {
                let calls = each(calls as f64, answered);
                values.insert(format!("{name}, system calls"), calls);
            }
            // Not every kernel lets them be counted.
            Err(error) => eprintln!("bench: {error:#}"),
        }
    }
    Ok(())
}
