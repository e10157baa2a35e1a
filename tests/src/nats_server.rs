//! A real nats-server for tests: found or fetched, started on a free port with a store of its own, killed and started
//! again at will.

mod binary;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// How long a server may take to be ready. Its start says so, so this is only waited for where it fails.
const READY: Duration = Duration::from_secs(30);

/// What a server is to be like.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Syncs every message to disk before it is acknowledged, as a deployment should.
    pub sync_always: bool,
    /// Runs without JetStream.
    pub without_jetstream: bool,
    /// More lines of its configuration: users, accounts, TLS.
    pub more: String,
}

/// A running server. Dropped, it is killed, and its store goes with it.
pub struct NatsServer {
    settings: Settings,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl NatsServer {
    /// # Errors
    ///
    /// Where no nats-server can be had, it says what was tried; where the server doesn't start, what it wrote.
    pub fn start(settings: Settings) -> Result<Self> {
        let mut server = Self { settings, folder: tempfile::tempdir()?, port: free_port()?, child: None };
        if server.run().is_err() {
            // Another process may have taken the free port.
            server.port = free_port()?;
            server.run()?;
        }
        Ok(server)
    }

    /// So many servers that are one cluster.
    ///
    /// # Errors
    ///
    /// As [`NatsServer::start`].
    pub fn cluster(servers: usize) -> Result<Vec<Self>> {
        let ports = (0..servers).map(|_| free_port()).collect::<Result<Vec<_>>>()?;
        let routes: Vec<String> = ports.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        let member = |number: usize| {
            let more = format!(
                "server_name: member-{number}\ncluster {{ name: tests, listen: \"127.0.0.1:{}\", routes: [{}] }}",
                ports[number],
                routes.join(", ")
            );
            Self::start(Settings { more, ..Settings::default() })
        };
        (0..servers).map(member).collect()
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The folder that holds what the server keeps. To be copied only while it is stopped.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Kills it with no warning, as a power cut would; its store stays.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it in good order; its store stays.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        Command::new("kill").arg(child.id().to_string()).status().context("`kill` can't be run")?;
        child.wait()?;
        Ok(())
    }

    /// Starts it again after [`NatsServer::kill`] or [`NatsServer::stop`], on the same port and store.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.run()
    }

    fn run(&mut self) -> Result<()> {
        let binary = binary::find()?;
        let config = self.folder.path().join("nats.conf");
        fs::write(&config, self.config())?;
        let mut child = Command::new(&binary)
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} can't be run", binary.display()))?;
        let (ready, is_ready) = mpsc::channel();
        let log = child.stderr.take().expect("it is piped");
        let kept = self.folder.path().join("nats.log");
        thread::spawn(move || watch(log, &kept, &ready));
        self.child = Some(child);
        match is_ready.recv_timeout(READY) {
            Ok(()) => Ok(()),
            Err(_) => {
                self.kill();
                let log = fs::read_to_string(self.folder.path().join("nats.log")).unwrap_or_default();
                bail!("{} doesn't start; it wrote:\n{log}", binary.display())
            }
        }
    }

    fn config(&self) -> String {
        let store = self.store();
        let sync = if self.settings.sync_always { "sync_interval: always" } else { "" };
        let jetstream = if self.settings.without_jetstream {
            String::new()
        } else {
            format!("jetstream {{\n  store_dir: {:?}\n  {sync}\n}}\n", store.display().to_string())
        };
        format!("listen: \"127.0.0.1:{}\"\n{jetstream}{}\n", self.port, self.settings.more)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Keeps what the server writes, and tells when it is ready. Ends with the server.
fn watch(log: impl std::io::Read, kept: &Path, ready: &mpsc::Sender<()>) {
    let mut text = String::new();
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if line.contains("Server is ready") {
            let _ = ready.send(());
        }
        text.push_str(&line);
        text.push('\n');
        let _ = fs::write(kept, &text);
    }
}
