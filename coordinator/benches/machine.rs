//! The machine alone: outcomes a second, and whether their cost stays flat as jobs grow.
//!
//!     cargo bench -p tributary-coordinator --bench machine

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use tributary_coordinator::{jobs, tasks::NewTask};
use tributary_protocol::{
    id::BlobId,
    job::Job,
    settings::JobSettings,
    source::{Chunk, Source, SourceId},
    survey::{SurveyRequest, SurveySettings},
    task::{Stage, Task},
};

fn job(sources: u32) -> Arc<Job> {
    let source = |id: u32| Source {
        id: SourceId(id),
        title: format!("Source number {id}"),
        card: BlobId::of_bytes(&id.to_le_bytes()),
        card_tokens: 150,
        title_tokens: 4,
        chunks: vec![Chunk {
            text: BlobId::of_bytes(&[id, 0].map(u32::to_le_bytes).concat()),
            tokens: 4_000,
            start: 0,
        }],
        pages: Vec::new(),
        chunk_headings: Vec::new(),
    };
    let request = SurveyRequest::new("Of sources", SurveySettings::default());
    let sources = (1..=sources).map(source).collect();
    Arc::new(Job::new(request, JobSettings::default(), 1, sources))
}

/// What a play showed.
struct Played {
    tasks: u64,
    /// Of the machine alone: the model's own time is left out.
    busy: Duration,
    /// What the machine has in memory at the end, of all that it was told.
    bytes: u64,
}

/// Plays a job of so many sources.
fn play(sources: u32) -> Played {
    let job = job(sources);
    let before = resident();
    let begin = Instant::now();
    let (mut machine, first) = jobs::begin(job);
    let mut busy = begin.elapsed();
    let mut open = Open::default();
    open.add(first);
    let mut tasks = 0;
    while let Some(task) = open.next() {
        let outcome = jobs::dry_run(&task).outcome;
        let begin = Instant::now();
        let asked = machine.apply(&outcome);
        busy += begin.elapsed();
        open.add(asked);
        tasks += 1;
    }
    assert!(machine.is_finished(), "a job whose tasks have all ended is finished");
    Played { tasks, busy, bytes: resident().saturating_sub(before) }
}

/// The tasks without an outcome. The latest stages come first, so that nothing heaps up before the next stage.
#[derive(Default)]
struct Open(BTreeMap<Stage, VecDeque<Task>>);

impl Open {
    fn add(&mut self, tasks: Vec<NewTask>) {
        for NewTask { task, .. } in tasks {
            self.0.entry(task.stage).or_default().push_back(task);
        }
    }

    fn next(&mut self) -> Option<Task> {
        self.0.values_mut().rev().find_map(VecDeque::pop_front)
    }
}

/// Memory of this process, in bytes, as Linux tells it; nothing elsewhere.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn main() {
    println!(
        "{:>9} {:>9} {:>15} {:>10} {:>9} {:>12}",
        "sources", "tasks", "tasks a source", "µs a task", "tasks/s", "kB a source"
    );
    for sources in [600, 6_000, 20_000, 60_000] {
        // Memory is measured once: what a play gives back stays with the process.
        let first = play(sources);
        let mut busy: Vec<Duration> = (0..2).map(|_| play(sources).busy).chain([first.busy]).collect();
        busy.sort_unstable();
        let micros = busy[1].as_secs_f64() * 1e6 / first.tasks as f64;
        println!(
            "{sources:>9} {:>9} {:>15.2} {micros:>10.1} {:>9.0} {:>12.1}",
            first.tasks,
            first.tasks as f64 / f64::from(sources),
            1e6 / micros,
            first.bytes as f64 / 1e3 / f64::from(sources),
        );
    }
}
