//! Hiding secrets in values that are to be printed. Input: `render.rs` and whoever logs an address
//! from the configuration. Output: a text with three stars where a secret was or might have been.
//! Invariant: in doubt more is hidden, not less. Pure.

use crate::value::Value;

const HIDDEN: &str = "***";
/// What ends a parameter.
const SEPARATORS: [char; 5] = ['?', '&', ';', ' ', ','];

/// What in a name tells that its value is secret.
const SENSITIVE: [&str; 6] = ["password", "secret", "key", "token", "jaas", "oauthbearer"];

/// Whether the value of `key` may be or contain a secret, so that error texts do not show it.
pub(crate) fn is_sensitive(key: &str) -> bool {
    matches!(
        key,
        "secrets.key" | "redis.url" | "database.url" | "kafka.properties"
    )
}

/// A value as an error text may show it.
pub(crate) fn shown(key: &str, value: &Value) -> Option<String> {
    match value {
        _ if is_sensitive(key) => None,
        Value::Text(text) => showable(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::List(_) => None,
    }
}

/// Only what cannot be an address with a password, a bot token or a key is shown.
pub(crate) fn showable(text: &str) -> Option<String> {
    let plain = |character: char| character.is_alphanumeric() || " ._-+,%".contains(character);
    (text.chars().count() <= 24 && text.chars().all(plain)).then(|| text.to_owned())
}

/// The value of `key` with what is secret in it hidden. An empty value stays empty: that a secret
/// is not set is worth knowing.
pub(crate) fn mask_value(key: &str, value: &Value) -> Value {
    match (key, value) {
        ("secrets.key", Value::Text(text)) if !text.is_empty() => Value::Text(HIDDEN.to_owned()),
        ("kafka.properties", Value::List(items)) => {
            Value::List(items.iter().map(|item| mask_property(item)).collect())
        }
        (_, Value::Text(text)) => Value::Text(mask_text(text)),
        (_, Value::List(items)) => Value::List(items.iter().map(|item| mask_text(item)).collect()),
        (_, value) => value.clone(),
    }
}

/// `name=value` of librdkafka: the value is hidden when the name tells that it may be secret.
/// Without a name nothing is known of it, so all of it is hidden.
fn mask_property(property: &str) -> String {
    match property.split_once('=') {
        Some((name, _)) if names_secret(name) => format!("{name}={HIDDEN}"),
        Some((name, value)) => format!("{name}={}", mask_text(value)),
        None => HIDDEN.to_owned(),
    }
}

/// Hides the password of an address (`scheme://user:password@host`), the values of parameters whose
/// name tells that they are secret (`?password=`, `&token=`), and bot tokens.
pub fn mask_text(text: &str) -> String {
    mask_token(&mask_account(text))
        .split_inclusive(SEPARATORS)
        .map(mask_parameter)
        .collect()
}

fn mask_account(text: &str) -> String {
    // Everything up to the last @ counts as user and password, because a password that was pasted
    // without escaping may itself contain @, / or ?.
    let parts = text
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    let Some((scheme, (account, host))) = parts else {
        return text.to_owned();
    };
    match account.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}@{host}"),
        None => format!("{scheme}://{HIDDEN}@{host}"),
    }
}

/// `123456:` and a long word: somebody has pasted a bot's token where an address belongs.
fn mask_token(text: &str) -> String {
    let is_secret = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    let first = |text: &str| {
        [":", "%3A", "%3a"]
            .into_iter()
            .filter_map(|colon| Some((text.find(colon)?, colon)))
            .min()
    };
    while let Some((at, colon)) = first(rest) {
        let (before, after) = (&rest[..at], &rest[at + colon.len()..]);
        let digits = before.len()
            - before
                .trim_end_matches(|letter: char| letter.is_ascii_digit())
                .len();
        let secret = after
            .find(|letter| !is_secret(letter))
            .unwrap_or(after.len());
        masked.push_str(&rest[..at + colon.len()]);
        rest = after;
        if digits >= 5 && secret >= 20 {
            masked.push_str(HIDDEN);
            rest = &after[secret..];
        }
    }
    masked + rest
}

/// One parameter with the separator that ends it, if one does.
fn mask_parameter(part: &str) -> String {
    let parameter = part.trim_end_matches(SEPARATORS);
    match parameter.split_once('=') {
        Some((name, value)) if !value.is_empty() && names_secret(name) => {
            format!("{name}={HIDDEN}{}", &part[parameter.len()..])
        }
        _ => part.to_owned(),
    }
}

fn names_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SENSITIVE.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_hidden_and_what_is_not() {
        for (text, expected) in [
            ("", ""),
            ("127.0.0.1:9092", "127.0.0.1:9092"),
            ("https://api.telegram.org", "https://api.telegram.org"),
            ("redis://10.0.0.1:6379/0", "redis://10.0.0.1:6379/0"),
            ("redis://:canary@host:6379", "redis://:***@host:6379"),
            ("rediss://user:canary@host/1", "rediss://user:***@host/1"),
            ("redis://canary@host", "redis://***@host"),
            ("postgres://u:ca@na/ry?@host/db", "postgres://u:***@host/db"),
            (
                "postgres://host/db?user=u&password=canary&sslmode=require",
                "postgres://host/db?user=u&password=***&sslmode=require",
            ),
            (
                "host=h user=u password=canary dbname=d",
                "host=h user=u password=*** dbname=d",
            ),
            (
                "https://api.telegram.org/bot123456:CANARYCANARYCANARY_-0123/",
                "https://api.telegram.org/bot123456:***/",
            ),
            ("/bot123456%3aCANARYCANARYCANARY_-0123", "/bot123456%3a***"),
            ("http://127.0.0.1:8080:9", "http://127.0.0.1:8080:9"),
            ("sqlite:/var/lib/gramtap.db", "sqlite:/var/lib/gramtap.db"),
        ] {
            assert_eq!(mask_text(text), expected, "{text}");
        }
    }

    #[test]
    fn properties_of_librdkafka() {
        for (property, expected) in [
            ("security.protocol=sasl_ssl", "security.protocol=sasl_ssl"),
            ("sasl.username=me", "sasl.username=me"),
            ("sasl.password=canary", "sasl.password=***"),
            ("SASL.Password = can=ary", "SASL.Password =***"),
            ("ssl.key.pem=canary", "ssl.key.pem=***"),
            (
                "sasl.oauthbearer.client.secret=canary",
                "sasl.oauthbearer.client.secret=***",
            ),
            (
                "sasl.oauthbearer.config=canary",
                "sasl.oauthbearer.config=***",
            ),
            ("canary", "***"),
        ] {
            assert_eq!(mask_property(property), expected, "{property}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn a_password_in_an_address_never_shows(
            user in "[a-z]{0,8}",
            before in "[!-~]{0,8}",
            after in "[!-~]{0,8}",
            host in "[a-z.]{1,12}(:[0-9]{1,4})?(/[a-z0-9]{0,5})?",
        ) {
            let text = format!("redis://{user}:{before}CANARY{after}@{host}");
            prop_assert!(!mask_text(&text).contains("CANARY"), "{}", mask_text(&text));
        }
    }
}
