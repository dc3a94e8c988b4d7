//! The arguments of `gramtap`, and their help.
//!
//! In: the command line. Out: [`Cli`], to `main.rs`. Invariant: names and defaults are a contract
//! that scripts rely on; a token is held as a secret from the first moment, so that no `Debug` and
//! no message of the parser shows it (`hide.rs` sees to those that were put in a wrong place).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand};
use gramtap_events::tenant::{Mode, Privacy};
use gramtap_events::{Topic, topics};
use gramtap_settings::SecretString;
use gramtap_telegram::BotId;
use gramtap_tenants::Code;
use serde::de::IntoDeserializer as _;

/// Stands between Telegram and your bots, and tells what passes.
///
/// Start with `gramtap up` in one terminal, then `gramtap bots add --id <bot id>` in another, and
/// give your bot the address that it prints.
#[derive(Debug, Parser)]
#[command(name = "gramtap", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// A configuration file; else the one that GRAMTAP_CONFIG names. `gramtap config` prints all keys.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all services in this process, until SIGTERM or Ctrl-C drains them.
    Up,
    /// Look around: four live bots with simulated users, behind a real Gramtap.
    ///
    /// Everything runs in this process and on this machine: a simulated Telegram, all of Gramtap in front of it, and four
    /// bots behind it. "Tidy" does everything right, "Clumsy" makes the mistakes that bots make, and
    /// "Rivals" was started twice, "Sleepy" has a webhook that falls over once a minute. Nothing is made up but the people: the
    /// pages, topics and numbers show calls that were made.
    ///
    /// What it keeps is in a temporary folder that is removed at the end. No configuration is read but, of the environment,
    /// GRAMTAP_INGRESS__LISTEN, GRAMTAP_CONSOLE__LISTEN, GRAMTAP_CONSOLE__PUBLIC_URL, GRAMTAP_ADMIN__LISTEN and
    /// GRAMTAP_TELEMETRY__*; a usual port that is taken gives way to a free one. Ctrl-C ends it.
    Demo(Demo),
    /// Connect, list and remove bots; also while `gramtap up` runs.
    #[command(subcommand)]
    Bots(Bots),
    /// The console.
    #[command(subcommand)]
    Console(Console),
    /// Updates that were given up: list them, look at one, have them delivered again.
    ///
    /// An update that could not be delivered to a bot's webhook, or not in time, is kept for 14 days. It is delivered again by whatever runs:
    /// these commands only need the database, and may be used beside `gramtap up`.
    #[command(subcommand)]
    Dead(Dead),
    /// Show records as they come.
    Tail(Tail),
    /// Run a simulated Telegram: an offline Bot API for the tests of any bot.
    ///
    /// Bots may poll or set a webhook: updates are pushed as Telegram pushes them, to addresses of this machine and of
    /// private networks only. An https webhook is trusted by --webhook-ca, or by the certificate it was set with.
    Simulate(Simulate),
    /// Kafka's topics.
    #[command(subcommand)]
    Topics(Topics),
    /// Print the whole effective configuration, commented, secrets hidden.
    Config,
    /// Check everything that Gramtap depends on, and say what to do; exits 1 if anything is wrong.
    Doctor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bots {
    /// Connect a bot, and print its addresses and how to set them in each library.
    Add(Add),
    /// List the connected bots, the newest first.
    List(List),
    /// Give a bot its webhook back: what it sets by itself is left alone from then on.
    ///
    /// Telegram is told the bot's own address if the bot's token is stored here; if not, the command to do so is printed.
    Release(Which),
    /// Give a bot's webhook another address here, because somebody knows the old one. That is good for a day more.
    ///
    /// Telegram is told if the bot's token is stored here; if not, the command to do so is printed.
    RotateHook(Which),
    /// Remove a bot. Its calls are relayed for a day more, without records.
    Rm(Rm),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// List them, the newest first, with the cause and the record that each is named by.
    List(DeadList),
    /// Show one: why it was given up, its attempts, what to do.
    Show(DeadShow),
    /// Deliver them again, to the bot's webhook or to another address, the oldest first; each has a day to be delivered in.
    Replay(DeadReplay),
}

/// Which are meant.
#[derive(Debug, Args)]
pub(crate) struct DeadWhich {
    /// Those that were given up for this cause, such as expired or endpoint_gone; `list` shows the words.
    #[arg(long, value_name = "WORD")]
    pub(crate) cause: Option<String>,
    /// Those of this kind, such as message or callback_query.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Those that were given up in the last while, such as 30m or 12h.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(crate) since: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct DeadList {
    /// The bot: its code, bot id or tenant id.
    #[arg(long, value_name = "BOT")]
    pub(crate) bot: String,
    #[command(flatten)]
    pub(crate) which: DeadWhich,
    /// Those that somebody has asked to have delivered, too.
    #[arg(long)]
    pub(crate) replayed: bool,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Print one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeadShow {
    /// The bot: its code, bot id or tenant id.
    #[arg(long, value_name = "BOT")]
    pub(crate) bot: String,
    /// Its record, as `list` shows it.
    pub(crate) record: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("meant").args(["records", "cause", "kind", "since", "all"]).multiple(true).required(true))]
pub(crate) struct DeadReplay {
    /// The bot: its code, bot id or tenant id.
    #[arg(long, value_name = "BOT")]
    pub(crate) bot: String,
    /// These, by their records. Also those that were replayed before.
    #[arg(value_name = "RECORD", conflicts_with_all = ["cause", "kind", "since", "all"])]
    pub(crate) records: Vec<String>,
    #[command(flatten)]
    pub(crate) which: DeadWhich,
    /// All that were not asked for before.
    #[arg(long)]
    pub(crate) all: bool,
    /// Deliver them there instead of to the bot's webhook: a URL that the bot's updates may go to. It is kept sealed until it is used.
    #[arg(long, value_name = "URL", value_parser = secret)]
    pub(crate) to: Option<SecretString>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Console {
    /// Print a one-time link: it makes the owner, or gives an owner who lost it a new password.
    Link,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Topics {
    /// Create the topics that are missing, adjust the others, or say how they differ.
    Apply,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["token", "id", "code_only"]).multiple(true).required(true))]
pub(crate) struct Add {
    /// Its token, asked of Telegram with getMe; only the bot's id is kept. `-` reads it from
    /// standard input, where no other user of this machine can see it.
    #[arg(long, value_name = "TOKEN", value_parser = secret, conflicts_with_all = ["id", "code_only"])]
    pub(crate) token: Option<SecretString>,
    /// Keep the token too, sealed with the installation's key.
    #[arg(long, requires = "token", conflicts_with_all = ["id", "code_only"])]
    pub(crate) store_token: bool,
    /// Its bot id, the number before the colon of its token. Telegram is not asked.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<BotId>,
    /// Give it an address of its own, and bind that to the first bot that calls with success, or to --id.
    #[arg(long)]
    pub(crate) code_only: bool,
    /// What to call it.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What is kept of bodies: off, metadata, pseudonymous or full [default: metadata].
    #[arg(long, value_name = "MODE")]
    pub(crate) privacy: Option<Privacy>,
    /// Take its webhook over: where it takes updates now. Prints the address that Telegram is to be given instead.
    #[arg(long, value_name = "URL", value_parser = secret)]
    pub(crate) webhook_url: Option<SecretString>,
    /// The secret_token of its setWebhook call: what does not hold it is refused.
    #[arg(long, value_name = "SECRET", value_parser = secret, requires = "webhook_url")]
    pub(crate) webhook_secret: Option<SecretString>,
    /// A PEM file: the certificate of its webhook, or of the authority that made it, if no public one did. It is trusted for this bot
    /// alone.
    #[arg(long, value_name = "FILE", requires = "webhook_url")]
    pub(crate) webhook_ca: Option<PathBuf>,
    /// How its updates reach it: inbox or relay [default: inbox with --store-token, else relay].
    ///
    /// inbox: Telegram is answered as soon as the update is safe here; then it is delivered, again and again until the bot has it or
    /// its time is over. A method in the bot's answer is then called by Gramtap, which takes the stored token; without one it is not
    /// called, so a bot that answers with methods needs relay. relay: the bot is asked at once, and its answer is Telegram's.
    #[arg(long, value_name = "MODE", requires = "webhook_url")]
    pub(crate) mode: Option<Mode>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// Its code, as `gramtap bots list` shows it.
    pub(crate) code: Code,
}

#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// Its code, as `gramtap bots list` shows it.
    pub(crate) code: Code,
    /// At once: its calls are answered as unknown from now on. Some libraries stop for good then.
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// One bot alone: its code, bot id or tenant id.
    #[arg(long, value_name = "BOT")]
    pub(crate) bot: Option<String>,
    /// One topic alone: calls, updates, events, errors, tenants or seen, or its full name.
    #[arg(long, value_name = "TOPIC", value_parser = topic)]
    pub(crate) topic: Option<&'static Topic>,
    /// Print each record as it is, a JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End by itself after this time, such as 30s or 5m [default: never].
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub(crate) duration: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    pub(crate) listen: SocketAddr,
    /// PEM file of the authorities that https webhooks are trusted by.
    #[arg(long, value_name = "FILE")]
    pub(crate) webhook_ca: Option<PathBuf>,
}

fn span(text: &str) -> Result<Duration, serde::de::value::Error> {
    gramtap_settings::duration::deserialize(text.into_deserializer())
}

fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::new(text.to_owned()))
}

fn topic(name: &str) -> Result<&'static Topic, String> {
    topics::named(name).ok_or_else(|| {
        let names: Vec<_> = topics::ALL.iter().map(|topic| topic.name).collect();
        format!("the topics are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
