//! What is the same for all that is measured: the upstreams, the bots and their webhook, Kafka, which core is whose.
//!
//! In: the binary of ingress, `GRAMTAP_TEST_KAFKA`. Out: addresses, files, the environment of ingress. Invariant: the proxies have one core to themselves;
//! this process, which is load and upstream, and Kafka have the other.

use std::mem;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use gramtap_bus::Bus;
use gramtap_events::Topic;
use gramtap_events::topics::{ALL, TENANTS};
use gramtap_process::ProcessConfig;
use gramtap_settings::Settings;
use gramtap_telegram::BotId;
use gramtap_tenants::NewTenant;
use rustix::process::{Pid, Resource, getrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpSocket;

use crate::client::{NAME, Target};
use crate::inbox::endpoint::Endpoint;
use crate::proxy::{CORE, Proxy, Subject};
use crate::request::FIRST;
use crate::upstream::Upstream;

/// How long Kafka may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the file's header.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    ingress: PathBuf,
    upstreams: [Upstream; 2],
    endpoint: Endpoint,
    client_tls: Arc<rustls::ClientConfig>,
    environment: Vec<(&'static str, String)>,
}

impl Site {
    /// With so many bots.
    pub(crate) async fn start(ingress: PathBuf, bots: usize) -> Result<Self> {
        keep_to(None, CORE + 1)?;
        let kafka = std::env::var("GRAMTAP_TEST_KAFKA")
            .context("GRAMTAP_TEST_KAFKA names no broker: run `make bench`, which starts one")?;
        match broker() {
            Some(pid) => keep_to(Some(pid), CORE + 1)?,
            None => eprintln!("bench: Kafka is not ours and may take the proxies' core"),
        }
        let folder = tempfile::tempdir()?;
        let (server, client_tls) = certify(folder.path())?;
        let upstreams = [Upstream::start(None)?, Upstream::start(Some(server))?];
        let endpoint = Endpoint::start()?;
        let environment = vec![
            ("GRAMTAP_DATA_DIR", folder.path().display().to_string()),
            ("GRAMTAP_BUS__KIND", "kafka".to_owned()),
            ("GRAMTAP_KAFKA__BROKERS", kafka),
            ("GRAMTAP_PUBLIC_URL", "http://gramtap.test".to_owned()),
            ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#.to_owned()),
            (
                "GRAMTAP_WEBHOOKS__PORTS",
                format!("[\"{}\"]", endpoint.address.port()),
            ),
            ("GRAMTAP_WEBHOOKS__HTTP", "true".to_owned()),
            // The topics may tell of bots of other installations.
            ("GRAMTAP_TELEMETRY__LOG", "error".to_owned()),
        ];
        let site = Self {
            folder,
            ingress,
            upstreams,
            endpoint,
            client_tls,
            environment,
        };
        site.connect(bots).await?;
        Ok(site)
    }

    /// Topics, and bots in the registry.
    async fn connect(&self, bots: usize) -> Result<()> {
        let config = self.config()?;
        let bus = Bus::open(&config.bus)?;
        gramtap_bus::topics::apply(&bus, &ALL, PATIENCE).await?;
        let told = end(&bus, &TENANTS).await?;
        let registry = config.tenants.open()?.registry;
        for bot in 0..i64::try_from(bots)? {
            let new = NewTenant {
                bot: Some(BotId(FIRST + bot)),
                ..NewTenant::default()
            };
            registry.add(&new).await?;
        }
        registry.database().close().await;
        self.settle(&bus, told + i64::try_from(bots)?).await
    }

    /// Waits until an ingress has told the bus of all bots, which it would do while it is measured.
    async fn settle(&self, bus: &Bus, all: i64) -> Result<()> {
        let _proxy = Proxy::start(Subject::GramtapOff, self, false).await?;
        let until = Instant::now() + PATIENCE;
        while end(bus, &TENANTS).await? < all {
            ensure!(Instant::now() < until, "the bus is not told of the bots");
            // paced: nobody says when it is done
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// The settings of a process here.
    pub(crate) fn config(&self) -> Result<ProcessConfig> {
        let pairs = self.environment.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), value.clone()));
        let settings = Settings::load(None, pairs)?;
        Ok(ProcessConfig::load(&settings, "gramtap-bench")?)
    }

    /// Where bots' updates go.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The binary of the forwarder.
    pub(crate) fn forwarder(&self) -> Result<String> {
        let path = self.ingress.with_file_name("gramtap-forwarder");
        ensure!(path.exists(), "there is no {}", path.display());
        Ok(path.display().to_string())
    }

    pub(crate) fn upstream(&self, tls: bool) -> &Upstream {
        &self.upstreams[usize::from(tls)]
    }

    /// The upstream, for whoever asks it without a proxy.
    pub(crate) fn direct(&self, tls: bool) -> Target {
        Target {
            address: self.upstream(tls).address,
            tls: tls.then(|| Arc::clone(&self.client_tls)),
        }
    }

    /// The file of whom the upstream's certificate is to be trusted for.
    pub(crate) fn authority(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    pub(crate) fn ingress(&self) -> &str {
        self.ingress.to_str().unwrap_or_default()
    }

    /// Sets up a process of Gramtap's to be started here. Returns where it will answer its operator.
    pub(crate) fn set_up(&self, command: &mut Command) -> Result<SocketAddr> {
        let admin = free_address()?;
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().cloned())
            .env("GRAMTAP_ADMIN__LISTEN", admin.to_string())
            .stdout(Stdio::null());
        Ok(admin)
    }
}

/// The ends of a topic's partitions together.
pub(crate) async fn end(bus: &Bus, topic: &'static Topic) -> Result<i64> {
    let ends = bus.ends(topic).await?;
    Ok(ends.iter().map(|it| it.high).sum())
}

/// An address that nobody listens on, and that no connection gets before a proxy does: it is kept.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let port = TcpSocket::new_v4()?;
    port.set_reuseaddr(true)?;
    port.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = port.local_addr()?;
    mem::forget(port);
    Ok(address)
}

/// A certificate for the upstream, and the file of its authority: itself.
fn certify(folder: &Path) -> Result<(Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>)> {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
    std::fs::write(folder.join("ca.pem"), made.cert.pem())?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone())?;
    let client = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((Arc::new(server), Arc::new(client)))
}

/// Kafka's process, where `deploy/dev/services` has started it.
pub(crate) fn broker() -> Option<u32> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/dev-services/kafka/pid"
    );
    let text = std::fs::read_to_string(file).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Keeps a process, or this one, to one core.
fn keep_to(pid: Option<u32>, core: usize) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    let Some(pid) = pid else {
        return Ok(sched_setaffinity(None, &cores)?);
    };
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let name = task?.file_name();
        let task = name.to_str().and_then(|it| it.parse().ok());
        // Threads may end meanwhile.
        if let Some(task) = task.and_then(Pid::from_raw) {
            sched_setaffinity(Some(task), &cores).ok();
        }
    }
    Ok(())
}

/// How many files a process may have open: a call through a proxy has two of its connections.
pub(crate) fn open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(1_048_576)
}
