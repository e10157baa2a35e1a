//! A simulated language model: an OpenAI-compatible HTTP server with an answer for any JSON Schema.
//!
//! A reply depends only on the call (messages, schema, seed), so equal calls get equal replies from any process and in
//! any order. The quality of service varies on demand: latency, failures, garbage, rate limits, stalls, a window that
//! refuses long prompts, a server without schemas. See [`Settings`] for all settings and [`Stats`] for the statistics.
//!
//! ```no_run
//! use tributary_tests::simulated::{Settings, SimulatedModel};
//!
//! let model = SimulatedModel::start(Settings { failure_rate: 0.2, ..Settings::default() });
//! println!("export OPENAI_BASE_URL={}", model.base_url);
//! println!("{} calls were answered", model.stats().answered);
//! ```
//!
//! The path of a call: `server` reads the call (`call`), checks the `limits`, makes a `plan` (a fate from `faults`, a
//! `latency`, a `reply` to the `schema` in `words` of the prompt), wraps the reply (`answer`) and records the call
//! (`stats`, `log`, `prefix_cache`).

mod answer;
mod call;
mod connection;
mod faults;
mod hints;
mod injection;
mod latency;
mod limits;
mod log;
mod plan;
mod prefix_cache;
mod reply;
mod schema;
mod server;
mod settings;
mod stats;
mod words;

#[cfg(test)]
mod check;
#[cfg(test)]
mod tests;

pub use injection::{Injection, Outside};
pub use settings::{FailureKind, GarbageKind, SchemaSupport, Settings};
pub use stats::Stats;

use server::Server;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A running simulated model. Stops and drops every connection when dropped.
pub struct SimulatedModel {
    /// The base URL for OpenAI clients, ending in `/v1`.
    pub base_url: String,
    server: Arc<Server>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedModel {
    /// Starts on a free port of the loopback interface.
    ///
    /// The server has a separate thread and runtime: starting and dropping work inside or outside of another runtime,
    /// and the code under test isn't slowed down.
    pub fn start(settings: Settings) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_at(settings, loopback, None).expect("the loopback interface has a free port")
    }

    /// Starts at an address (port 0: a free port), with an optional log: one JSON line per served call.
    pub fn start_at(settings: Settings, address: SocketAddr, log: Option<&Path>) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let base_url = base_url(listener.local_addr()?);
        let server = Arc::new(Server::new(settings, log.map(log::Log::open).transpose()?));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("simulated-model".into()).spawn({
            let server = server.clone();
            move || serve_until(listener, server, stopped)
        })?;
        Ok(Self { base_url, server, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the statistics so far.
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Resets the statistics, the attempts of each call and the prefix cache. Calls in flight stay.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// Returns the current settings.
    pub fn settings(&self) -> Settings {
        self.server.settings().as_ref().clone()
    }

    /// Changes settings while the model runs. The change applies to later calls.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings();
        change(&mut settings);
        self.server.set(settings);
    }
}

impl Drop for SimulatedModel {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves on a runtime of this thread until `stopped`. Calls in flight are dropped with the runtime.
fn serve_until(listener: TcpListener, server: Arc<Server>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    call::warm_up();
    runtime.block_on(async {
        tokio::select! {
            served = server::serve(listener, server) => served.expect("the listener keeps accepting"),
            _ = stopped => {}
        }
    });
}

/// Returns the base URL of a bound address. The loopback address replaces the unspecified address.
fn base_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{address}/v1")
}
