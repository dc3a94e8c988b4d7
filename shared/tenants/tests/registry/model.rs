//! The registry and two directories against a plain map, under random changes.
//!
//! In: two handles on one database, as two processes have, with or without a Redis. Out: pass or
//! fail, with the seed. Run on SQLite by `../registry.rs`, on Postgres and Redis by
//! `tests/it/tenants`. Invariant: after a pause both directories say what the map says.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use gramtap_telegram::BotId;
use gramtap_tenants::{
    Binding, Code, Directory, HookHash, Key, Lookup, NewTenant, Redis, Registry, RegistryError,
    Standing, Tenant, Webhook,
};
use tokio::time::sleep;

/// After how long a change that is not seen is a failure.
const DEADLINE: Duration = Duration::from_secs(30);
const ROUNDS: u32 = 4;
const CHANGES: u32 = 20;

/// Two processes, and what they should say.
struct Model {
    registries: [Registry; 2],
    directories: [Directory; 2],
    /// The last state of each tenant, as the registry returned it.
    tenants: HashMap<Code, Tenant>,
    /// All hooks ever made.
    hooks: Vec<HookHash>,
    /// The first of the bot ids that are used.
    base: i64,
    random: u64,
}

/// Runs within a `LocalSet`.
pub(crate) async fn agrees(registries: [Registry; 2], redis: [Option<Redis>; 2], seed: u64) {
    let [first, second] = redis;
    let (one, _one) = Directory::start(&registries[0], first, None);
    let (two, _two) = Directory::start(&registries[1], second, None);
    let mut model = Model {
        registries,
        directories: [one, two],
        tenants: HashMap::new(),
        hooks: Vec::new(),
        base: 1_000_000 + i64::try_from(seed % 1_000_000).unwrap() * 100,
        random: seed | 1,
    };
    for round in 0..ROUNDS {
        for _ in 0..CHANGES {
            model.change().await;
            model.look().await;
        }
        model.settle(&format!("seed {seed}, round {round}")).await;
    }
}

impl Model {
    /// xorshift64.
    fn draw(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % below as u64).unwrap()
    }

    fn bot(&mut self) -> BotId {
        BotId(self.base + i64::try_from(self.draw(8)).unwrap())
    }

    fn code(&mut self) -> Option<Code> {
        let mut codes: Vec<Code> = self.tenants.keys().copied().collect();
        codes.sort_unstable();
        (!codes.is_empty()).then(|| codes[self.draw(codes.len())])
    }

    fn connected(&self, bot: BotId) -> Option<&Tenant> {
        let mut tenants = self.tenants.values();
        tenants.find(|tenant| tenant.bot == Some(bot) && tenant.deleted_at.is_none())
    }

    async fn change(&mut self) {
        let registry = self.registries[self.draw(2)].clone();
        let (kind, bot) = (self.draw(14), self.bot());
        let code = match (kind, self.code()) {
            (0..=3, _) | (_, None) => {
                let bot = (kind != 0).then_some(bot);
                return self.add(&registry, bot).await;
            }
            (_, Some(code)) => code,
        };
        let known = self.tenants[&code].clone();
        let other = self.connected(bot).filter(|it| it.code != code).cloned();
        let usable = known.deleted_at.is_none();
        match kind {
            4..=5 => {
                let changed = registry.remove(code, kind == 5).await;
                let served = known.standing_now() != Standing::Gone;
                assert_eq!(changed.is_ok(), served, "{changed:?} of {known:?}");
                self.tenants.extend(changed.ok().map(|it| (code, it)));
            }
            6..=7 => {
                let changed = registry.rebind(code, bot).await;
                let allowed = usable && other.is_none();
                assert_eq!(changed.is_ok(), allowed, "{changed:?} of {known:?}");
                self.tenants.extend(changed.ok().map(|it| (code, it)));
            }
            8..=10 => {
                let webhook = Webhook::new("https://bot.example.org/x").unwrap();
                let changed = match kind {
                    8 => registry.set_webhook(code, &webhook, None).await,
                    _ => registry.rotate_hook(code).await,
                };
                let allowed = usable && (kind == 8 || known.hook.is_some());
                assert_eq!(changed.is_ok(), allowed, "{changed:?} of {known:?}");
                if let Ok((tenant, hook)) = changed {
                    self.hooks.push(hook.hash());
                    self.tenants.insert(code, tenant);
                }
            }
            11 => {
                let changed = registry.release_webhook(code).await;
                assert_eq!(
                    changed.is_ok(),
                    usable && known.hook.is_some(),
                    "{changed:?} of {known:?}"
                );
                self.tenants.extend(changed.ok().map(|it| (code, it)));
            }
            _ => match registry.bind_first(code, bot).await {
                Ok(Binding::Bound(tenant)) => {
                    assert!(usable && known.bot.is_none() && other.is_none());
                    self.tenants.insert(code, tenant);
                }
                Ok(Binding::Already(tenant)) => assert_eq!(tenant, known),
                Ok(Binding::OtherBot(tenant)) => assert!(tenant == known && known.bot != Some(bot)),
                Ok(Binding::OtherCode(tenant)) => assert_eq!(Some(tenant), other),
                Err(RegistryError::UnknownCode(_)) => assert!(!usable),
                Err(error) => panic!("{error}"),
            },
        }
    }

    async fn add(&mut self, registry: &Registry, bot: Option<BotId>) {
        let new = NewTenant {
            bot,
            ..NewTenant::default()
        };
        match registry.add(&new).await {
            Ok(tenant) => {
                assert!(bot.is_none_or(|bot| self.connected(bot).is_none()));
                self.tenants.insert(tenant.code, tenant);
            }
            Err(RegistryError::Connected { bot, code }) => {
                assert_eq!(self.connected(bot).map(|it| it.code), Some(code));
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A look-up in the middle of changes is answered, whatever it says.
    async fn look(&mut self) {
        let key = match (self.draw(2), self.code()) {
            (0, Some(code)) => Key::Code(code),
            _ => Key::Bot(self.bot()),
        };
        let directory = self.directories[self.draw(2)].clone();
        assert_ne!(directory.find(key).await, Lookup::Unreachable);
    }

    /// Waits until both directories say what they should.
    async fn settle(&self, when: &str) {
        let bots = (0..8).map(|bot| BotId(self.base + bot));
        let codes = self.tenants.keys().copied().map(Key::Code);
        let hooks = self.hooks.iter().copied().map(Key::Hook);
        let ids = self.tenants.values().map(|it| Key::Tenant(it.id));
        let keys = codes.chain(bots.map(Key::Bot)).chain(hooks).chain(ids);
        let keys: Vec<Key> = keys.collect();
        let began = Instant::now();
        for directory in &self.directories {
            for key in &keys {
                let expected = self.expected(*key);
                loop {
                    let found = directory.find(*key).await;
                    if found.found().map(|it| (it.id, it.version)) == expected {
                        break;
                    }
                    assert!(
                        began.elapsed() < DEADLINE,
                        "{when}: {key:?} is {found:?} and not {expected:?}"
                    );
                    // paced: asks again until it is so
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    fn expected(&self, key: Key) -> Option<(gramtap_events::TenantId, u64)> {
        let has = |tenant: &&Tenant| match key {
            Key::Code(code) => tenant.code == code,
            Key::Bot(bot) => tenant.bot == Some(bot),
            Key::Tenant(id) => tenant.id == id,
            Key::Hook(hash) => {
                tenant.hook == Some(hash) || tenant.former_hook.is_some_and(|it| it.hash == hash)
            }
        };
        let tenants = self.tenants.values().filter(has);
        let served = tenants.max_by_key(|it| (it.deleted_at.is_none(), it.version))?;
        let found = served.standing_now() != Standing::Gone;
        found.then_some((served.id, served.version))
    }
}
