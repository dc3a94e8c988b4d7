//! What the registry promises of webhooks, on whichever engine. A part of `suite.rs`.
//!
//! In: a registry. Out: pass or fail. Invariant: neither a hook nor the bot's own address is in SQL in clear.

use gramtap_database::Statement;
use gramtap_events::Moment;
use gramtap_events::tenant::Mode;
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::{
    Directory, HOOK_OVERLAP, Hook, Key, Lookup, NewTenant, Registry, RegistryError, Tenant, Webhook,
};
use tokio::task::LocalSet;
use tokio::time::{Duration, sleep};

const ADDRESS: &str = "https://bot.example.org:8443/AAcanary-in-a-path?x=1";
const SECRET: &str = "AAcanary-of-the-header";

pub(crate) async fn all(registry: &Registry) {
    a_webhook_is_kept_and_given_back(registry).await;
    a_hook_is_rotated(registry).await;
    a_bots_own_webhook_is_taken_over(registry).await;
    what_waits_is_dropped(registry).await;
    nothing_of_it_is_in_clear(registry).await;
    LocalSet::new()
        .run_until(it_is_found_by_its_hooks(registry))
        .await;
}

fn webhook() -> Webhook {
    let mut webhook = Webhook::new(ADDRESS).unwrap().with_connections(7).unwrap();
    webhook.secret = Some(SECRET.to_owned().into());
    webhook
}

async fn add(registry: &Registry, bot: i64, token: bool) -> Tenant {
    let new = NewTenant {
        bot: Some(BotId(bot)),
        token: token.then(|| Token::parse(&format!("{bot}:AAcanary")).unwrap()),
        ..NewTenant::default()
    };
    registry.add(&new).await.unwrap()
}

async fn a_webhook_is_kept_and_given_back(registry: &Registry) {
    let tenant = add(registry, 1_100, true).await;
    assert!(tenant.hook.is_none() && registry.webhook(&tenant).unwrap().is_none());
    for refused in [
        registry.rotate_hook(tenant.code).await.map(drop),
        registry.release_webhook(tenant.code).await.map(drop),
    ] {
        assert!(matches!(refused, Err(RegistryError::NoWebhook(code)) if code == tenant.code));
    }
    let (set, hook) = registry
        .set_webhook(tenant.code, &webhook(), None)
        .await
        .unwrap();
    assert_eq!(set.hook, Some(hook.hash()));
    assert_eq!((set.former_hook, set.webhook_mode()), (None, Mode::Inbox));
    assert!(set.version > tenant.version);
    assert_eq!(registry.get(tenant.code).await.unwrap().unwrap(), set);
    let kept = registry.webhook(&set).unwrap().unwrap();
    assert_eq!((kept.url().as_str(), kept.max_connections), (ADDRESS, 7));
    assert_eq!(kept.secret.unwrap().expose(), SECRET);

    // Another target, and another mode, which stays.
    let other = Webhook::new("http://10.0.0.1/x").unwrap();
    let (moved, _) = registry
        .set_webhook(tenant.code, &other, Some(Mode::Relay))
        .await
        .unwrap();
    assert_eq!(
        registry.webhook(&moved).unwrap().unwrap().endpoint(),
        "http://10.0.0.1"
    );
    let (moved, last) = registry
        .set_webhook(tenant.code, &webhook(), None)
        .await
        .unwrap();
    assert_eq!(moved.webhook_mode(), Mode::Relay);

    let released = registry.release_webhook(tenant.code).await.unwrap();
    assert_eq!(released.hook, None);
    assert_eq!(
        released.former_hook.map(|former| former.hash),
        Some(last.hash())
    );
    // What still waits has somewhere to go.
    assert!(registry.webhook(&released).unwrap().is_some());
    assert_eq!(registry.get(tenant.code).await.unwrap().unwrap(), released);
}

async fn a_hook_is_rotated(registry: &Registry) {
    let code = add(registry, 1_101, false).await.code;
    let (first, before) = registry.set_webhook(code, &webhook(), None).await.unwrap();
    assert_eq!(first.webhook_mode(), Mode::Relay);
    let (second, now) = registry.rotate_hook(code).await.unwrap();
    assert_ne!(before.hash(), now.hash());
    assert_eq!(second.hook, Some(now.hash()));
    let former = second.former_hook.unwrap();
    assert_eq!(former.hash, before.hash());
    let left = former.until.time() - gramtap_events::Moment::now().time();
    assert!(left <= HOOK_OVERLAP && left > HOOK_OVERLAP - Duration::from_secs(3_600));
    assert_eq!(registry.get(code).await.unwrap().unwrap(), second);
    let (third, _) = registry.rotate_hook(code).await.unwrap();
    assert_eq!(
        third.former_hook.map(|former| former.hash),
        Some(now.hash()),
        "one at a time"
    );
}

async fn a_bots_own_webhook_is_taken_over(registry: &Registry) {
    let code = add(registry, 1_104, false).await.code;
    let first = registry.take_over(code, &webhook()).await.unwrap();
    assert_eq!(first.tenant.hook, Some(first.hook.hash()));
    // The same again, as by a bot that restarts: Telegram has the right address already.
    let mut faster = webhook().with_connections(9).unwrap();
    let again = registry.take_over(code, &faster).await.unwrap();
    assert_eq!(again.hook.expose(), first.hook.expose());
    let kept = registry.webhook(&again.tenant).unwrap().unwrap();
    assert_eq!((kept.max_connections, kept.given()), (9, ADDRESS));
    assert_eq!(kept.hook().unwrap().expose(), first.hook.expose());
    // Another secret is another webhook; Telegram refuses it.
    faster.secret = None;
    let refused = registry.take_over(code, &faster).await.unwrap();
    assert_ne!(refused.hook.hash(), first.hook.hash());
    let former = refused.tenant.former_hook.map(|former| former.hash);
    assert_eq!(former, Some(first.hook.hash()));
    let back = registry.put_back(&refused).await.unwrap().unwrap();
    let before = &again.tenant;
    assert_eq!(
        (back.hook, back.former_hook, &back.webhook),
        (before.hook, before.former_hook, &before.webhook)
    );
    assert_eq!(registry.get(code).await.unwrap().unwrap(), back);
    // What was changed since is not undone.
    let refused = registry.take_over(code, &faster).await.unwrap();
    let (changed, rotated) = registry.rotate_hook(code).await.unwrap();
    assert_eq!(registry.put_back(&refused).await.unwrap(), None);
    assert_eq!(registry.get(code).await.unwrap().unwrap(), changed);
    // A hook that was rotated is the one that is told from then on.
    let again = registry.take_over(code, &faster).await.unwrap();
    assert_eq!(again.hook.expose(), rotated.expose());
    // Deleted and set again by the bot, and then given back for good.
    let dropped = registry.drop_webhook(code, None).await.unwrap();
    assert_eq!(dropped.hook, None);
    let anew = registry.take_over(code, &faster).await.unwrap();
    assert_ne!(anew.hook.hash(), rotated.hash());
    registry.release_webhook(code).await.unwrap();
    let refused = registry.take_over(code, &faster).await;
    assert!(matches!(refused, Err(RegistryError::Released(it)) if it == code));
    registry.set_webhook(code, &webhook(), None).await.unwrap();
    registry.take_over(code, &faster).await.unwrap();
}

async fn what_waits_is_dropped(registry: &Registry) {
    let code = add(registry, 1_105, false).await.code;
    let (set, _) = registry.set_webhook(code, &webhook(), None).await.unwrap();
    let now = Moment::now();
    let later = now.plus(Duration::from_secs(7));
    assert!(!set.has_dropped(now));
    let dropped = registry.drop_waiting(code, later).await.unwrap();
    assert!(dropped.has_dropped(now) && !dropped.has_dropped(later));
    assert!(dropped.version > set.version);
    assert_eq!(registry.get(code).await.unwrap().unwrap(), dropped);
    // A call that was made earlier brings nothing back.
    let deleted = registry.drop_webhook(code, Some(now)).await.unwrap();
    assert_eq!((deleted.hook, deleted.dropped_before), (None, Some(later)));
    assert!(matches!(
        registry.drop_webhook(code, None).await,
        Err(RegistryError::NoWebhook(it)) if it == code
    ));
    let last = later.plus(Duration::from_secs(7));
    let deleted = registry.drop_webhook(code, Some(last)).await.unwrap();
    assert_eq!(deleted.dropped_before, Some(last));
    assert_eq!(registry.get(code).await.unwrap().unwrap(), deleted);
    // Another webhook leaves it as it is.
    let (set, _) = registry.set_webhook(code, &webhook(), None).await.unwrap();
    assert_eq!(set.dropped_before, Some(last));
}

async fn nothing_of_it_is_in_clear(registry: &Registry) {
    let code = add(registry, 1_102, false).await.code;
    let (_, hook) = registry.set_webhook(code, &webhook(), None).await.unwrap();
    for (name, sql) in [
        (
            "kept",
            "SELECT COALESCE(webhook, '') || COALESCE(hook_hash, '') AS text FROM tenants",
        ),
        ("told", "SELECT record AS text FROM outbox"),
    ] {
        let statement: &'static Statement = Box::leak(Box::new(Statement::new(name, sql)));
        let rows = registry.database().fetch(statement, &[]).await.unwrap();
        let whole: Vec<String> = rows.iter().map(|row| row.get("text").unwrap()).collect();
        let whole = whole.join("\n");
        assert!(whole.contains(&hook.hash().to_string()), "{name}");
        for part in ["AAcanary", "bot.example.org", hook.expose()] {
            assert!(!whole.contains(part), "{name} holds {part}");
        }
    }
}

async fn it_is_found_by_its_hooks(registry: &Registry) {
    let (directory, following) = Directory::start(registry, None, None);
    let found = async |hook: &Hook, bot: Option<i64>| {
        for _ in 0..600 {
            let lookup = directory.find(Key::Hook(hook.hash())).await;
            let leads = lookup
                .found()
                .and_then(|tenant| tenant.bot.map(|bot| bot.0));
            if lookup != Lookup::Unreachable && leads == bot {
                return;
            }
            // paced: the directory follows the registry by itself
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the hook does not lead to {bot:?}");
    };
    let code = add(registry, 1_103, false).await.code;
    found(&Hook::generate().unwrap(), None).await;
    let (_, first) = registry.set_webhook(code, &webhook(), None).await.unwrap();
    found(&first, Some(1_103)).await;
    let (_, second) = registry.rotate_hook(code).await.unwrap();
    found(&second, Some(1_103)).await;
    found(&first, Some(1_103)).await;
    let (_, third) = registry.rotate_hook(code).await.unwrap();
    found(&third, Some(1_103)).await;
    found(&second, Some(1_103)).await;
    found(&first, None).await;
    registry.remove(code, true).await.unwrap();
    for hook in [&second, &third] {
        found(hook, None).await;
    }
    following.stop().await;
}
