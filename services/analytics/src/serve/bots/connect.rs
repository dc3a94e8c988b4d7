//! How to point a bot here, and whether it has come.
//!
//! In: a bot, its addresses tried just now (`reach.rs`), recipes of `shared/tenants`, its first calls in SQL. Out: the page, and what its
//! script asks every two seconds until the first good call. Invariant: the page and the script's answer say the same words; an
//! address that was not reached is never put into a recipe while another one was.

use actix_web::{HttpResponse, web};
use askama::Template;
use gramtap_tenants::{Addresses, Standing, recipes};
use serde::Serialize;

use super::reach::{Reach, reach};
use crate::query::connection::{self, Connection, FirstCall};
use crate::serve::Site;
use crate::serve::bot::Bot;
use crate::serve::clock::ago;
use crate::serve::fault::Fault;
use crate::serve::page::{Frame, html};
use crate::serve::viewer::Viewer;

#[derive(Template)]
#[template(path = "connect.html")]
struct Page {
    frame: Frame,
    code: String,
    bot: Option<i64>,
    leaving: bool,
    reaches: Vec<Reach>,
    base: String,
    recipes: Vec<Shown>,
    first: First,
    token_stored: bool,
}

/// A recipe, filled in.
struct Shown {
    library: &'static str,
    note: String,
    lines: Result<String, String>,
}

/// What is known of the bot's first call.
#[derive(Debug, Serialize)]
pub(in crate::serve) struct First {
    /// `none`, `refused` or `good`.
    state: &'static str,
    title: String,
    lines: Vec<String>,
}

/// The page.
pub(in crate::serve) async fn page(
    site: web::Data<Site>,
    viewer: Viewer,
    bot: Bot,
) -> Result<HttpResponse, Fault> {
    let known = bot.tenant.bot.is_some();
    let addresses = Addresses::of(&site.public_url, &bot.tenant);
    let (reaches, connection) = futures_util::future::join(
        tried(&site, &addresses, known),
        connection::connection(site.store.database(), bot.id()),
    )
    .await;
    let base = best(&reaches, addresses.best(known)).to_owned();
    let recipes = recipes::all().iter().map(|recipe| Shown {
        library: recipe.library,
        note: recipe.note(&base),
        lines: recipe.printed(&base).map_err(|error| error.to_string()),
    });
    html(&Page {
        frame: Frame::about(&bot, "connect", "Connect", viewer),
        code: bot.tenant.code.to_string(),
        bot: bot.tenant.bot.map(|bot| bot.0),
        leaving: bot.tenant.standing_now() == Standing::Leaving,
        reaches,
        recipes: recipes.collect(),
        base,
        first: First::of(&connection?, (site.clock)()),
        token_stored: bot.tenant.token_stored,
    })
}

/// What the page's script asks.
pub(in crate::serve) async fn first_call(
    site: web::Data<Site>,
    bot: Bot,
) -> Result<HttpResponse, Fault> {
    let connection = connection::connection(site.store.database(), bot.id()).await?;
    Ok(HttpResponse::Ok().json(First::of(&connection, (site.clock)())))
}

/// The addresses that this bot may use, the one for most libraries first.
async fn tried(site: &Site, addresses: &Addresses, known: bool) -> Vec<Reach> {
    let shared = known.then(|| (addresses.shared.clone(), "for every library"));
    let host = addresses.host.clone();
    let host = host.map(|host| {
        (
            host,
            "of this bot alone; needs a wildcard DNS name and certificate",
        )
    });
    let path = (
        addresses.path.clone(),
        "of this bot alone; not for libraries that drop the path of an address",
    );
    let all = shared.into_iter().chain(host).chain([path]);
    let all = all.map(|(address, note)| reach(&site.telegram, address, note));
    futures_util::future::join_all(all).await
}

/// The first that was reached, or else the one that would be best.
fn best<'a>(reaches: &'a [Reach], otherwise: &'a str) -> &'a str {
    let reached = reaches.iter().find(|reach| reach.failed.is_none());
    reached.map_or(otherwise, |reach| reach.address.as_str())
}

impl First {
    fn of(connection: &Connection, now: i64) -> Self {
        let refused = connection.refused.as_ref();
        match (&connection.good, refused) {
            (None, None) => Self {
                state: "none",
                title: "No call has come yet".to_owned(),
                lines: vec![
                    "Set the address in your bot, start it, and this page will say so within seconds."
                        .to_owned(),
                ],
            },
            (None, Some(call)) if is_refusal(call) => Self {
                state: "refused",
                title: "A call came, but Telegram refused its token".to_owned(),
                lines: vec![
                    answered(call, now),
                    "The address is right. Check the token: @BotFather shows the one that is good now."
                        .to_owned(),
                ],
            },
            (None, Some(call)) => Self {
                state: "none",
                title: "A call came, but it was not answered ok".to_owned(),
                lines: vec![
                    answered(call, now),
                    "The address is right. The bot counts as connected with its first call that Telegram answers ok."
                        .to_owned(),
                ],
            },
            (Some(good), refused) => {
                let took = good.took_us.div_euclid(1_000);
                let (method, from, ago) = (&good.method, from(good), ago(now, good.at));
                let first = format!("{method} {from}, answered within {took} ms, {ago}.");
                let later = refused.filter(|call| is_refusal(call) && call.at > good.at);
                let later = later.map(|call| format!("Since then: {}", answered(call, now)));
                Self {
                    state: "good",
                    title: "The bot is connected: its first good call was seen".to_owned(),
                    lines: std::iter::once(first).chain(later).collect(),
                }
            }
        }
    }
}

/// Telegram answers so where it does not know the token.
fn is_refusal(call: &FirstCall) -> bool {
    matches!(call.code, Some(401 | 403 | 404))
}

fn answered(call: &FirstCall, now: i64) -> String {
    let (method, from, ago) = (&call.method, from(call), ago(now, call.at));
    match call.code {
        Some(code) if is_refusal(call) => {
            format!("{method} {from}: Telegram did not accept the token ({code}), {ago}.")
        }
        Some(code) => format!("{method} {from}: answered {code}, {ago}."),
        None => format!("{method} {from}: not answered, {ago}."),
    }
}

fn from(call: &FirstCall) -> String {
    let addr = if call.addr.is_empty() {
        "an unknown address"
    } else {
        &call.addr
    };
    match call.agent.as_str() {
        "" => format!("from {addr}"),
        agent => format!("from {addr} ({agent})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn call(code: Option<i64>, ago: i64) -> FirstCall {
        FirstCall {
            at: (NOW - ago) * 1_000_000,
            method: "getMe".to_owned(),
            code,
            addr: String::new(),
            agent: "lib".to_owned(),
            took_us: 1_999,
        }
    }

    #[test]
    fn what_came_first_is_told_and_what_it_means() {
        for (good, refused, state, said) in [
            (None, None, "none", "Set the address"),
            (None, Some(call(Some(401), 5)), "refused", "(401), just now"),
            (
                None,
                Some(call(Some(404), 61)),
                "refused",
                "Check the token",
            ),
            (
                None,
                Some(call(Some(409), 5)),
                "none",
                "answered 409, just now",
            ),
            (
                None,
                Some(call(Some(502), 5)),
                "none",
                "first call that Telegram answers ok",
            ),
            (None, Some(call(None, 5)), "none", "not answered"),
            (
                Some(call(None, 7_300)),
                None,
                "good",
                "from an unknown address (lib), answered within 1 ms, 2 h ago.",
            ),
            (
                Some(call(None, 60)),
                Some(call(Some(401), 30)),
                "good",
                "Since then: getMe",
            ),
        ] {
            let first = First::of(&Connection { good, refused }, NOW);
            let lines = first.lines.join(" ");
            assert_eq!(first.state, state, "{lines}");
            assert!(lines.contains(said), "{said}: {lines}");
        }
        // What was before it, or says nothing of the token, is no news.
        for refused in [call(Some(401), 90), call(Some(502), 30)] {
            let (good, refused) = (Some(call(None, 60)), Some(refused));
            let first = First::of(&Connection { good, refused }, NOW);
            assert_eq!(first.lines.len(), 1, "{first:?}");
        }
    }

    #[test]
    fn a_recipe_has_an_address_that_was_reached() {
        let reach = |address: &str, failed: bool| Reach {
            address: address.to_owned(),
            note: "",
            failed: failed.then(String::new),
        };
        let both = [reach("a", true), reach("b", false)];
        assert_eq!(best(&both, "a"), "b");
        assert_eq!(best(&both[..1], "a"), "a");
    }
}
