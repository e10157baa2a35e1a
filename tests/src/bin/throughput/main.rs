//! Measures tasks per second through coordinator and worker, and messages per second through JetStream alone, on this
//! machine.
//!
//!     cargo run --release -p tributary-tests --bin throughput [-- --tasks 50000 --rounds 5]
//!
//! There are three ways, one after another in each round, each on a separate server with an empty store:
//! - **job**: a job with empty tasks, from the job's actor and machine through the bus to a worker's pool, and back;
//! - **bus**: the same tasks published at once, with the outcomes counted: everything except the job's actor and
//!   machine;
//! - **bare**: messages of the same sizes through JetStream's client, without any code of Tributary.
//!
//! All ways take the same steps: a task is stored and the publisher notified, the task is delivered, the outcome is
//! stored and the worker notified, only then the task is acknowledged, and the outcome is read. Medians are printed.

mod bare;
mod bus;
mod job;
mod work;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tributary_tests::nats_server::{NatsServer, Settings};

use self::work::Work;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the speed of tasks from coordinator to worker and back.
#[derive(Parser)]
struct Flags {
    /// Tasks in each run
    #[arg(long, default_value_t = 50_000)]
    tasks: u32,
    /// Runs of each way; the median is reported
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Most tasks of the worker at a time
    #[arg(long, default_value_t = 64)]
    slots: usize,
    /// The ways to measure
    #[arg(long, value_delimiter = ',', default_value = "job,bus,bare")]
    ways: Vec<Way>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    Job,
    Bus,
    Bare,
}

/// The measurements of a run.
struct Run {
    tasks: u64,
    took: Duration,
}

impl Run {
    fn rate(&self) -> f64 {
        self.tasks as f64 / self.took.as_secs_f64()
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let flags = Flags::parse();
    let work = Work::new(flags.tasks);
    println!("{} tasks of {} bytes, outcomes of {} bytes", flags.tasks, work.task_bytes(), work.outcome_bytes());
    let mut rates = vec![Vec::new(); flags.ways.len()];
    for round in 1..=flags.rounds {
        for (way, rates) in flags.ways.iter().zip(&mut rates) {
            let rate = measure(*way, &work, flags.slots).await?.rate();
            println!("round {round}: {} {rate:.0} tasks/s", way.name());
            rates.push(rate);
        }
    }
    let medians: Vec<f64> = rates.into_iter().map(median).collect();
    let bare = flags.ways.iter().zip(&medians).find(|(way, _)| **way == Way::Bare).map(|(_, rate)| *rate);
    println!("\n| way | tasks/s | of bare |\n| --- | --- | --- |");
    for (way, rate) in flags.ways.iter().zip(&medians) {
        let share = bare.map_or_else(String::new, |bare| format!("{:.0} %", 100.0 * rate / bare));
        println!("| {} | {rate:.0} | {share} |", way.name());
    }
    Ok(())
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Bus => "bus",
            Self::Bare => "bare",
        }
    }
}

async fn measure(way: Way, work: &Work, slots: usize) -> Result<Run> {
    let server = NatsServer::start(Settings::default())?;
    match way {
        Way::Job => job::run(&server.url(), work, slots).await,
        Way::Bus => bus::run(&server.url(), work, slots).await,
        Way::Bare => bare::run(&server.url(), work).await,
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
