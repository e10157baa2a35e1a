//! Measures the time of a small job beside a large job, compared with the small job alone: real processes, a real
//! nats-server, a simulated model.
//!
//!     cargo run --release -p tributary-tests --bin fairness -- [--large 2000] [--small 20] [--workers 8]

use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;
use tributary_tests::{
    cluster::{CORPUS, Cluster},
    corpus::Corpus,
    nats_server,
    process::wait_until,
    simulated::Settings,
};

/// Measures small jobs alone, and similar jobs while a large job runs.
#[derive(Parser)]
struct Flags {
    /// Sources of the large job
    #[arg(long, default_value_t = 2_000)]
    large: usize,
    /// Sources of each small job
    #[arg(long, default_value_t = 20)]
    small: usize,
    /// Number of small jobs alone, and of small jobs beside the large job
    #[arg(long, default_value_t = 3)]
    runs: u64,
    #[arg(long, default_value_t = 8)]
    workers: usize,
    /// Most calls at a time of each worker
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Mean latency of a call, in seconds
    #[arg(long, default_value_t = 0.5)]
    latency: f64,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let model = Settings { latency_mean: flags.latency, ..Settings::default() };
    let large = Corpus::new("A Large Matter", flags.large, 100, 0);
    let cluster = Cluster::with(nats_server::Settings::default(), &large, model);
    let roles =
        (cluster.coordinator(), (0..flags.workers).map(|_| cluster.worker(flags.concurrency)).collect::<Vec<_>>());
    let alone = small_jobs(&cluster, &flags, 1);
    let large = cluster.submit(CORPUS);
    let digests = || cluster.status(&large)["progress"]["stages"]["digest"]["ended"].as_u64().unwrap_or_default();
    wait_until("the large job is under way", || digests() > flags.large as u64 / 20);
    let beside = small_jobs(&cluster, &flags, 1 + flags.runs);
    ensure!(cluster.status(&large)["status"] == "running", "the large job ended too soon: digests {}", digests());
    drop(roles);
    let [alone, beside] = [alone, beside].map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        println!("{seconds:.2?}");
        seconds[seconds.len() / 2]
    });
    println!("alone {alone:.2} s, beside {} sources {beside:.2} s: {:.2} times", flags.large, beside / alone);
    Ok(())
}

/// Returns the seconds of different small jobs, run one after another.
fn small_jobs(cluster: &Cluster, flags: &Flags, first_seed: u64) -> Vec<f64> {
    let one = |seed| {
        Corpus::new(&format!("A Small Matter {seed}"), flags.small, 400, seed).write(cluster.path(), "small.jsonl");
        let begin = Instant::now();
        let job = cluster.submit("small.jsonl");
        cluster.watch(&job).with(0);
        begin.elapsed().as_secs_f64()
    };
    (first_seed..first_seed + flags.runs).map(one).collect()
}
