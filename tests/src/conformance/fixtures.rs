//! What the behaviours share: the place of a bus, and small tasks.

use std::{future::Future, sync::Arc};

use futures::{StreamExt as _, stream::BoxStream};
use tributary_protocol::{
    budget::Window,
    bus::{Bus, BusError, Entry, Gossip, JobQueue},
    id::{CallId, Hasher, JobId},
    settings::Language,
    survey::{Genre, SurveyBrief, SurveyLimits, SurveyProduct, SurveyStage, SurveyWork, work::SectionBrief},
    task::{Outcome, Task, Usage, Verdict, Work},
};

/// A place where a bus is kept.
pub trait Bench {
    /// Opens the bus there. What was opened before is gone by then, as if its process had died.
    fn open(&self) -> impl Future<Output = Arc<dyn Bus>>;

    /// The same, for the jobs alone.
    fn open_jobs(&self) -> impl Future<Output = Arc<dyn JobQueue>>;

    /// The same, for what members tell one another.
    fn open_gossip(&self) -> impl Future<Output = Arc<dyn Gossip>>;
}

/// The outcomes up to [`Entry::CaughtUp`].
pub async fn read(journal: &mut BoxStream<'static, Result<Entry, BusError>>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while let Entry::Outcome(outcome) = next(journal).await {
        outcomes.push((*outcome).clone());
    }
    outcomes
}

/// What comes next.
pub async fn next(journal: &mut BoxStream<'static, Result<Entry, BusError>>) -> Entry {
    journal.next().await.expect("a journal has no end").unwrap()
}

pub fn job(name: &str) -> JobId {
    JobId::of(Hasher::new("job").part(name.as_bytes()))
}

pub fn call(name: &str) -> CallId {
    CallId::of(Hasher::new("call").part(name.as_bytes()))
}

/// A small task, one for each number.
pub fn task(of: &str, n: u32) -> Task {
    let work = SurveyWork::Group { sources: Vec::new(), size: n };
    asked(of, SurveyStage::Group, format!("group {n}"), work)
}

/// A task of about `bytes` bytes, one for each number.
pub fn condensing(of: &str, n: u32, bytes: usize) -> Task {
    let section =
        SectionBrief { path: Vec::new(), extract: "e".repeat(bytes), analyse: String::new(), beside: Vec::new() };
    let work = SurveyWork::Condense { section, notes: Vec::new(), room: n };
    asked(of, SurveyStage::Write, format!("condense {n}"), work)
}

fn asked(of: &str, stage: SurveyStage, place: String, work: SurveyWork) -> Task {
    Task::new(job(of), stage.into(), place, "extractive".into(), Work::Survey(brief(), work))
}

fn brief() -> Arc<SurveyBrief> {
    let limits = SurveyLimits { sections: 1, outline: 1, suggestion: 1, digest: 1, passage: 1 };
    Arc::new(SurveyBrief {
        title: "A title".into(),
        language: Language::En,
        genre: Genre::Survey,
        window: Window(8000),
        limits,
    })
}

/// An outcome of a task; another text makes another outcome.
pub fn outcome(task: &Task, text: &str) -> Outcome {
    Outcome {
        task: task.id,
        verdict: Verdict::Degraded { product: SurveyProduct::Groups(Vec::new()).into(), reason: text.into() },
        usage: Usage::default(),
        citations_removed: 0,
    }
}
