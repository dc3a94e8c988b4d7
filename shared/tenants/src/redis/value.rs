//! Keys and values in Redis, and the commands that read and write them.
//!
//! `gt:code:{code}`, `gt:bot:{id}`, `gt:hook:{hash}` and `gt:tenant:{id}` lead to a tenant; the value is `{version} {tenant as JSON}`,
//! and `{version} ` alone where the key leads nowhere since that version. `gt:round` is there while
//! nobody needs to tell Redis everything. In: `redis.rs`. Out: commands. Invariant: a value is
//! replaced only by one of the same or a newer version. Pure.

use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;

use crate::Tenant;
use crate::directory::Key;

/// How long a value is remembered; the hourly round renews it.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a round may take before another process begins one.
const ROUND: Duration = Duration::from_secs(60);
/// How long after a round none is needed.
const PAUSE: Duration = Duration::from_secs(60 * 60);

const ROUND_KEY: &str = "gt:round";

/// Sets each key, unless its version is newer. ARGV: the milliseconds to keep it, then a version
/// and a value for each key.
const SET: &str = "\
for place, key in ipairs(KEYS) do
  local version = ARGV[2 * place]
  local known = string.match(redis.call('GET', key) or '', '^%d+')
  if not known or tonumber(known) <= tonumber(version) then
    redis.call('SET', key, version .. ' ' .. ARGV[2 * place + 1], 'PX', ARGV[1])
  end
end";

/// What a key leads to since a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) key: Key,
    pub(crate) version: u64,
    /// None: nowhere.
    pub(crate) tenant: Option<Arc<Tenant>>,
}

pub(super) fn get(keys: &[Key]) -> Cmd {
    let mut command = redis::cmd("MGET");
    for key in keys {
        command.arg(name(key));
    }
    command
}

pub(super) fn set(what: &[Remembered]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(SET).arg(what.len());
    for remembered in what {
        command.arg(name(&remembered.key));
    }
    command.arg(millis(KEPT));
    for remembered in what {
        let tenant = remembered.tenant.as_deref();
        // A tenant is plain data, so this does not fail; if it did, the key would lead nowhere.
        let json = tenant.and_then(|tenant| serde_json::to_string(tenant).ok());
        command
            .arg(remembered.version)
            .arg(json.unwrap_or_default());
    }
    command
}

/// Answered with nothing if another process is at it, or was lately.
pub(super) fn begin_round() -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(ROUND_KEY).arg("begun").arg("NX");
    command.arg("PX").arg(millis(ROUND));
    command
}

pub(super) fn end_round() -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(ROUND_KEY).arg("done");
    command.arg("PX").arg(millis(PAUSE));
    command
}

/// The tenant of a value. None if it leads nowhere, or was written by another version of Gramtap.
pub(super) fn tenant(value: &[u8]) -> Option<Tenant> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    serde_json::from_slice(value.get(space + 1..)?).ok()
}

fn name(key: &Key) -> String {
    match key {
        Key::Code(code) => format!("gt:code:{code}"),
        Key::Bot(bot) => format!("gt:bot:{bot}"),
        Key::Hook(hash) => format!("gt:hook:{hash}"),
        Key::Tenant(id) => format!("gt:tenant:{id}"),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::tenant as bot;

    #[test]
    fn a_value_is_read_back() {
        let known = bot(7, Some(42), 3);
        let json = serde_json::to_string(&known).unwrap_or_default();
        assert_eq!(tenant(format!("3 {json}").as_bytes()), Some(known));
        for value in ["", "3", "3 ", "3 null", "3 {}", "x"] {
            assert_eq!(tenant(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn a_key_that_leads_nowhere_has_a_version_alone() {
        let key = Key::Bot(gramtap_telegram::BotId(42));
        let nowhere = Remembered {
            key,
            version: 9,
            tenant: None,
        };
        let packed = set(&[nowhere]).get_packed_command();
        let text = String::from_utf8_lossy(&packed);
        assert!(
            text.contains("gt:bot:42\r\n") && text.ends_with("$1\r\n9\r\n$0\r\n\r\n"),
            "{text}"
        );
    }
}
