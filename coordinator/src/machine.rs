//! The machine: a job as a pure function of its outcomes.
//!
//! [`Machine::apply`] takes an outcome and gives the tasks that it leads to. There is no clock, no I/O and no chance but
//! the job's seed, and the order in which outcomes come decides nothing: the same outcomes give the same article. So the
//! journal of outcomes is the whole state of a job, and recovery is to apply it again.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tributary_protocol::{
    article::Article,
    digest::Note,
    id::TaskId,
    job::{Job, Progress},
    outline::SharedOutline,
    source::SourceId,
    task::{Outcome, Product, Stage, Task, Verdict},
};

use crate::stage::{
    Asked, Context, Place,
    block::{Bettered, Block},
    digest::Digest,
    group::{Group, Grouped, ToOutline},
    outline::Outline,
    write::{Text, Write},
};

/// A place where a job is not all that it could be, for the report.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Flaw {
    #[serde(serialize_with = "stage_name")]
    pub stage: Stage,
    /// The unit that it befell: a task, a source, a section.
    pub unit: String,
    pub reason: String,
    /// What stands in its place.
    pub instead: &'static str,
}

fn stage_name<S: serde::Serializer>(stage: &Stage, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(stage.name())
}

/// Where the parameters saved calls, or the room forced a merge: not flaws, but worth a line.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Economies {
    /// Layers of the convolution that were left out, since the best score had stopped rising.
    pub layers_saved: u32,
    /// Rounds of refinement that were left out, of all tries together, since one had brought nothing better.
    pub rounds_saved: u32,
    /// Sources that were split since they outgrow a prompt, and into how many chunks in all.
    pub sources_split: u32,
    pub chunks_of_split_sources: u32,
    /// Notes that were merged with others since a section's notes outgrew a prompt.
    pub notes_condensed: u64,
    /// Notes that no text was made of, since a section had too many that could not be condensed.
    pub notes_left_out: u64,
}

/// What a job ends with.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    pub article: Article,
    /// The notes of each section, in the article's order, parents before children.
    pub notes: Vec<Vec<Note>>,
    /// Sources of which no note was made, in order.
    pub silent: Vec<SourceId>,
    /// Leaves of the outline that no source said anything for, by the titles down to them.
    pub left_out: Vec<String>,
}

/// A job between two outcomes.
pub struct Machine {
    context: Context,
    asked: Asked,
    /// Outcomes of tasks that have not been asked for yet.
    early: HashMap<TaskId, Outcome>,
    group: Group,
    outline: Outline,
    /// By batch of titles, once they are known.
    groups: Vec<Option<Vec<Vec<SourceId>>>>,
    /// What sources are to be read against, until their groups are known.
    outlined: Option<SharedOutline>,
    phase: Phase,
    finished: Option<Arc<Finished>>,
    flaws: Vec<(Place, Flaw)>,
    economies: Economies,
    citations_removed: u64,
}

/// What a job is about.
enum Phase {
    /// There is no outline yet to read the sources against, or not all groups are known.
    Outline,
    Block(Block),
    /// The last reading, and the text.
    Write {
        digest: Digest,
        write: Write,
    },
}

impl Machine {
    /// A job at its beginning, and its first tasks.
    pub fn new(job: Arc<Job>) -> (Self, Vec<Task>) {
        let context = Context::new(job);
        let mut asked = Asked::default();
        let (group, at_once) = Group::start(&context, &mut asked);
        let split = context.job.sources.iter().filter(|source| source.chunks.len() > 1);
        let economies = Economies {
            sources_split: split.clone().count() as u32,
            chunks_of_split_sources: split.map(|source| source.chunks.len() as u32).sum(),
            ..Economies::default()
        };
        let mut machine = Self {
            outline: Outline::new(group.batches()),
            groups: vec![None; group.batches()],
            outlined: None,
            group,
            context,
            asked,
            early: HashMap::new(),
            phase: Phase::Outline,
            finished: None,
            flaws: Vec::new(),
            economies,
            citations_removed: 0,
        };
        at_once.grouped.into_iter().for_each(|grouped| machine.on_groups(grouped));
        at_once.to_outline.into_iter().for_each(|to_outline| machine.on_to_outline(to_outline));
        let tasks = machine.take_new();
        (machine, tasks)
    }

    /// Takes an outcome and gives the tasks that it leads to. One that comes before its task is asked for waits for that:
    /// a journal whose server forgot a part of it has later outcomes before earlier ones. One that came before leads to
    /// nothing, though it waits as well: journals tell each but once, so nothing is spent on telling the two apart. One that
    /// says that the model can't be used at all changes nothing.
    pub fn apply(&mut self, outcome: &Outcome) -> Vec<Task> {
        if !outcome.verdict.ends_task() {
            return Vec::new();
        }
        let Some(place) = self.asked.open.remove(&outcome.task) else {
            self.early.insert(outcome.task, outcome.clone());
            return Vec::new();
        };
        self.settle(place, outcome);
        let mut asked = VecDeque::from(self.take_new());
        let mut unanswered = Vec::new();
        while let Some(task) = asked.pop_front() {
            match self.early.remove(&task.id) {
                Some(outcome) => {
                    let place = self.asked.open.remove(&task.id).expect("what was just asked for is open");
                    self.settle(place, &outcome);
                    asked.extend(self.take_new());
                }
                None => unanswered.push(task),
            }
        }
        unanswered
    }

    fn settle(&mut self, place: Place, outcome: &Outcome) {
        let product = match &outcome.verdict {
            Verdict::Done(product) | Verdict::Degraded { product, .. } => Some(product.clone()),
            Verdict::Failed { .. } | Verdict::Stopped { .. } => None,
        };
        self.account(place, outcome);
        self.accept(place, product);
    }

    /// The article, once there is nothing left to do.
    pub fn finished(&self) -> Option<&Arc<Finished>> {
        self.finished.as_ref()
    }

    pub fn progress(&self) -> &Progress {
        &self.asked.progress
    }

    /// Whether a task has been asked for and has no outcome yet.
    pub fn awaits(&self, task: TaskId) -> bool {
        self.asked.open.contains_key(&task)
    }

    /// What did not go as it should, in the order of the job's places (not of arrival).
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws: Vec<_> = self.flaws.iter().collect();
        flaws.sort_by_key(|(place, _)| *place);
        flaws.into_iter().map(|(_, flaw)| flaw.clone()).collect()
    }

    pub fn economies(&self) -> &Economies {
        &self.economies
    }

    /// Citations that replies made of sources they were not given.
    pub fn citations_removed(&self) -> u64 {
        self.citations_removed
    }

    fn take_new(&mut self) -> Vec<Task> {
        std::mem::take(&mut self.asked.new)
    }

    fn account(&mut self, place: Place, outcome: &Outcome) {
        let progress = self.asked.progress.stages.entry(place.stage()).or_default();
        progress.ended += 1;
        progress.usage += outcome.usage;
        self.citations_removed += u64::from(outcome.citations_removed);
        let (reason, instead) = match &outcome.verdict {
            Verdict::Degraded { reason, .. } => (reason, "made without the model"),
            Verdict::Failed { reason } => (reason, instead_of(place)),
            Verdict::Done(_) | Verdict::Stopped { .. } => return,
        };
        progress.degraded += 1;
        let unit = match place {
            Place::Digest { source, .. } => format!("{place}: {}", self.context.source(source).title),
            _ => place.to_string(),
        };
        let flaw = Flaw { stage: place.stage(), unit, reason: reason.clone(), instead };
        self.flaws.push((place, flaw));
    }

    /// Hands a product to the stage that asked for it, and what the stage gives to the next.
    fn accept(&mut self, place: Place, product: Option<Product>) {
        let Self { context, asked, .. } = self;
        match place {
            Place::Group { batch } => {
                let (grouped, to_outline) = self.group.accept(context, batch, product);
                self.on_groups(grouped);
                to_outline.into_iter().for_each(|to_outline| self.on_to_outline(to_outline));
            }
            Place::Outline { batch, number } => {
                if let Some(outline) = self.outline.accept_first(context, asked, (batch, number), product) {
                    self.on_outline(outline);
                }
            }
            Place::MergeOutlines { level, field } => {
                if let Some(outline) = self.outline.accept_merged(context, asked, (level, field), product) {
                    self.on_outline(outline);
                }
            }
            Place::Digest { source, chunk, .. } => {
                match &mut self.phase {
                    Phase::Block(block) => block.digested(context, asked, (source, chunk), product),
                    Phase::Write { digest, write } => {
                        if digest.accept(source, chunk, product) {
                            for leaf in digest.read_with(source) {
                                write.read(context, asked, leaf, digest.notes_of_leaf(leaf));
                            }
                        }
                    }
                    Phase::Outline => unreachable!("sources are read against an outline"),
                }
                self.go_on();
            }
            Place::Feedback { .. } | Place::Convolution { .. } | Place::Refine { .. } => {
                let Phase::Block(block) = &mut self.phase else { unreachable!("a block ends with its last task") };
                block.accept(context, asked, place, product);
                self.go_on();
            }
            Place::Write(place) => {
                let Phase::Write { write, .. } = &mut self.phase else { unreachable!("the text comes last") };
                write.accept(context, asked, place, product);
                self.go_on();
            }
        }
    }

    fn on_groups(&mut self, grouped: Grouped) {
        self.groups[grouped.batch] = Some(grouped.groups);
        self.read_if_ready();
    }

    fn on_to_outline(&mut self, to_outline: ToOutline) {
        self.outline.add(&self.context, &mut self.asked, to_outline);
    }

    fn on_outline(&mut self, outline: SharedOutline) {
        self.outlined = Some(outline);
        self.read_if_ready();
    }

    /// Reads the sources, once there is an outline to read them against and all groups are known.
    fn read_if_ready(&mut self) {
        if self.groups.contains(&None) {
            return;
        }
        if let Some(outline) = self.outlined.take() {
            let groups = self.all_groups();
            let digest = Digest::first(&self.context, &mut self.asked, &outline, &groups);
            self.phase = Phase::Block(Block::start(&self.context, 0, &groups, digest));
        }
    }

    fn all_groups(&self) -> Vec<Vec<SourceId>> {
        self.groups.iter().flatten().flatten().cloned().collect()
    }

    /// Goes on to the next phase where one has ended.
    fn go_on(&mut self) {
        if let Phase::Block(block) = &self.phase
            && block.is_complete()
            && let Phase::Block(block) = std::mem::replace(&mut self.phase, Phase::Outline)
        {
            self.on_bettered(block.number, block.end());
        }
        self.finish_if_written();
    }

    fn on_bettered(&mut self, number: u32, bettered: Bettered) {
        let Self { context, asked, .. } = self;
        self.economies.layers_saved += bettered.layers_saved;
        self.economies.rounds_saved += bettered.rounds_saved;
        let again = Digest::again(context, asked, &bettered.digest, &bettered.outline);
        // A block in which nothing is read has no suggestions to convolve.
        self.phase = if number + 1 < context.job.settings.blocks && !again.is_complete() {
            Phase::Block(Block::start(&self.context, number + 1, &self.all_groups(), again))
        } else {
            let (outline, notes, unread) = (again.outline().clone(), again.notes_by_leaf(), again.unread());
            Phase::Write { write: Write::start(context, asked, &outline, notes, &unread), digest: again }
        };
    }

    fn finish_if_written(&mut self) {
        let Phase::Write { digest, write } = &self.phase else { return };
        if !write.is_complete() {
            return;
        }
        self.economies.notes_condensed = write.condensed as u64;
        self.economies.notes_left_out = write.unwritten_notes as u64;
        let Text { article, notes, left_out } = write.text(&self.context.job.title);
        let silent = self.context.job.sources.iter().map(|source| source.id);
        let silent = silent.filter(|source| !digest.has_notes_of(*source)).collect();
        self.finished = Some(Arc::new(Finished { article, notes, silent, left_out }));
    }
}

/// What a stage goes on with where nothing came of a task.
fn instead_of(place: Place) -> &'static str {
    match place {
        Place::Group { .. } => "neighbours in the input are the groups",
        Place::Outline { .. } => "the titles of the sources are the outline",
        Place::MergeOutlines { .. } => "the outlines stand one after the other, folded where they are too long",
        Place::Digest { .. } => "nothing of this text is in the article",
        Place::Feedback { .. } => "these sources suggest nothing",
        Place::Convolution { .. } => "a member stands for its field, of scored ones the best; unscored come last",
        Place::Refine { .. } => "the other attempts stand",
        Place::Write(_) => "notes stand as they are, introductions and figures are left out",
    }
}
