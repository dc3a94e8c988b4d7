//! A name that leads elsewhere each time it is looked up: what was checked is what is dialled.
//!
//! In: answers of a resolver that this test is; two listeners on one port, of which only the outer one's address may be called. Out: a failure where anybody came to
//! the inner one. Invariant: each question has the answer that stands next in the script.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex as Lock};

use super::*;
use crate::guard::{Endpoint, Kind, Policy, Refusal};

const INNER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const WITHIN: Duration = Duration::from_secs(30);

/// Answers, the next one first. None: the resolver fails.
#[derive(Clone)]
pub(crate) struct Script(Arc<Lock<VecDeque<Option<Vec<IpAddr>>>>>);

impl Script {
    fn new<const N: usize>(answers: [Option<&[IpAddr]>; N]) -> Self {
        let answers = answers.map(|answer| answer.map(<[_]>::to_vec));
        Self(Arc::new(Lock::new(answers.into())))
    }

    pub(super) fn next(&self, port: u16) -> io::Result<Vec<SocketAddr>> {
        let answer = self.0.lock().unwrap().pop_front();
        let found = answer.flatten().ok_or(io::ErrorKind::TimedOut)?;
        Ok(found
            .into_iter()
            .map(|it| SocketAddr::new(it, port))
            .collect())
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// What listens at both addresses.
struct Net {
    inner: TcpListener,
    outer: TcpListener,
    port: u16,
}

impl Net {
    fn new() -> Self {
        loop {
            let outer = TcpListener::bind((OUTER, 0)).unwrap();
            let port = outer.local_addr().unwrap().port();
            // Somebody else may have the port there.
            if let Ok(inner) = TcpListener::bind((INNER, port)) {
                inner.set_nonblocking(true).unwrap();
                outer.set_nonblocking(true).unwrap();
                return Self { inner, outer, port };
            }
        }
    }

    /// A bot's webhook, by a name that leads where the script says.
    fn webhook(&self, script: &Script) -> Upstream {
        let endpoint = Endpoint::parse(&format!("http://bot.example:{}", self.port)).unwrap();
        let policy = Policy {
            ports: vec![self.port],
            allow: ["127.0.0.2/32".parse().unwrap()].into_iter().collect(),
            clear: true,
            credentials: false,
        };
        let webhook = Upstream::guarded(&endpoint, &Arc::new(policy), None, None).unwrap();
        webhook.resolving(scripted(script))
    }

    /// How many have come to the inner and to the outer address since this was asked last.
    fn came(&self) -> (usize, usize) {
        let count = |listener: &TcpListener| std::iter::from_fn(|| listener.accept().ok()).count();
        (count(&self.inner), count(&self.outer))
    }
}

fn scripted(script: &Script) -> Resolved {
    Resolved::Name(Mutex::new(None), Names::Script(script.clone()))
}

/// Dials; what was refused.
async fn refusal(upstream: &Upstream) -> Option<Refusal> {
    match dial(upstream, WITHIN).await {
        Ok(_) => None,
        Err(fault) => match fault.cause() {
            Cause::Blocked(refusal) => Some(*refusal),
            _ => panic!("{fault:?}"),
        },
    }
}

#[tokio::test]
async fn a_name_is_asked_once_and_its_checked_answer_is_dialled() {
    let net = Net::new();
    let script = Script::new([Some(&[OUTER]), Some(&[INNER])]);
    let webhook = net.webhook(&script);
    assert_eq!(refusal(&webhook).await, None);
    assert_eq!((net.came(), script.left()), ((0, 1), 1));
    // Looked up anew it leads inside, and is not called.
    webhook.resolved().distrust().await;
    assert_eq!(
        refusal(&webhook).await,
        Some(Refusal::Address(Kind::Loopback))
    );
    assert_eq!((net.came(), script.left()), ((0, 0), 0));
}

#[tokio::test]
async fn of_several_addresses_those_that_may_be_called_are() {
    let net = Net::new();
    for answer in [[INNER, OUTER], [OUTER, INNER]] {
        let webhook = net.webhook(&Script::new([Some(&answer)]));
        assert_eq!(refusal(&webhook).await, None);
        assert_eq!(net.came(), (0, 1), "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_was_refused_is_not_called_later_either() {
    let net = Net::new();
    let script = Script::new([Some(&[INNER]), None, Some(&[OUTER])]);
    let webhook = net.webhook(&script);
    let inside = Some(Refusal::Address(Kind::Loopback));
    assert_eq!(refusal(&webhook).await, inside);
    // The resolver fails: what is known of the name is checked again.
    webhook.resolved().distrust().await;
    assert_eq!(refusal(&webhook).await, inside);
    webhook.resolved().distrust().await;
    assert_eq!(refusal(&webhook).await, None);
    assert_eq!((net.came(), script.left()), ((0, 1), 0));
}

#[tokio::test]
async fn an_address_that_is_fixed_is_checked_too() {
    let net = Net::new();
    let none = Script::new([]);
    let webhook = net.webhook(&none).at(INNER);
    assert_eq!(
        refusal(&webhook).await,
        Some(Refusal::Address(Kind::Loopback))
    );
    assert_eq!(refusal(&net.webhook(&none).at(OUTER)).await, None);
    assert_eq!(net.came(), (0, 1));
}

#[tokio::test]
async fn who_comes_to_the_inner_address_is_seen_here() {
    let net = Net::new();
    let url = format!("http://bot.example:{}", net.port);
    let unguarded = Upstream::new(&url, None, None).unwrap();
    let unguarded = unguarded.resolving(scripted(&Script::new([Some(&[INNER])])));
    assert_eq!(refusal(&unguarded).await, None);
    assert_eq!(net.came(), (1, 0));
}
