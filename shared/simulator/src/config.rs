//! How a simulator is started.
//!
//! In: whoever starts one (`gramtap simulate`, tests, benches). Out: `simulator.rs`, and the rules
//! that `methods/*` and `connection.rs` look up. Invariant: the defaults are for tests: loopback,
//! ports chosen by the system, strict tokens.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::clock::Clock;
use crate::world::webhook::WebhookRules;

/// Which server is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// api.telegram.org: a malformed token is 404, `/file/` is served, a front server answers
    /// `100 Continue`.
    #[default]
    Production,
    /// The Bot API server run by oneself: a malformed token is 401 with a text of its own, `/file/` is 404.
    Bundled,
}

/// What is kept of requests.
#[derive(Clone, Debug)]
pub struct CaptureConfig {
    /// Off: nothing is kept, `requests` is empty. For benches.
    pub enabled: bool,
    /// Requests at most; the oldest go first.
    pub requests: usize,
    /// Bytes at most over all requests; the oldest go first.
    pub bytes: usize,
    /// Bytes at most of one request's body.
    pub body_limit: usize,
}

/// Everything about a simulator.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Where plain HTTP is served; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Where HTTPS is served; `None`: nowhere.
    pub tls_listen: Option<SocketAddr>,
    /// Where the control API is served; `None`: under `/simulator/` of the two above.
    pub control_listen: Option<SocketAddr>,
    /// Names in the server's certificate besides localhost, 127.0.0.1 and ::1.
    pub tls_names: Vec<String>,
    /// Which server is played.
    pub mode: Mode,
    /// Any well-formed token is a bot; its name is made from its id.
    pub accept_any_token: bool,
    /// Any chat id is a chat; a positive one is a user who has started the bot.
    pub accept_any_chat: bool,
    /// Telegram's limit on bots that one client address begins to use: 20 a minute, 600 an hour.
    pub new_bots_limit: bool,
    /// What is kept of requests.
    pub capture: CaptureConfig,
    /// JSON answers are compressed, and then chunked, for clients that accept gzip, as a front server may.
    pub compress: bool,
    /// The largest upload: 50 MB in the cloud, 2,000 MB on a local server.
    pub upload_limit: u64,
    /// The largest file getFile gives: 20 MiB in the cloud.
    pub download_limit: u64,
    /// Bytes at most of one uploaded file that are kept for download.
    pub file_keep: usize,
    /// Bytes at most of all uploaded files together; the oldest go first.
    pub file_bytes: usize,
    /// How addresses of webhooks are checked.
    pub webhook_rules: WebhookRules,
    /// How long setWebhook takes to reach a new address. Zero: at once.
    pub webhook_verify: Duration,
    /// Where hosts of webhooks are, by name: these are dialled whatever the address; others only on this
    /// machine and in private networks.
    pub webhook_hosts: Vec<(String, SocketAddr)>,
    /// PEM of the authorities that an https webhook is trusted by, if it came without a certificate.
    pub webhook_ca: Option<String>,
    /// How long a connection may idle between requests.
    pub idle_timeout: Duration,
    /// Where time comes from.
    pub clock: Clock,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: Some(loopback),
            tls_listen: Some(loopback),
            control_listen: None,
            tls_names: Vec::new(),
            mode: Mode::Production,
            accept_any_token: false,
            accept_any_chat: false,
            new_bots_limit: false,
            capture: CaptureConfig::default(),
            compress: false,
            upload_limit: 50 << 20,
            download_limit: 20 << 20,
            file_keep: 64 << 20,
            file_bytes: 256 << 20,
            webhook_rules: WebhookRules::Any,
            webhook_verify: Duration::ZERO,
            webhook_hosts: Vec::new(),
            webhook_ca: None,
            idle_timeout: Duration::from_secs(500),
            clock: Clock::real(),
        }
    }
}

impl Default for CaptureConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            requests: 20_000,
            bytes: 256 << 20,
            body_limit: 8 << 20,
        }
    }
}
