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
        let refused = connection.refused.as_ref().map(|call| {
            let code = call
                .code
                .map_or_else(|| "no answer".to_owned(), |code| code.to_string());
            let from = from(call);
            format!(
                "A call came {from}, and Telegram did not accept its token ({code}, {}).",
                ago(now, call.at)
            )
        });
        match (&connection.good, refused) {
            (None, None) => Self {
                state: "none",
                title: "No call has come yet".to_owned(),
                lines: vec!["Set the address in your bot, start it, and this page will say so within seconds.".to_owned()],
            },
            (None, Some(refused)) => Self {
                state: "refused",
                title: "A call came, but Telegram refused its token".to_owned(),
                lines: vec![
                    refused,
                    "The address is right. Check the token: @BotFather shows the one that is good now.".to_owned(),
                ],
            },
            (Some(good), refused) => {
                let took = good.took_us.div_euclid(1_000);
                let first = format!("{} {}, answered within {took} ms, {}.", good.method, from(good), ago(now, good.at));
                let later = refused.filter(|_| connection.refused.as_ref().is_some_and(|it| it.at > good.at));
                Self {
                    state: "good",
                    title: "The bot is connected: its first good call was seen".to_owned(),
                    lines: std::iter::once(first).chain(later).collect(),
                }
            }
        }
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
