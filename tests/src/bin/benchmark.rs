//! Measures whole runs against the simulated model, in real time, for BENCHMARKS.md.
//!
//!     cargo run --release -p tributary-tests --bin benchmark -- CORPUS.jsonl… [--slots 20,200] [--runs 5]
//!
//! Each run has a separate seed, for the job and for the latencies; medians are printed. The lower bound is the larger
//! of work / slots and the critical path: the wall time of the same run with a slot for every call.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::Value;
use tributary_tests::{
    process::binary,
    simulated::{Settings, SimulatedModel, Stats},
};

/// Measures `tributary run` with a simulated model.
#[derive(Parser)]
struct Flags {
    /// Surveys in JSONL
    #[arg(required = true)]
    corpora: Vec<PathBuf>,
    /// Most calls at a time
    #[arg(long, value_delimiter = ',', default_value = "20")]
    slots: Vec<usize>,
    /// Runs of each corpus and slot count
    #[arg(long, default_value_t = 5)]
    runs: u64,
    /// Mean latency of a call, in seconds
    #[arg(long, default_value_t = 1.0)]
    latency: f64,
    /// Standard deviation of the latency's logarithm
    #[arg(long, default_value_t = 0.5)]
    sigma: f64,
    /// Context window in tokens; the simulated model refuses longer prompts
    #[arg(long)]
    window: Option<usize>,
    /// Skip the second run, which measures the critical path
    #[arg(long)]
    no_bound: bool,
}

/// A number of slots large enough for all concurrent calls.
const SLOTS_FOR_ALL: usize = 2_000;

/// The measurements of a run.
struct Measured {
    wall: f64,
    stats: Stats,
    /// The peak resident memory, in bytes.
    memory: u64,
    coverage: f64,
    words: u64,
    degraded: u64,
    /// The wall time with slots for every call.
    critical_path: Option<f64>,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    println!(
        "| corpus | slots | wall s | calls | prompt tokens | reply tokens | busy | prefix cached | memory MB | words | \
         coverage | refused | degraded | lower bound s | wall / bound |"
    );
    println!("|{}", " --- |".repeat(15));
    for corpus in &flags.corpora {
        for slots in &flags.slots {
            let runs = (0..flags.runs).map(|seed| measure(&flags, corpus, *slots, seed)).collect::<Result<Vec<_>>>()?;
            println!("{}", row(corpus, *slots, &runs));
        }
    }
    Ok(())
}

fn measure(flags: &Flags, corpus: &Path, slots: usize, seed: u64) -> Result<Measured> {
    let mut measured = run(flags, corpus, slots, seed)?;
    if !flags.no_bound {
        measured.critical_path = Some(run(flags, corpus, SLOTS_FOR_ALL, seed)?.wall);
    }
    Ok(measured)
}

/// Runs the program once, in a separate process, with a separate model and folder.
fn run(flags: &Flags, corpus: &Path, slots: usize, seed: u64) -> Result<Measured> {
    let model = SimulatedModel::start(Settings {
        latency_mean: flags.latency,
        latency_sigma: flags.sigma,
        window: flags.window,
        seed,
        ..Settings::default()
    });
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(binary());
    command.arg("run").arg(corpus).arg("--out").arg(folder.path());
    command.args(["--model", "openai/simulated", "--concurrency", &slots.to_string(), "--seed", &seed.to_string()]);
    command.args(flags.window.map(|window| format!("--window={window}")));
    command.env("OPENAI_BASE_URL", &model.base_url).env("OPENAI_API_KEY", "none");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn()?;
    let mut memory = 0;
    let status = loop {
        memory = peak_memory(child.id()).unwrap_or(memory);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let wall = begin.elapsed().as_secs_f64();
    ensure!(status.success(), "tributary run {} ended with {status}", corpus.display());
    let report = report(folder.path())?;
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or_default();
    Ok(Measured {
        wall,
        stats: model.stats(),
        memory,
        coverage: number("/sources/coverage"),
        words: number("/article/words") as u64,
        degraded: report["degraded"].as_array().map_or(0, Vec::len) as u64,
        critical_path: None,
    })
}

/// Returns the peak memory that Linux reports for a live process. `None` on other systems.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn report(folder: &Path) -> Result<Value> {
    let files = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let report = files.iter().map(fs::DirEntry::path).find(|path| path.to_string_lossy().ends_with(".report.json"));
    Ok(serde_json::from_slice(&fs::read(report.context("the run wrote no report")?)?)?)
}

fn row(corpus: &Path, slots: usize, runs: &[Measured]) -> String {
    let median = |number: &dyn Fn(&Measured) -> f64| {
        let mut numbers: Vec<f64> = runs.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[numbers.len() / 2]
    };
    let bound = |run: &Measured| run.critical_path.map(|path| path.max(run.stats.busy_seconds / slots as f64));
    let (bound_text, ratio_text) = if runs.iter().all(|run| run.critical_path.is_some()) {
        let bounded = |run: &Measured| bound(run).unwrap_or(f64::NAN);
        (format!("{:.1}", median(&bounded)), format!("{:.2}", median(&|run: &Measured| run.wall / bounded(run))))
    } else {
        ("".to_owned(), "".to_owned())
    };
    format!(
        "| {} | {slots} | {:.1} | {:.0} | {:.2} M | {:.2} M | {:.0} % | {:.0} % | {:.0} | {:.0} | {:.0} % | {:.0} | {:.0} | \
         {bound_text} | {ratio_text} |",
        corpus.file_stem().unwrap_or_default().to_string_lossy(),
        median(&|run| run.wall),
        median(&|run| run.stats.received as f64),
        median(&|run| run.stats.prompt_tokens as f64 / 1e6),
        median(&|run| run.stats.reply_tokens as f64 / 1e6),
        median(&|run| 100.0 * run.stats.busy_seconds / (run.wall * slots as f64)),
        median(&|run| 100.0 * run.stats.cached_tokens as f64 / run.stats.prompt_tokens.max(1) as f64),
        median(&|run| run.memory as f64 / 1e6),
        median(&|run| run.words as f64),
        median(&|run| 100.0 * run.coverage),
        median(&|run| run.stats.failures() as f64),
        median(&|run| run.degraded as f64),
    )
}
