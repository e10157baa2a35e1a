//! Work: a task, what it asks, and what comes of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::kind::Kind;
use crate::{
    article::{Figure, Passage},
    budget::Window,
    digest::{Digest, Note},
    id::{BlobId, Hasher, JobId, TaskId},
    outline::{Section, SectionId, SharedOutline},
    settings::{Genre, Language},
    source::{Source, SourceId},
    suggestion::{Candidate, Score},
    wire,
};

/// A unit of work: a value that says all that it asks, so that any worker can do it at any time, any number of times,
/// with the same meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The hash of the rest, in which outlines stand by their names.
    pub id: TaskId,
    pub job: JobId,
    pub stage: Stage,
    /// The place in the job that the outcome fills, for people: `convolution 2/7 score`.
    pub place: String,
    /// The model that is to do it.
    pub model: String,
    pub brief: Arc<Brief>,
    pub work: Work,
}

impl Task {
    pub fn new(job: JobId, stage: Stage, place: String, model: String, brief: Arc<Brief>, work: Work) -> Self {
        let mut hasher = Hasher::new("task");
        hasher.part(&wire::fields(&(job, stage, &place, &model, &brief)));
        work.hash(&mut hasher);
        Self { id: TaskId::of(&hasher), job, stage, place, model, brief, work }
    }

    pub fn kind(&self) -> Kind {
        self.work.kind()
    }
}

/// What all tasks of a job share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// The article's title.
    pub title: String,
    pub language: Language,
    pub genre: Genre,
    pub window: Window,
    pub limits: Limits,
}

/// How large a reply may be, derived from the window and the corpus, so that what is made of replies fits the prompts
/// to come. All but `sections` in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Sections of an outline, chapters and their children together.
    pub sections: u32,
    /// An outline as it is shown.
    pub outline: u32,
    /// A suggestion.
    pub suggestion: u32,
    /// The notes that one chunk of a source may give.
    pub digest: u32,
    /// The text of one section, without figure and children.
    pub passage: u32,
}

/// The parts of a job as its user sees them, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Group,
    Outline,
    Digest,
    Feedback,
    Convolution,
    Refine,
    Write,
}

impl Stage {
    pub const ALL: [Self; 7] =
        [Self::Group, Self::Outline, Self::Digest, Self::Feedback, Self::Convolution, Self::Refine, Self::Write];

    pub fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Outline => "outline",
            Self::Digest => "digest",
            Self::Feedback => "feedback",
            Self::Convolution => "convolution",
            Self::Refine => "refine",
            Self::Write => "write",
        }
    }
}

/// What a task asks. One kernel serves each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// Put sources that belong together into groups of `size`. Gives [`Product::Groups`].
    Group { sources: Vec<Titled>, size: u32 },
    /// Outline an article from the leads of a few sources. Gives [`Product::Outline`].
    Outline { sources: Vec<CardRef> },
    /// Make one outline of several. Gives [`Product::Outline`].
    MergeOutlines { outlines: Vec<SharedOutline> },
    /// Read (a chunk of) a source against the outline. Gives [`Product::Digest`].
    Digest {
        source: Titled,
        text: BlobId,
        /// This chunk's number, from 1, and how many there are.
        part: (u32, u32),
        outline: SharedOutline,
        /// The leaves that are asked for; all of them where it is empty.
        only: Vec<SectionId>,
    },
    /// Make one suggestion, and the outline that it leads to, of a group's digests. Gives [`Product::Candidate`].
    Feedback { outline: SharedOutline, digests: Vec<DigestOf> },
    /// Judge an outline. Gives [`Product::Score`].
    Score { outline: SharedOutline },
    /// Merge the candidates of a receptive field into one. Gives [`Product::Candidate`].
    Convolve { members: Vec<Arc<Candidate>> },
    /// Criticise an outline, then mend it. `attempt` tells tries of one round apart. Gives [`Product::Candidate`].
    Refine { outline: SharedOutline, round: u32, attempt: u32 },
    /// Say in at most `room` tokens of notes what these notes say. Gives [`Product::Notes`].
    Condense { section: SectionBrief, notes: Vec<Note>, room: u32 },
    /// Write a section that has no children. Gives [`Product::Passage`].
    Write { section: SectionBrief, notes: Vec<Note>, words: u32 },
    /// Write what stands before a section's children, or before the whole article where `section` is none.
    /// Gives [`Product::Passage`].
    Introduce { section: Option<SectionBrief>, children: Vec<Written>, words: u32 },
    /// Make a table or a diagram for a chapter, where one carries more than prose. Gives [`Product::Figure`].
    Illustrate { section: SectionBrief, notes: Vec<Note> },
}

impl Work {
    /// Hashes all that is asked. An outline goes in by its name: it is large, and many tasks share it.
    fn hash(&self, hasher: &mut Hasher) {
        let (name, rest) = (
            self.kind().name(),
            match self {
                Self::MergeOutlines { outlines } => {
                    wire::fields(&outlines.iter().map(SharedOutline::id).collect::<Vec<_>>())
                }
                Self::Digest { source, text, part, outline, only } => {
                    wire::fields(&(source, text, part, outline.id(), only))
                }
                Self::Feedback { outline, digests } => wire::fields(&(outline.id(), digests)),
                Self::Score { outline } => wire::fields(&outline.id()),
                Self::Convolve { members } => {
                    let members = members.iter().map(|member| (member.outline.id(), &member.suggestion, member.tokens));
                    wire::fields(&members.collect::<Vec<_>>())
                }
                Self::Refine { outline, round, attempt } => wire::fields(&(outline.id(), round, attempt)),
                Self::Group { .. }
                | Self::Outline { .. }
                | Self::Condense { .. }
                | Self::Write { .. }
                | Self::Introduce { .. }
                | Self::Illustrate { .. } => wire::fields(self),
            },
        );
        hasher.part(name.as_bytes()).part(&rest);
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Group { .. } => Kind::Group,
            Self::Outline { .. } => Kind::Outline,
            Self::MergeOutlines { .. } => Kind::MergeOutlines,
            Self::Digest { .. } => Kind::Digest,
            Self::Feedback { .. } => Kind::Feedback,
            Self::Score { .. } => Kind::Score,
            Self::Convolve { .. } => Kind::Convolve,
            Self::Refine { .. } => Kind::Refine,
            Self::Condense { .. } => Kind::Condense,
            Self::Write { .. } => Kind::Write,
            Self::Introduce { .. } => Kind::Introduce,
            Self::Illustrate { .. } => Kind::Illustrate,
        }
    }
}

/// A source by handle and title.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Titled {
    pub id: SourceId,
    pub title: String,
    /// Tokens of the title.
    pub tokens: u32,
}

impl From<&Source> for Titled {
    fn from(source: &Source) -> Self {
        Self { id: source.id, title: source.title.clone(), tokens: source.title_tokens }
    }
}

/// A source by handle and stored card.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardRef {
    pub id: SourceId,
    pub card: BlobId,
}

/// A source's digest with the source's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DigestOf {
    pub source: Titled,
    pub digest: Digest,
}

impl DigestOf {
    /// Tokens of the digest as it is shown to a model.
    pub fn tokens(&self) -> u32 {
        12 + self.source.tokens + self.digest.tokens
    }
}

/// A section as its writer needs it: where it stands, what it is to say, and what its neighbours say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionBrief {
    /// Titles from the chapter down to the section itself.
    pub path: Vec<String>,
    pub extract: String,
    pub analyse: String,
    /// Titles of the other sections beside it, so that it doesn't say what they will.
    pub beside: Vec<String>,
}

impl SectionBrief {
    pub fn of(path: Vec<String>, section: &Section, beside: Vec<String>) -> Self {
        Self { path, extract: section.extract.clone(), analyse: section.analyse.clone(), beside }
    }

    pub fn title(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// A written section as its parent's writer sees it: its title and enough of its text to introduce it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Written {
    pub title: String,
    /// Sentences with the sources they rest on.
    pub passage: Passage,
    pub tokens: u32,
}

/// What a task makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Product {
    Groups(Vec<Vec<SourceId>>),
    Outline(SharedOutline),
    Digest(Digest),
    Candidate(Candidate),
    Score(Score),
    Notes(Vec<Note>),
    Passage(Passage),
    /// None where prose says it better.
    Figure(Option<Figure>),
}

/// The end of a task. The stream of a job's outcomes is its journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub task: TaskId,
    pub verdict: Verdict,
    pub usage: Usage,
    /// Citations that a reply made of sources it was not given, and that were taken out.
    pub citations_removed: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    Done(Product),
    /// The model failed at it; the kernel's fallback made this instead.
    Degraded {
        product: Product,
        reason: String,
    },
    /// Nothing came of it and nothing will: the stage goes on with its own fallback.
    Failed {
        reason: String,
    },
    /// The model can't be used at all (a wrong key, no quota, no answer): the job stops, and the task is asked again when
    /// the job is taken up again.
    Stopped {
        reason: String,
    },
}

impl Verdict {
    /// All that [`Verdict::name`] may be.
    pub const NAMES: [&str; 4] = ["done", "degraded", "failed", "stopped"];

    /// False where the task is to be asked again.
    pub fn ends_task(&self) -> bool {
        !matches!(self, Self::Stopped { .. })
    }

    /// The name in metrics and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Degraded { .. } => "degraded",
            Self::Failed { .. } => "failed",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// Why the model didn't do it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Done(_) => None,
            Self::Degraded { reason, .. } | Self::Failed { reason } | Self::Stopped { reason } => Some(reason),
        }
    }
}

/// What a task or a stage has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Calls that a model answered and that were paid for, whatever the reply was worth.
    pub calls: u64,
    /// Calls whose reply was known already, from an earlier run or an equal call.
    pub calls_from_cache: u64,
    /// Calls that failed: no reply, nothing paid.
    pub calls_failed: u64,
    /// Calls that were made a second time since the first took long. One of the two was dropped: it is among `calls`, with
    /// its prompt, for it is paid for.
    #[serde(default)]
    pub calls_hedged: u64,
    pub prompt_tokens: u64,
    /// Of these, tokens that the server had in its own prefix cache.
    pub prompt_tokens_cached: u64,
    pub reply_tokens: u64,
    /// In millionths of a US dollar, where prices are configured.
    pub cost_micros: u64,
    /// Time that calls took, in milliseconds, added up.
    pub call_millis: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.calls_from_cache += other.calls_from_cache;
        self.calls_failed += other.calls_failed;
        self.calls_hedged += other.calls_hedged;
        self.prompt_tokens += other.prompt_tokens;
        self.prompt_tokens_cached += other.prompt_tokens_cached;
        self.reply_tokens += other.reply_tokens;
        self.cost_micros += other.cost_micros;
        self.call_millis += other.call_millis;
    }
}
