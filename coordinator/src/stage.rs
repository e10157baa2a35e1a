//! The stages of a job, one file each. A stage is pure: it is told what came of its tasks and asks for more.
//!
//! No stage waits for more than what it needs, and none lets the order of arrivals decide anything: what a task asks is
//! fixed by its place, the replies it builds on and the seed.

use std::{collections::HashMap, fmt, sync::Arc};

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use tributary_protocol::{
    id::{Hasher, TaskId},
    job::{Job, Progress},
    source::{Source, SourceId},
    task::{Brief, Stage, Task, Work},
};

use crate::rooms::Rooms;

pub(crate) mod block;
pub(crate) mod convolution;
pub(crate) mod digest;
pub(crate) mod feedback;
pub(crate) mod group;
pub(crate) mod outline;
pub(crate) mod refine;
pub(crate) mod write;

/// Where in a job an outcome belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Group { batch: usize },
    Outline { batch: usize, number: usize },
    MergeOutlines { level: usize, field: usize },
    Digest { pass: usize, source: SourceId, chunk: usize },
    Feedback { pass: usize, group: usize, batch: usize },
    Convolution { pass: usize, place: convolution::Place },
    Refine { pass: usize, place: refine::Place },
    Write(write::Place),
}

impl Place {
    pub(crate) fn stage(self) -> Stage {
        match self {
            Self::Group { .. } => Stage::Group,
            Self::Outline { .. } | Self::MergeOutlines { .. } => Stage::Outline,
            Self::Digest { .. } => Stage::Digest,
            Self::Feedback { .. } => Stage::Feedback,
            Self::Convolution { .. } => Stage::Convolution,
            Self::Refine { .. } => Stage::Refine,
            Self::Write(_) => Stage::Write,
        }
    }
}

/// As people read it: numbers from 1.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = |pass: &usize| if *pass == 0 { String::new() } else { format!(" (pass {})", pass + 1) };
        match self {
            Self::Group { batch } => write!(f, "group {}", batch + 1),
            Self::Outline { batch: 0, number } => write!(f, "outline {}", number + 1),
            Self::Outline { batch, number } => write!(f, "outline {}/{}", batch + 1, number + 1),
            Self::MergeOutlines { level, field } => write!(f, "outline merge {}/{}", level + 1, field + 1),
            Self::Digest { pass, source, chunk } => write!(f, "digest {source}/{}{}", chunk + 1, block(pass)),
            Self::Feedback { pass, group, batch } => {
                write!(f, "feedback {}/{}{}", group + 1, batch + 1, block(pass))
            }
            Self::Convolution { pass, place } => write!(f, "convolution {place}{}", block(pass)),
            Self::Refine { pass, place } => write!(f, "refine {place}{}", block(pass)),
            Self::Write(place) => write!(f, "write {place}"),
        }
    }
}

/// What all stages work with.
pub(crate) struct Context {
    pub(crate) job: Arc<Job>,
    pub(crate) brief: Arc<Brief>,
    pub(crate) rooms: Rooms,
}

impl Context {
    pub(crate) fn new(job: Arc<Job>) -> Self {
        let rooms = Rooms::new(&job.settings, job.sources.len());
        let brief = Arc::new(Brief {
            title: job.title.clone(),
            language: job.settings.language,
            genre: job.settings.genre,
            window: job.settings.window,
            limits: rooms.limits,
        });
        Self { job, brief, rooms }
    }

    pub(crate) fn source(&self, id: SourceId) -> &Source {
        &self.job.sources[id.index()]
    }

    /// Chance, from the seed and what it is for: never from what happened before.
    pub(crate) fn chance(&self, purpose: &str, number: usize) -> ChaCha8Rng {
        let mut hasher = Hasher::new("chance");
        hasher.part(&self.job.seed.to_le_bytes()).part(purpose.as_bytes()).part(&(number as u64).to_le_bytes());
        ChaCha8Rng::from_seed(hasher.seed())
    }
}

/// Where stages put what they ask for.
#[derive(Default)]
pub(crate) struct Asked {
    /// Tasks without an outcome, and what each is for.
    pub(crate) open: HashMap<TaskId, Place>,
    /// Asked since the caller last looked.
    pub(crate) new: Vec<Task>,
    pub(crate) progress: Progress,
}

impl Asked {
    pub(crate) fn ask(&mut self, context: &Context, place: Place, work: Work) {
        let model = context.job.settings.models.of(work.kind()).to_owned();
        self.ask_of(context, place, work, model);
    }

    /// Asks a model other than the one that the settings name for this kind.
    pub(crate) fn ask_of(&mut self, context: &Context, place: Place, work: Work, model: String) {
        let task = Task::new(context.job.id, place.stage(), place.to_string(), model, context.brief.clone(), work);
        self.progress.stages.entry(place.stage()).or_default().asked += 1;
        self.open.insert(task.id, place);
        self.new.push(task);
    }
}
