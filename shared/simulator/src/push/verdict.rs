//! What an answer, or the lack of one, means.
//!
//! In: how an attempt ended (`courier.rs`). Out: [`Verdict`] for the plan, with Telegram's own
//! words for `last_error_message`; and the method that an answer asks for, if it may.
//! Invariant: pure; only 200 to 299 is a success; a redirect is a failure like any other.

use std::net::IpAddr;
use std::time::Duration;

use crate::http::arguments::Arguments;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The answer came whole.
    Answered {
        status: u16,
        reason: String,
        /// As in the header; zero if there is none that can be read.
        retry_after: Duration,
    },
    Broken(Broken),
}

/// Why there is no answer. The texts are shown by getWebhookInfo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("Failed to resolve host: Name or service not known")]
    Unresolved,
    #[error("IP address {0} is reserved")]
    Reserved(IpAddr),
    #[error("IPv6-only addresses are not allowed")]
    Ipv6Only,
    #[error("IP address {0} is public: the simulated Telegram pushes to private addresses only")]
    Public(IpAddr),
    /// The system's words: `Connection refused`.
    #[error("{0}")]
    System(String),
    #[error("SSL error {{{0}}}")]
    Tls(String),
    #[error("URL is too long")]
    TooLong,
    #[error("Write timeout expired")]
    WriteTimeout,
    #[error("Read timeout expired")]
    ReadTimeout,
    #[error("Webhook connection closed")]
    Closed,
    /// What came is no answer.
    #[error("{0}")]
    Unreadable(&'static str),
}

/// What follows for the update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Taken,
    Failed {
        message: String,
        retry_after: Duration,
        /// None if there was no answer.
        status: Option<u16>,
    },
}

/// Judges an attempt.
pub(crate) fn judge(ending: &Ending) -> Verdict {
    match ending {
        Ending::Answered {
            status: 200..=299, ..
        } => Verdict::Taken,
        Ending::Answered {
            status,
            reason,
            retry_after,
        } => Verdict::Failed {
            message: format!("Wrong response from the webhook: {status} {reason}"),
            retry_after: *retry_after,
            status: Some(*status),
        },
        Ending::Broken(broken) => Verdict::Failed {
            message: broken.to_string(),
            retry_after: Duration::ZERO,
            status: None,
        },
    }
}

/// The method an answer asks for, in lower case; none of those that mean nothing here.
pub(crate) fn method(arguments: &Arguments) -> Option<String> {
    let method = arguments.text("method").to_ascii_lowercase();
    let ignored = method.is_empty()
        || method.starts_with("get")
        || ["setwebhook", "deletewebhook", "close", "logout"].contains(&method.as_str());
    (!ignored).then_some(method)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn statuses() {
        let judged = |status: u16, reason: &str| {
            judge(&Ending::Answered {
                status,
                reason: reason.to_owned(),
                retry_after: Duration::from_secs(5),
            })
        };
        for status in [200, 201, 204, 299] {
            assert_eq!(judged(status, ""), Verdict::Taken, "{status}");
        }
        for (status, reason) in [
            (100, "Continue"),
            (199, ""),
            (300, "x"),
            (302, "Found"),
            (401, "No such secret"),
            (410, "Gone"),
            (500, "Internal Server Error"),
        ] {
            let expected = Verdict::Failed {
                message: format!("Wrong response from the webhook: {status} {reason}"),
                retry_after: Duration::from_secs(5),
                status: Some(status),
            };
            assert_eq!(judged(status, reason), expected);
        }
    }

    #[test]
    fn broken_attempts_have_telegrams_words() {
        let address = IpAddr::from([10, 0, 0, 1]);
        let table = [
            (Broken::Closed, "Webhook connection closed"),
            (Broken::ReadTimeout, "Read timeout expired"),
            (Broken::WriteTimeout, "Write timeout expired"),
            (
                Broken::System("Connection refused".to_owned()),
                "Connection refused",
            ),
            (Broken::Tls("error:x".to_owned()), "SSL error {error:x}"),
            (Broken::Reserved(address), "IP address 10.0.0.1 is reserved"),
            (
                Broken::Unresolved,
                "Failed to resolve host: Name or service not known",
            ),
        ];
        for (broken, text) in table {
            let expected = Verdict::Failed {
                message: text.to_owned(),
                retry_after: Duration::ZERO,
                status: None,
            };
            assert_eq!(judge(&Ending::Broken(broken)), expected);
        }
    }

    #[test]
    fn methods_that_are_performed_and_that_are_not() {
        let asked = |form: &str| {
            let mut arguments = Arguments::default();
            arguments.add_form(form.as_bytes()).unwrap();
            method(&arguments)
        };
        assert_eq!(
            asked("method=SendMessage&text=x").as_deref(),
            Some("sendmessage")
        );
        for ignored in [
            "text=x",
            "method=",
            "method=getMe",
            "method=GETUPDATES",
            "method=getChat",
            "method=setWebhook",
            "method=DeleteWebhook",
            "method=close",
            "method=logOut",
        ] {
            assert_eq!(asked(ignored), None, "{ignored}");
        }
    }
}
