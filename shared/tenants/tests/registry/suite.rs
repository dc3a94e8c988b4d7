//! What the registry promises, on whichever engine.
//!
//! In: a registry in an empty database. Out: pass or fail. Run on SQLite by `../registry.rs`, on
//! Postgres by `tests/it/tenants`. Invariant: only what callers can see is looked at.

use std::slice;

use futures_util::future::join_all;
use gramtap_events::tenant::Privacy;
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::registry::statements;
use gramtap_tenants::{Alter, Binding, Code, NewTenant, Registry, RegistryError, Standing, Tenant};

#[path = "standing.rs"]
mod standing;
#[path = "webhooks.rs"]
mod webhooks;

/// All of it.
pub(crate) async fn all(registry: &Registry) {
    every_query_fits_the_schema(registry).await;
    a_bot_is_added_and_read_back(registry).await;
    a_bot_is_connected_once(registry).await;
    a_removed_bot_leaves_and_may_come_back(registry).await;
    the_first_good_answer_binds_a_code(registry).await;
    of_many_first_calls_one_binds(registry).await;
    a_code_is_rebound(registry).await;
    what_is_said_of_a_bot_is_altered(registry).await;
    tokens_are_sealed_and_forgotten(registry).await;
    what_cannot_be_done_says_so(registry).await;
    webhooks::all(registry).await;
    standing::all(registry).await;
    concurrent_changes_have_versions_of_their_own(registry).await;
}

fn by_id(bot: i64) -> NewTenant {
    NewTenant {
        bot: Some(BotId(bot)),
        ..NewTenant::default()
    }
}

async fn reread(registry: &Registry, tenant: &Tenant) -> Tenant {
    registry.get(tenant.code).await.unwrap().unwrap()
}

async fn every_query_fits_the_schema(registry: &Registry) {
    let written = statements::STANDING_WRITE.statements();
    for statement in statements::ALL.into_iter().chain(written) {
        let checked = registry.database().check(statement).await;
        assert!(checked.is_ok(), "{}: {checked:?}", statement.name);
    }
}

async fn a_bot_is_added_and_read_back(registry: &Registry) {
    let new = NewTenant {
        name: Some("Shop — магазин".to_owned()),
        privacy: Some(Privacy::Full),
        ..by_id(100)
    };
    let added = registry.add(&new).await.unwrap();
    assert_eq!(added.bot, Some(BotId(100)));
    assert_eq!(added.standing_now(), Standing::Connected);
    assert_eq!(reread(registry, &added).await, added);
    assert_eq!(registry.list().await.unwrap(), slice::from_ref(&added));
    let code_only = registry.add(&NewTenant::default()).await.unwrap();
    assert_eq!(
        (code_only.bot, code_only.privacy),
        (None, Privacy::Metadata)
    );
    assert!(code_only.version > added.version);
    let listed = registry.list().await.unwrap();
    assert_eq!(listed, [code_only, added], "the newest first");
}

async fn a_bot_is_connected_once(registry: &Registry) {
    let first = registry.add(&by_id(200)).await.unwrap();
    let again = registry.add(&by_id(200)).await.unwrap_err();
    let RegistryError::Connected { bot, code } = &again else {
        panic!("{again:?}");
    };
    assert_eq!((*bot, *code), (BotId(200), first.code));
    assert!(again.to_string().contains(first.code.as_str()));
    assert_eq!(reread(registry, &first).await, first, "nothing was changed");
}

async fn a_removed_bot_leaves_and_may_come_back(registry: &Registry) {
    let added = registry.add(&by_id(300)).await.unwrap();
    let leaving = registry.remove(added.code, false).await.unwrap();
    assert_eq!(leaving.standing_now(), Standing::Leaving);
    assert!(leaving.version > added.version);
    assert_eq!(reread(registry, &added).await, leaving);
    let again = registry.remove(added.code, false).await.unwrap();
    assert_eq!(
        again.deleted_at, leaving.deleted_at,
        "the day is not begun anew"
    );

    let back = registry.add(&by_id(300)).await.unwrap();
    assert_eq!(
        (back.id, back.code),
        (added.id, added.code),
        "the same tenant"
    );
    assert_eq!(back.standing_now(), Standing::Connected);

    let gone = registry.remove(back.code, true).await.unwrap();
    assert_eq!(gone.standing_now(), Standing::Gone);
    assert_eq!(registry.get(back.code).await.unwrap(), None);
    let removed = registry.remove(back.code, true).await.unwrap_err();
    assert!(matches!(removed, RegistryError::UnknownCode(_)));
    let listed = registry.list().await.unwrap();
    assert!(!listed.iter().any(|tenant| tenant.id == added.id));

    let new = registry.add(&by_id(300)).await.unwrap();
    assert_ne!((new.id, new.code), (added.id, added.code), "another tenant");
}

async fn the_first_good_answer_binds_a_code(registry: &Registry) {
    let tenant = registry.add(&NewTenant::default()).await.unwrap();
    let bound = registry.bind_first(tenant.code, BotId(400)).await.unwrap();
    let Binding::Bound(bound) = bound else {
        panic!("{bound:?}");
    };
    assert_eq!(bound.bot, Some(BotId(400)));
    assert_eq!(reread(registry, &tenant).await, bound);
    let again = registry.bind_first(tenant.code, BotId(400)).await.unwrap();
    assert_eq!(again, Binding::Already(bound.clone()));
    let other = registry.bind_first(tenant.code, BotId(401)).await.unwrap();
    assert_eq!(other, Binding::OtherBot(bound.clone()));

    let second = registry.add(&NewTenant::default()).await.unwrap();
    let elsewhere = registry.bind_first(second.code, BotId(400)).await.unwrap();
    assert_eq!(elsewhere, Binding::OtherCode(bound));
    assert_eq!(
        reread(registry, &second).await,
        second,
        "still bound to none"
    );
}

async fn of_many_first_calls_one_binds(registry: &Registry) {
    let tenant = registry.add(&NewTenant::default()).await.unwrap();
    let calls = (500..512).map(|bot| registry.bind_first(tenant.code, BotId(bot)));
    let bindings = join_all(calls).await;
    let mut bound = 0;
    for binding in bindings {
        match binding.unwrap() {
            Binding::Bound(_) => bound += 1,
            Binding::OtherBot(other) => assert_eq!(other, reread(registry, &tenant).await),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bound, 1);
}

async fn a_code_is_rebound(registry: &Registry) {
    let one = registry.add(&by_id(600)).await.unwrap();
    let two = registry.add(&by_id(601)).await.unwrap();
    let taken = registry.rebind(one.code, BotId(601)).await.unwrap_err();
    assert!(matches!(taken, RegistryError::Connected { code, .. } if code == two.code));
    let rebound = registry.rebind(one.code, BotId(602)).await.unwrap();
    assert_eq!(rebound.bot, Some(BotId(602)));
    assert_eq!(reread(registry, &one).await, rebound);
    let same = registry.rebind(one.code, BotId(602)).await.unwrap();
    assert_eq!(same, rebound, "nothing to change");
    // The old one is free again.
    registry.add(&by_id(600)).await.unwrap();
}

async fn what_is_said_of_a_bot_is_altered(registry: &Registry) {
    let new = NewTenant {
        name: Some("before".to_owned()),
        ..by_id(650)
    };
    let before = registry.add(&new).await.unwrap();
    let renamed = Alter {
        name: Some(Some("after".to_owned())),
        ..Alter::default()
    };
    let after = registry.alter(before.code, &renamed).await.unwrap();
    assert_eq!(
        (after.name.as_deref(), after.privacy),
        (Some("after"), before.privacy)
    );
    assert!(after.version > before.version);
    assert_eq!(reread(registry, &before).await, after);
    let same = registry.alter(before.code, &renamed).await.unwrap();
    assert_eq!(same, after, "nothing to change");
    let fuller = Alter {
        name: Some(None),
        privacy: Some(Privacy::Full),
    };
    let fuller = registry.alter(before.code, &fuller).await.unwrap();
    assert_eq!(
        (fuller.name.as_deref(), fuller.privacy),
        (None, Privacy::Full)
    );
    assert_eq!(reread(registry, &before).await, fuller);
    // Directories and other services learn each change by its version.
    let waiting =
        gramtap_database::Statement::new("told", "SELECT id, record FROM outbox ORDER BY id");
    let told = registry.database().fetch(&waiting, &[]).await.unwrap();
    let of = |version: u64| {
        let id = i64::try_from(version).unwrap();
        let row = told.iter().find(|row| row.get::<i64>("id").unwrap() == id);
        row.map(|row| row.get::<String>("record").unwrap())
    };
    assert!(of(after.version).unwrap().contains(r#""name":"after""#));
    assert!(of(fuller.version).unwrap().contains(r#""privacy":"full""#));

    let long = Alter {
        name: Some(Some("n".repeat(129))),
        ..Alter::default()
    };
    let refused = registry.alter(before.code, &long).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Name));
    registry.remove(before.code, false).await.unwrap();
    let refused = registry.alter(before.code, &renamed).await.unwrap_err();
    assert!(matches!(refused, RegistryError::UnknownCode(_)));
}

async fn tokens_are_sealed_and_forgotten(registry: &Registry) {
    const CANARY: &str = "AAF-canary-secret_that_is_35_long-x";
    let token = Token::parse(&format!("700:{CANARY}")).unwrap();
    let new = NewTenant {
        token: Some(token.clone()),
        ..NewTenant::default()
    };
    let tenant = registry.add(&new).await.unwrap();
    assert!(tenant.token_stored && tenant.bot == Some(BotId(700)));
    assert!(reread(registry, &tenant).await.token_stored);
    assert_eq!(registry.token(tenant.id).await.unwrap(), Some(token));
    let sealed =
        gramtap_database::Statement::new("sealed", "SELECT tenant, key_id, sealed FROM tokens");
    for row in registry.database().fetch(&sealed, &[]).await.unwrap() {
        assert!(!row.get::<String>("sealed").unwrap().contains("canary"));
    }

    let other = Token::parse("701:other").unwrap();
    let refused = registry.store_token(tenant.code, &other).await.unwrap_err();
    assert!(matches!(refused, RegistryError::OtherBot { .. }));
    assert!(!refused.to_string().contains("other"), "{refused}");
    let newer = Token::parse("700:newer").unwrap();
    registry.store_token(tenant.code, &newer).await.unwrap();
    assert_eq!(registry.token(tenant.id).await.unwrap(), Some(newer));

    let rebound = registry.rebind(tenant.code, BotId(702)).await.unwrap();
    assert!(!rebound.token_stored);
    assert_eq!(registry.token(tenant.id).await.unwrap(), None);
    let token = Token::parse("702:third").unwrap();
    registry.store_token(tenant.code, &token).await.unwrap();
    let removed = registry.remove(tenant.code, false).await.unwrap();
    assert!(!removed.token_stored);
    assert_eq!(registry.token(tenant.id).await.unwrap(), None);
}

async fn what_cannot_be_done_says_so(registry: &Registry) {
    let code = Code::generate().unwrap();
    for error in [
        registry.remove(code, false).await.map(drop).unwrap_err(),
        registry.rebind(code, BotId(1)).await.map(drop).unwrap_err(),
        registry
            .bind_first(code, BotId(1))
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert!(matches!(error, RegistryError::UnknownCode(it) if it == code));
        assert!(!error.retry());
    }
    let long = NewTenant {
        name: Some("n".repeat(129)),
        ..NewTenant::default()
    };
    assert!(matches!(
        registry.add(&long).await,
        Err(RegistryError::Name)
    ));
    let mismatch = NewTenant {
        token: Some(Token::parse("801:x").unwrap()),
        ..by_id(800)
    };
    let refused = registry.add(&mismatch).await;
    assert!(matches!(refused, Err(RegistryError::OtherBot { .. })));
    assert!(
        registry.add(&by_id(800)).await.is_ok(),
        "nothing was left of it"
    );
}

async fn concurrent_changes_have_versions_of_their_own(registry: &Registry) {
    let additions: Vec<NewTenant> = (900..920).map(by_id).collect();
    let added = join_all(additions.iter().map(|new| registry.add(new))).await;
    let mut versions: Vec<u64> = added
        .into_iter()
        .map(|tenant| tenant.unwrap().version)
        .collect();
    versions.sort_unstable();
    let first = versions[0];
    assert_eq!(
        versions,
        (first..first + 20).collect::<Vec<_>>(),
        "none is skipped"
    );
}
