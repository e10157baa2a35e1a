//! A real nats-server for tests: found or downloaded, started on a free port with a separate store, killed and
//! restarted by tests.

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

/// The longest wait for a server to start. The server logs readiness, so only a failing start takes this long.
const READY: Duration = Duration::from_secs(30);

/// The settings of a server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Syncs every message to disk before acknowledging, as a deployment should.
    pub sync_always: bool,
    /// Disables JetStream.
    pub without_jetstream: bool,
    /// More lines of the server's configuration: users, accounts, TLS.
    pub more: String,
}

/// A running server. Killed, with the store deleted, when dropped.
pub struct NatsServer {
    settings: Settings,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl NatsServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// Fails if no nats-server is available, with a list of the attempts, or if the server doesn't start, with the
    /// server's output.
    pub fn start(settings: Settings) -> Result<Self> {
        let mut server = Self { settings, folder: tempfile::tempdir()?, port: free_port()?, child: None };
        if server.run().is_err() {
            // Another process may have taken the free port.
            server.port = free_port()?;
            server.run()?;
        }
        Ok(server)
    }

    /// Starts a NATS cluster of `servers` servers.
    ///
    /// # Errors
    ///
    /// Fails like [`NatsServer::start`].
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

    /// Returns the folder of the server's store. Copy the folder only while the server is stopped.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Kills the server without warning, like a power cut. The store stays.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops the server gracefully. The store stays.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        Command::new("kill").arg(child.id().to_string()).status().context("failed to run `kill`")?;
        child.wait()?;
        Ok(())
    }

    /// Restarts the server after [`NatsServer::kill`] or [`NatsServer::stop`], on the same port and store.
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
            .with_context(|| format!("failed to run {}", binary.display()))?;
        let (ready, is_ready) = mpsc::channel();
        let log = child.stderr.take().expect("stderr is piped");
        let kept = self.folder.path().join("nats.log");
        thread::spawn(move || watch(log, &kept, &ready));
        self.child = Some(child);
        match is_ready.recv_timeout(READY) {
            Ok(()) => Ok(()),
            Err(_) => {
                self.kill();
                let log = fs::read_to_string(self.folder.path().join("nats.log")).unwrap_or_default();
                bail!("{} failed to start; output:\n{log}", binary.display())
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

/// Saves the server's output, and signals readiness. Ends with the server.
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
