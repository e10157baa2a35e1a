//! Whole runs in virtual time: how well a job fills so many calls at a time, and how near it comes to what no schedule
//! can beat.
//!
//!     cargo bench -p tributary-coordinator --bench schedule -- [/PATH/TO/CORPUS.jsonl | SOURCES]… [--slots 20,200]
//!         [--seeds 20] [--hedge 0.95] [--stages] [--settings 'JSON']
//!
//! The model is the dry run; its calls take 1 s on average (log-normal, sigma 0.5), each a time of its own. Each seed is
//! one for the job and for the latencies; medians are printed. The critical path is the same run with a slot for every
//! call, and the lower bound is the larger of that and of work / slots. `--stages` shows when what was done in the run of
//! the first seed.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    sync::Arc,
};

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde::{Deserialize, Serialize};
use tributary_coordinator::{jobs, prepare::prepare, survey::SurveyTemplate, tasks::NewTask};
use tributary_protocol::{
    id::{BlobId, Hasher},
    job::Job,
    settings::{JobSettings, Models},
    source::{Chunk, Source, SourceId},
    survey::{SurveyRequest, SurveySettings},
    task::{Stage, Task},
};

const SIGMA: f64 = 0.5;

/// Tasks that are with the workers, for each slot: as many as `tributary run` has there.
const TASKS_A_SLOT: usize = 4;

/// All settings of a survey, side by side as in the settings that users write.
#[derive(Clone, Serialize, Deserialize)]
struct AllSettings {
    #[serde(flatten)]
    job: JobSettings,
    #[serde(flatten)]
    survey: SurveySettings,
}

struct Flags {
    corpora: Vec<String>,
    slots: Vec<usize>,
    seeds: u64,
    /// The share of calls that are waited for; slower ones are made twice.
    hedge: f64,
    stages: bool,
    settings: AllSettings,
}

impl Flags {
    fn parse() -> Self {
        let models = Models { default: "openai/simulated".into(), ..Models::default() };
        let settings =
            AllSettings { job: JobSettings { models, ..JobSettings::default() }, survey: SurveySettings::default() };
        let mut flags =
            Self { corpora: Vec::new(), slots: vec![20, 200], seeds: 20, hedge: 1.0, stages: false, settings };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} wants a value"));
            match word.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--slots" => flags.slots = value().split(',').map(|slots| slots.parse().expect("a number")).collect(),
                "--seeds" => flags.seeds = value().parse().expect("a number"),
                "--hedge" => flags.hedge = value().parse().expect("a share"),
                "--settings" => {
                    let change: serde_json::Value = serde_json::from_str(&value()).expect("JSON");
                    let mut whole = serde_json::to_value(&flags.settings).expect("settings are JSON");
                    overlay(&mut whole, change);
                    flags.settings = AllSettings::deserialize(&whole).expect("settings");
                    let known = serde_json::to_value(&flags.settings).expect("settings are JSON");
                    assert_eq!(known, whole, "all settings are known");
                }
                "--stages" => flags.stages = true,
                _ => flags.corpora.push(word),
            }
        }
        if flags.corpora.is_empty() {
            flags.corpora = ["20", "187"].map(str::to_owned).into();
        }
        flags
    }
}

fn overlay(onto: &mut serde_json::Value, change: serde_json::Value) {
    match (onto, change) {
        (serde_json::Value::Object(onto), serde_json::Value::Object(change)) => {
            for (name, value) in change {
                overlay(onto.entry(name).or_insert(serde_json::Value::Null), value);
            }
        }
        (onto, change) => *onto = change,
    }
}

/// A corpus by its file, or made up of so many sources.
fn job(corpus: &str, settings: &AllSettings, seed: u64) -> Arc<Job> {
    let Ok(sources) = corpus.parse::<u32>() else {
        let template = SurveyTemplate(settings.survey.clone());
        let prepared = prepare(&[corpus.into()], None, &template, &settings.job, seed).expect("a corpus");
        return prepared.jobs.into_iter().next().expect("a survey").job;
    };
    let source = |id: u32| Source {
        id: SourceId(id),
        title: format!("Source number {id}"),
        title_tokens: 4,
        card: BlobId::of_bytes(&id.to_le_bytes()),
        card_tokens: 150,
        chunks: vec![Chunk {
            text: BlobId::of_bytes(&[id, 0].map(u32::to_le_bytes).concat()),
            tokens: 4_000,
            start: 0,
        }],
        pages: Vec::new(),
        chunk_headings: Vec::new(),
    };
    let request = SurveyRequest::new("Of sources", settings.survey.clone());
    let sources = (1..=sources).map(source).collect();
    Arc::new(Job::new(request, settings.job.clone(), seed, sources))
}

/// What a task's call takes, and what it would take if it were made again, in seconds.
#[derive(Clone, Copy)]
struct Call {
    first: f64,
    second: f64,
}

/// How long calls take.
struct Latencies {
    seed: u64,
    /// A call that takes longer is made a second time, if there is a slot for it.
    patience: f64,
}

impl Latencies {
    fn new(seed: u64, hedge: f64) -> Self {
        const SAMPLE: usize = 10_000;
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut sample: Vec<f64> = (0..SAMPLE).map(|_| seconds(&mut chance)).collect();
        sample.sort_by(f64::total_cmp);
        Self { seed, patience: sample.get((hedge * SAMPLE as f64) as usize).copied().unwrap_or(f64::INFINITY) }
    }

    /// The same in whichever run the call is made; none where it is no model's.
    fn of(&self, task: &Task) -> Option<Call> {
        if task.model == Models::EXTRACTIVE {
            return None;
        }
        let mut hasher = Hasher::new("latency");
        hasher.part(task.id.to_string().as_bytes()).part(&self.seed.to_le_bytes());
        let mut chance = ChaCha8Rng::from_seed(hasher.seed());
        Some(Call { first: seconds(&mut chance), second: seconds(&mut chance) })
    }
}

fn seconds(chance: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - chance.random::<f64>()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * chance.random::<f64>()).cos();
    (SIGMA * normal - SIGMA * SIGMA / 2.0).exp()
}

/// A time that can be compared: whole microseconds.
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

/// The calls of a stage: when the first began and the last ended, how many there were, and their time added up.
#[derive(Clone, Copy)]
struct Span {
    begin: f64,
    end: f64,
    calls: u32,
    work: f64,
}

/// A run.
#[derive(Default)]
struct Played {
    wall: f64,
    calls: u32,
    work: f64,
    stages: BTreeMap<(Stage, &'static str), Span>,
    /// (begin, end) of each call.
    load: Vec<(f64, f64)>,
}

/// A call under way.
struct Running {
    task: Task,
    call: Call,
    began: f64,
    /// When it was made a second time.
    again: Option<f64>,
    end: u64,
}

/// What happens to a call at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ends,
    IsSlow,
}

/// Plays a job to its end with so many calls at a time: tasks go out by rank while there is room, and whoever has a slot
/// free takes the one that went out first.
fn play(job: &Arc<Job>, slots: usize, latencies: &Latencies) -> Played {
    let window = slots.saturating_mul(TASKS_A_SLOT);
    let (mut machine, mut new) = jobs::begin(job.clone());
    let (mut ready, mut asked) = (BinaryHeap::new(), 0u64);
    let mut tasks: BTreeMap<u64, Task> = BTreeMap::new();
    let mut queue: VecDeque<u64> = VecDeque::new();
    let mut running: BTreeMap<u64, Running> = BTreeMap::new();
    let mut events: BinaryHeap<Reverse<(u64, Event, u64)>> = BinaryHeap::new();
    let (mut now, mut busy, mut played) = (0.0, 0, Played::default());
    loop {
        for NewTask { task, urgency } in std::mem::take(&mut new) {
            asked += 1;
            ready.push(Reverse((urgency.rank, asked)));
            tasks.insert(asked, task);
        }
        while queue.len() + running.len() < window
            && let Some(Reverse((_, number))) = ready.pop()
        {
            queue.push_back(number);
        }
        while busy < slots
            && let Some(number) = queue.pop_front()
        {
            let task = tasks.remove(&number).expect("what is asked for is there");
            let call = latencies.of(&task);
            let end = micros(now + call.map_or(0.0, |call| call.first));
            if call.is_some_and(|call| call.first > latencies.patience) {
                events.push(Reverse((micros(now + latencies.patience), Event::IsSlow, number)));
            }
            busy += 1;
            events.push(Reverse((end, Event::Ends, number)));
            let call = call.unwrap_or(Call { first: 0.0, second: 0.0 });
            running.insert(number, Running { task, call, began: now, again: None, end });
        }
        let Some(Reverse((at, event, number))) = events.pop() else { break };
        now = at as f64 / 1e6;
        let Some(call) = running.get_mut(&number) else { continue };
        match event {
            Event::IsSlow if busy < slots => {
                busy += 1;
                call.again = Some(now);
                call.end = call.end.min(micros(now + call.call.second));
                events.push(Reverse((call.end, Event::Ends, number)));
            }
            Event::Ends if at == call.end => {
                let call = running.remove(&number).expect("it was just looked at");
                busy -= 1 + usize::from(call.again.is_some());
                played.made(&call, now);
                new = machine.apply(&jobs::dry_run(&call.task).outcome);
            }
            Event::IsSlow | Event::Ends => {}
        }
    }
    assert!(machine.is_finished(), "a job whose tasks have all ended is finished");
    played.wall = now;
    played
}

impl Played {
    /// A call has ended, or both of it.
    fn made(&mut self, run: &Running, end: f64) {
        let Running { task, call, began, again, .. } = run;
        if call.first == 0.0 {
            return;
        }
        let of_stage = Span { begin: *began, end, calls: 0, work: 0.0 };
        let of_stage = self.stages.entry((task.stage, task.kind().name())).or_insert(of_stage);
        of_stage.begin = of_stage.begin.min(*began);
        of_stage.end = of_stage.end.max(end);
        for began in [Some(*began), *again].into_iter().flatten() {
            let took = end - began;
            self.calls += 1;
            self.work += took;
            self.load.push((began, end));
            of_stage.calls += 1;
            of_stage.work += took;
        }
    }

    /// What was done when.
    fn tell(&self) {
        for ((stage, kind), span) in &self.stages {
            let Span { begin, end, calls, work } = span;
            let stage = stage.name();
            let share = work / (end - begin);
            println!(
                "    {stage:<12} {kind:<15} {begin:>5.1} to {end:>5.1} s {calls:>5} calls, {share:>4.1} at a time"
            );
        }
        let busy = |second: usize| {
            let (from, to) = (second as f64, second as f64 + 1.0);
            self.load.iter().map(|(begin, end)| (end.min(to) - begin.max(from)).max(0.0)).sum::<f64>()
        };
        let busy: Vec<String> = (0..self.wall.ceil() as usize).map(|second| format!("{:.0}", busy(second))).collect();
        println!("    busy, second by second: {}", busy.join(" "));
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    let flags = Flags::parse();
    println!("| corpus | slots | wall s | calls | busy | critical path s | lower bound s | wall / bound |");
    println!("|{}", " --- |".repeat(8));
    for corpus in &flags.corpora {
        let of_seed = |seed| (job(corpus, &flags.settings, seed), Latencies::new(seed, flags.hedge));
        let jobs: Vec<(Arc<Job>, Latencies)> = (0..flags.seeds).map(of_seed).collect();
        let paths: Vec<f64> = jobs.iter().map(|(job, latencies)| play(job, usize::MAX, latencies).wall).collect();
        for slots in &flags.slots {
            let runs: Vec<Played> = jobs.iter().map(|(job, latencies)| play(job, *slots, latencies)).collect();
            let of = |number: &dyn Fn(&Played, f64) -> f64| {
                median(runs.iter().zip(&paths).map(|(run, path)| number(run, *path)).collect())
            };
            let bound = |run: &Played, path: f64| path.max(run.work / *slots as f64);
            println!(
                "| {corpus} | {slots} | {:.1} | {:.0} | {:.0} % | {:.1} | {:.1} | {:.2} |",
                of(&|run, _| run.wall),
                of(&|run, _| f64::from(run.calls)),
                of(&|run, _| 100.0 * run.work / (run.wall * *slots as f64)),
                of(&|_, path| path),
                of(&bound),
                of(&|run, path| run.wall / bound(run, path)),
            );
            if flags.stages {
                runs[0].tell();
            }
        }
    }
}
