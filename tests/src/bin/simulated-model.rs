//! The simulated model as a process: prints the base URL on the first line, serves until an interrupt or SIGTERM, then
//! prints the statistics.

use clap::Parser;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tributary_tests::simulated::{SchemaSupport, Settings, SimulatedModel};

/// Serves an OpenAI-compatible API with made-up text about the prompt's topic, for any JSON Schema.
#[derive(Parser)]
struct Flags {
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen on; 0 takes a free port
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Append a JSON line for each call served to this file
    #[arg(long)]
    log: Option<PathBuf>,
    /// All settings as a JSON object, like the body of `POST /settings`; flags outrank the object
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Mean latency in seconds; 0 answers at once
    #[arg(long)]
    latency_mean: Option<f64>,
    /// Standard deviation of the latency's logarithm [default: 0.5]
    #[arg(long)]
    sigma: Option<f64>,
    /// Seconds added for each token of the reply
    #[arg(long)]
    latency_per_token: Option<f64>,
    /// Share of failing calls: 500, 503, dropped connections
    #[arg(long)]
    failure_rate: Option<f64>,
    /// Share of calls with a garbage reply
    #[arg(long)]
    garbage_rate: Option<f64>,
    /// Share of replies cut off with finish_reason length
    #[arg(long)]
    cut_rate: Option<f64>,
    /// Share of refused calls
    #[arg(long)]
    refusal_rate: Option<f64>,
    /// Share of calls without any answer
    #[arg(long)]
    stall_rate: Option<f64>,
    /// Most calls in flight; more get a 429
    #[arg(long)]
    max_in_flight: Option<usize>,
    /// Most calls in any minute; more get a 429
    #[arg(long)]
    requests_per_minute: Option<usize>,
    /// Most tokens in any minute; calls beyond them get a 429
    #[arg(long)]
    tokens_per_minute: Option<usize>,
    /// Context window in tokens; longer prompts are refused
    #[arg(long)]
    window: Option<usize>,
    /// Most capable response_format that the server accepts: json_schema, json_object or none
    #[arg(long, value_parser = schema_support)]
    schema_support: Option<SchemaSupport>,
    /// Seed of latencies and faults; replies don't depend on the seed
    #[arg(long)]
    seed: Option<u64>,
}

impl Flags {
    /// Returns the settings for the flags.
    fn settings(&self) -> Result<Settings, String> {
        let mut settings = Settings::default();
        if let Some(json) = &self.settings {
            let changes = serde_json::from_str(json).map_err(|error| format!("--settings: {error}"))?;
            settings = settings.overlaid(&changes).map_err(|error| format!("--settings: {error}"))?;
        }
        let set = |field: &mut f64, flag: Option<f64>| *field = flag.unwrap_or(*field);
        set(&mut settings.latency_mean, self.latency_mean);
        set(&mut settings.latency_sigma, self.sigma);
        set(&mut settings.latency_per_token, self.latency_per_token);
        set(&mut settings.failure_rate, self.failure_rate);
        set(&mut settings.garbage_rate, self.garbage_rate);
        set(&mut settings.cut_rate, self.cut_rate);
        set(&mut settings.refusal_rate, self.refusal_rate);
        set(&mut settings.stall_rate, self.stall_rate);
        settings.max_in_flight = self.max_in_flight.or(settings.max_in_flight);
        settings.requests_per_minute = self.requests_per_minute.or(settings.requests_per_minute);
        settings.tokens_per_minute = self.tokens_per_minute.or(settings.tokens_per_minute);
        settings.window = self.window.or(settings.window);
        settings.schema_support = self.schema_support.unwrap_or(settings.schema_support);
        settings.seed = self.seed.unwrap_or(settings.seed);
        Ok(settings)
    }
}

fn schema_support(name: &str) -> Result<SchemaSupport, String> {
    serde_json::from_value(name.into()).map_err(|_| "expected json_schema, json_object or none".into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let settings = flags.settings().map_err(anyhow::Error::msg)?;
    let address = SocketAddr::new(flags.host, flags.port);
    let mut terminate = signal(SignalKind::terminate())?;
    let model = SimulatedModel::start_at(settings, address, flags.log.as_deref())?;
    println!("{}", model.base_url);
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    eprintln!("{}", serde_json::to_string_pretty(&model.stats())?);
    Ok(())
}
