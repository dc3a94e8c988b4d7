//! Ways into an inner network, written in every way that is known to have fooled somebody: none passes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::corpus::URLS;
use super::*;

const PUBLIC: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(149, 154, 167, 220));

/// What is said of a URL whose name, if it has one, resolves to a public address.
fn said(policy: &Policy, url: &str) -> Result<Vec<SocketAddr>, Refusal> {
    policy.check(&Endpoint::parse(url)?, &[PUBLIC])
}

#[test]
fn no_way_into_an_inner_network_passes() {
    let policy = Policy::default();
    assert!(URLS.len() >= 60);
    for (url, label) in URLS {
        let refusal = said(&policy, url).map_err(Refusal::label);
        assert_eq!(refusal, Err(*label), "{url}");
    }
    let seen: BTreeSet<_> = URLS.iter().map(|(url, _)| url).collect();
    assert_eq!(seen.len(), URLS.len());
}

#[test]
fn a_name_is_called_at_its_public_addresses_alone() {
    let policy = Policy::default();
    let endpoint = Endpoint::parse("https://bot.example.com/hook?x=1").unwrap();
    assert_eq!(endpoint.name(), Some("bot.example.com"));
    let check = |addresses: &[&str]| {
        let resolved: Vec<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
        policy.check(&endpoint, &resolved).map_err(Refusal::label)
    };
    let dial = |addresses: &[&str]| Ok(addresses.iter().map(|it| it.parse().unwrap()).collect());
    assert_eq!(check(&[]), Err("address_missing"));
    assert_eq!(check(&["127.0.0.1"]), Err("address_loopback"));
    assert_eq!(
        check(&["::ffff:10.0.0.1", "10.0.0.1"]),
        Err("address_embedded")
    );
    assert_eq!(check(&["8.8.8.8"]), dial(&["8.8.8.8:443"]));
    let mixed = ["10.0.0.1", "2a00:1450::1", "169.254.169.254", "8.8.8.8"];
    assert_eq!(check(&mixed), dial(&["[2a00:1450::1]:443", "8.8.8.8:443"]));
}

#[test]
fn an_address_in_the_url_is_dialled_whatever_was_resolved() {
    let policy = Policy::default();
    assert_eq!(
        said(&policy, "https://8.8.8.8:8443/"),
        Ok(vec!["8.8.8.8:8443".parse().unwrap()])
    );
    assert_eq!(
        said(&policy, "https://134744072/"),
        Ok(vec!["8.8.8.8:443".parse().unwrap()])
    );
    assert_eq!(Endpoint::parse("https://8.8.8.8/").unwrap().name(), None);
}

#[test]
fn the_operator_opens_what_is_wanted_and_nothing_beside() {
    let policy = Policy {
        ports: vec![8080],
        allow: ["10.1.0.0/16", "fd00::/8"]
            .map(|net| net.parse().unwrap())
            .into_iter()
            .collect(),
        clear: true,
        credentials: true,
    };
    for url in [
        "http://10.1.2.3:8080/",
        "https://user:AAcanary@10.1.255.255/",
        "https://[fd00::5]/",
        "http://bot.example.com/",
        "https://bot.example.com:88/",
    ] {
        assert!(said(&policy, url).is_ok(), "{url}");
    }
    for (url, label) in [
        ("http://10.2.0.1:8080/", "address_private"),
        ("https://[fc00::5]/", "address_private"),
        ("https://[::ffff:10.1.0.1]/", "address_embedded"),
        ("http://bot.example.com:8081/", "url_port"),
        ("http://127.0.0.1:8080/", "address_loopback"),
    ] {
        let refusal = said(&policy, url).map_err(Refusal::label);
        assert_eq!(refusal, Err(label), "{url}");
    }
}

#[test]
fn names_are_read_as_dns_has_them() {
    let host = |url: &str| Endpoint::parse(url).unwrap().to_string();
    assert_eq!(host("https://БОТ.example/x"), "https://xn--90a0am.example");
    assert_eq!(
        host("HTTPS://Bot.Example.COM:443/x"),
        "https://bot.example.com"
    );
    assert_eq!(
        host("https://bot.example.com:8443/x"),
        "https://bot.example.com:8443"
    );
    assert_eq!(host("https://[2a00::1]:88/"), "https://[2a00::1]:88");
}

#[test]
fn nothing_secret_of_a_url_is_shown() {
    let url = "https://user:AAcanary1@bot.example.com/AAcanary2?t=AAcanary3#AAcanary4";
    let endpoint = Endpoint::parse(url).unwrap();
    assert_eq!(
        format!("{endpoint} {endpoint:?}"),
        "https://bot.example.com https://bot.example.com"
    );
}

#[test]
fn each_refusal_says_what_to_do() {
    let others = [
        Refusal::Malformed,
        Refusal::Scheme,
        Refusal::Credentials,
        Refusal::HostMissing,
        Refusal::HostDot,
        Refusal::Port(22),
        Refusal::AddressMissing,
    ];
    let mut labels = BTreeSet::new();
    for refusal in Kind::ALL.into_iter().map(Refusal::Address).chain(others) {
        let label = refusal.label();
        assert!(labels.insert(label), "{label}");
        assert!(refusal.to_string().contains(';'), "{refusal}");
    }
    let unseen: Vec<_> = URLS.iter().map(|(_, label)| *label).collect();
    labels.retain(|label| !unseen.contains(label));
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["address_missing"]);
}

proptest! {
    #[test]
    fn an_ipv4_address_is_refused_alike_however_it_is_written(bits: u32) {
        let policy = Policy::default();
        let address = std::net::Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = address.octets();
        let plain = said(&policy, &format!("https://{address}/"));
        prop_assert_eq!(plain.is_err(), address::refused(address.into()).is_some());
        let forms = [
            format!("{bits}"), format!("{bits:#x}"), format!("0{bits:o}"),
            format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"), format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            format!("{a}.{}", bits & 0xff_ffff), format!("{a}.{b}.{}", bits & 0xffff),
        ];
        for form in forms {
            prop_assert_eq!(&said(&policy, &format!("https://{form}/")), &plain, "{}", form);
        }
        let inside = [
            format!("::ffff:{address}"), format!("::{address}"), format!("64:ff9b::{address}"),
            format!("2002:{:x}:{:x}::1", bits >> 16, bits & 0xffff),
        ];
        for form in inside {
            prop_assert!(said(&policy, &format!("https://[{form}]/")).is_err(), "{}", form);
        }
    }

    #[test]
    fn no_text_panics_and_none_reaches_what_was_not_checked(url in "(https?:)?[/\\\\]{0,3}[0-9a-fx.:@%\\[\\]#?/-]{0,30}", text: String) {
        for url in [url, text] {
            if let Ok(dial) = said(&Policy::default(), &url) {
                prop_assert!(dial.iter().all(|it| address::refused(it.ip()).is_none()), "{} {:?}", url, dial);
            }
        }
    }
}
