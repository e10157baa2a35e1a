//! The machine alone: outcomes a second, and whether their cost stays flat as jobs grow.
//!
//!     cargo bench -p tributary-coordinator --bench machine

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tributary_coordinator::{machine::Machine, rehearsal};
use tributary_protocol::{
    id::BlobId,
    job::Job,
    settings::Settings,
    source::{Chunk, Source, SourceId},
};

fn job(sources: u32) -> Arc<Job> {
    let source = |id: u32| Source {
        id: SourceId(id),
        title: format!("Source number {id}"),
        card: BlobId::of_bytes(&id.to_le_bytes()),
        card_tokens: 150,
        chunks: vec![Chunk { text: BlobId::of_bytes(&[id, 0].map(u32::to_le_bytes).concat()), tokens: 4_000 }],
    };
    Arc::new(Job::new("Of sources".into(), Settings::default(), 1, (1..=sources).map(source).collect()))
}

/// Plays a job of so many sources; the model's own time is left out.
fn play(sources: u32) -> (u64, Duration) {
    let job = job(sources);
    let begin = Instant::now();
    let (mut machine, first) = Machine::new(job);
    let mut busy = begin.elapsed();
    let mut open = VecDeque::from(first);
    let mut outcomes = 0;
    while let Some(task) = open.pop_front() {
        let outcome = rehearsal::outcome(&task);
        let begin = Instant::now();
        open.extend(machine.apply(&outcome));
        busy += begin.elapsed();
        outcomes += 1;
    }
    assert!(machine.finished().is_some(), "a job whose tasks have all ended is finished");
    (outcomes, busy)
}

fn main() {
    println!("{:>9} {:>9} {:>14} {:>12}", "sources", "tasks", "µs a task", "tasks/s");
    for sources in [300, 3_000, 30_000, 60_000] {
        let mut runs: Vec<(u64, Duration)> = (0..3).map(|_| play(sources)).collect();
        runs.sort_by_key(|(_, busy)| *busy);
        let (tasks, busy) = runs[1];
        let micros = busy.as_secs_f64() * 1e6 / tasks as f64;
        println!("{sources:>9} {tasks:>9} {micros:>14.1} {:>12.0}", 1e6 / micros);
    }
}
