//! The HTTP server of a role for probes and monitoring: `/healthz`, `/readyz` and `/metrics`.

use std::{
    io::ErrorKind,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::{Context, anyhow};
use axum::{Router, http::StatusCode, routing::get};
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tributary_coordinator::service::ServiceFigures;
use tributary_protocol::{
    bus::{Bus, Lag},
    task::Kind,
};
use tributary_worker::pool::Pool;

use crate::{
    args::RoleArgs,
    exit::{Exit, Failure, OrExit},
    settings::Loaded,
    terminal::Terminal,
};

/// The address that disables the server.
const OFF: &str = "off";

/// The number of ports to try above the default port if the default port is in use.
const PORTS_ABOVE: u16 = 15;

/// The upper bounds of the histogram buckets of durations, from an immediate answer to the longest call.
const SECONDS: [f64; 14] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 90.0, 300.0, 900.0];

/// The interval between readings of the gauges.
const EVERY: Duration = Duration::from_secs(1);

/// The interval between queries of the queue lag, and the timeout of a query.
const LAG_EVERY: Duration = Duration::from_secs(5);

/// The readiness of a role. Liveness needs no state: a process that answers is alive.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<Option<Check>>>);

type Check = Box<dyn Fn() -> bool + Send>;

impl Health {
    /// Marks the role ready as long as `holds` returns true.
    pub fn ready_while(&self, holds: impl Fn() -> bool + Send + 'static) {
        *self.check() = Some(Box::new(holds));
    }

    pub fn stopping(&self) {
        *self.check() = None;
    }

    fn is_ready(&self) -> bool {
        self.check().as_ref().is_some_and(|holds| holds())
    }

    fn check(&self) -> MutexGuard<'_, Option<Check>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address of a role's HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    /// Set if higher ports may be used instead: the port is the default, and another role may hold the same port.
    or_above: bool,
}

impl Address {
    /// Returns the addresses to try, in order.
    fn candidates(&self) -> impl Iterator<Item = String> {
        let above = if self.or_above { PORTS_ABOVE } else { 0 };
        (self.port..=self.port.saturating_add(above)).map(|port| format!("{}:{port}", self.host))
    }

    async fn listen(&self) -> anyhow::Result<TcpListener> {
        for candidate in self.candidates() {
            match TcpListener::bind(&candidate).await {
                Err(error) if error.kind() == ErrorKind::AddrInUse && self.or_above => {}
                listener => return listener.with_context(|| format!("failed to listen on {candidate}")),
            }
        }
        let last = self.port.saturating_add(PORTS_ABOVE);
        Err(anyhow!(
            "the ports {} to {last} are all in use; set `listen` (or --listen) to a free port or to `{OFF}`",
            self.port
        ))
    }
}

/// Returns the address to listen on, or `None` if the server is disabled.
pub fn address(role: &RoleArgs, loaded: &Loaded) -> Result<Option<Address>, Failure> {
    let address = role.listen.as_deref().unwrap_or(&loaded.config.execution.listen);
    if address.is_empty() || address == OFF {
        return Ok(None);
    }
    let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse::<u16>().ok()?)));
    let (host, port) = parts
        .ok_or_else(|| anyhow!("`{address}` is no address to listen on; expected HOST:PORT or `{OFF}`"))
        .or_exit(Exit::BadInput)?;
    let or_above = role.listen.is_none() && !loaded.names_listen();
    Ok(Some(Address { host, port, or_above }))
}

/// Serves probes until the task is aborted.
pub async fn serve(address: Option<&Address>, health: Health, terminal: &Terminal) -> Result<JoinHandle<()>, Failure> {
    let Some(address) = address else { return Ok(tokio::spawn(async {})) };
    let metrics = recorder()?;
    let samples = metrics.clone();
    let listener = address.listen().await.or_exit(Exit::BadInput)?;
    let at = listener.local_addr().context("failed to read the address of the HTTP server")?;
    if at.port() != address.port {
        terminal.say(format!("health and metrics: {at}, since port {} is in use", address.port));
    }
    let ready = move || async move {
        if health.is_ready() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
    };
    let router = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || async move { metrics.render() }));
    Ok(tokio::spawn(async move {
        let serving = async {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the HTTP server for health and metrics failed");
            }
        };
        // Without upkeep, samples would pile up if nobody reads the metrics.
        let upkeep = async {
            loop {
                sleep(EVERY).await;
                samples.run_upkeep();
            }
        };
        tokio::select! {
            () = serving => {}
            never = upkeep => never,
        }
    }))
}

/// Returns the metrics recorder of the process, installed at the first call.
fn recorder() -> anyhow::Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(recorder) = RECORDER.get() {
        return Ok(recorder.clone());
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    let recorder = builder.install_recorder()?;
    Ok(RECORDER.get_or_init(|| recorder).clone())
}

/// Reads gauges at an interval, until the task is aborted.
pub fn show(measure: impl Fn() + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            measure();
            sleep(EVERY).await;
        }
    })
}

/// Queries the bus for the number of outstanding tasks at an interval, until the task is aborted. A missing answer is
/// shown as NaN.
pub fn show_lag(bus: Arc<dyn Bus>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match timeout(LAG_EVERY, bus.lag()).await {
                Ok(Ok(lags)) => lags.into_iter().for_each(|(kind, lag)| show_lag_of(kind, Some(lag))),
                _ => Kind::all().for_each(|kind| show_lag_of(kind, None)),
            }
            sleep(LAG_EVERY).await;
        }
    })
}

fn show_lag_of(kind: Kind, lag: Option<Lag>) {
    let number = |tasks: Option<u64>| tasks.map_or(f64::NAN, |tasks| tasks as f64);
    for (state, tasks) in [("waiting", lag.map(|lag| lag.waiting)), ("in_hand", lag.map(|lag| lag.in_hand))] {
        gauge!("tributary_queue_lag", "kind" => kind.name(), "state" => state).set(number(tasks));
    }
}

pub fn of_coordinator(figures: Arc<ServiceFigures>) -> impl Fn() + Send + 'static {
    move || gauge!("tributary_jobs_held").set(figures.running() as f64)
}

pub fn of_worker(pool: Arc<Pool>, concurrency: u32) -> impl Fn() + Send + 'static {
    move || {
        gauge!("tributary_tasks_in_flight").set(pool.in_flight() as f64);
        gauge!("tributary_concurrency").set(f64::from(concurrency));
    }
}
