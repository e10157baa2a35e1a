//! A simulated language model: an OpenAI-compatible HTTP server that answers any JSON Schema.
//!
//! Its reply depends on the call alone (messages, schema, seed), so equal calls get equal replies whatever process asks
//! and in whatever order. What varies on demand is how well it serves: latency, failures, garbage, ceilings, stalls, a
//! window that refuses long prompts, a server that knows no schemas. See [`Settings`] for all of it and [`Stats`] for
//! what it remembers.
//!
//! ```no_run
//! use tributary_tests::simulated::{Settings, SimulatedModel};
//!
//! let model = SimulatedModel::start(Settings { failure_rate: 0.2, ..Settings::default() });
//! println!("export OPENAI_BASE_URL={}", model.base_url);
//! println!("{} calls were answered", model.stats().answered);
//! ```
//!
//! How a call passes through the rooms: `server` reads it (`call`), asks the `limits`, makes a `plan` (its fate
//! by `faults`, its `latency`, its `reply` to the `schema` in `words` of the prompt), wraps it (`answer`) and
//! books it (`stats`, `log`, `prefix_cache`).

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

/// A running simulated model. It stops, and drops every connection, when this value is dropped.
pub struct SimulatedModel {
    /// What an OpenAI client takes as its base URL, with `/v1`.
    pub base_url: String,
    server: Arc<Server>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedModel {
    /// Starts on a free port of the loopback interface.
    ///
    /// The server has a thread and a runtime of its own: it may be started and dropped inside or outside of another
    /// runtime, and doesn't slow the code under test.
    pub fn start(settings: Settings) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_at(settings, loopback, None).expect("the loopback interface has a free port")
    }

    /// Starts at an address (port 0: a free one), with a log where one is wanted: a JSON line for each call served.
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

    /// What the model has seen and done so far.
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Forgets the statistics, the attempts made at each call and the prefix cache; calls in flight stay.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.server.settings().as_ref().clone()
    }

    /// Changes settings while the model runs; calls that arrive from now on see the change.
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

/// Serves on a runtime of this thread's own until told to stop; what is in flight then is dropped with the runtime.
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

/// The base URL of a bound address; the unspecified one is reached over the loopback interface.
fn base_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{address}/v1")
}
