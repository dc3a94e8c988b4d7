//! `gramtap console link`: a way into the console for whoever runs Gramtap.
//!
//! In: the configuration. Out: one link on standard output; its hash in SQL, also beside a running `up`. Invariant: it lets in whoever has
//! it, once, within a day; nothing else of the console changes before it is used.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use gramtap_analytics::serve::{new_link, owner_link};

use crate::effective::Effective;
use crate::out;

pub(crate) async fn link(effective: Effective) -> anyhow::Result<ExitCode> {
    let url = &effective.analytics.console.public_url;
    if url.is_empty() {
        bail!("nobody could open the link: console.listen is empty or has no port of its own");
    }
    let registry = effective.open()?.registry;
    let database = registry.database();
    let refused = "the link was not made: the database does not take it";
    let first = owner_link(database, url).await.context(refused)?;
    let text = match first {
        Some(link) => told(&link, "makes you the owner of the console"),
        None => {
            let link = new_link(database, url).await.context(refused)?;
            told(
                &link,
                "gives the console's owner a new password, and signs everybody out",
            )
        }
    };
    database.close().await;
    out::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn told(link: &str, what: &str) -> String {
    format!("{link}\nOpen it in a browser within a day: it {what}. It works once.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_stands_alone_on_its_line() {
        let text = told("http://127.0.0.1:8090/welcome/x", "does something");
        assert_eq!(text.lines().next(), Some("http://127.0.0.1:8090/welcome/x"));
        assert!(text.contains("works once") && text.ends_with('\n'));
    }
}
