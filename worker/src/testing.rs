//! What this crate's tests share: work of every kind, a model that says what it is told, and a bus in memory.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::{Notify, broadcast};
use tributary_protocol::{
    budget::{Window, count},
    bus::{Bus, BusError, BusProblem, Delivery, Entry, Gossip, Kinds, Lag, Receipt, Result},
    id::{BlobId, CallId, Hasher, JobId},
    settings::Language,
    source::{Card, CardRef, SourceId, TitledSource},
    survey::{
        Genre, SurveyBrief, SurveyKind, SurveyLimits, SurveyStage, SurveyWork,
        article::{Paragraph, Passage, Sentence},
        digest::{Digest, Note, SourceDigest},
        outline::{Outline, Section, SharedOutline},
        suggestion::Candidate,
        work::{SectionBrief, WrittenPart},
    },
    task::{Kind, Outcome, Task, Usage, Verdict, Work},
    wire,
};

use crate::model::{LanguageModel, ModelCall, ModelError, ModelReply};

pub(crate) fn brief(language: Language, genre: Genre) -> Arc<SurveyBrief> {
    let limits = SurveyLimits { sections: 12, outline: 900, suggestion: 120, digest: 400, passage: 600 };
    Arc::new(SurveyBrief { title: "Tides".into(), language, genre, window: Window(32_000), limits })
}

pub(crate) fn task(work: SurveyWork) -> Arc<Task> {
    let job = JobId::of(Hasher::new("job").part(b"a job"));
    let work = Work::Survey(brief(Language::En, Genre::Survey), work);
    Arc::new(Task::new(job, SurveyStage::Write.into(), "a place".into(), "openai/scripted".into(), work))
}

pub(crate) fn section(title: &str, sources: &[u32], children: Vec<Section>) -> Section {
    Section {
        origin: None,
        title: title.into(),
        extract: format!("what {title} are"),
        analyse: "compare".into(),
        sources: sources.iter().copied().map(SourceId).collect(),
        children,
    }
}

pub(crate) fn note(text: &str, sources: &[u32]) -> Note {
    Note::new(text, sources.iter().copied().map(SourceId).collect())
}

/// A1 tides, above A2 causes and A3 currents.
pub(crate) fn outline() -> Outline {
    let leaves = vec![section("causes", &[1], vec![]), section("currents", &[2], vec![])];
    Outline { sections: vec![section("tides", &[], leaves)] }.numbered()
}

pub(crate) fn section_brief() -> SectionBrief {
    let mut section = section("causes", &[], vec![]);
    section.extract = "why".into();
    SectionBrief::of(vec!["tides".into(), "causes".into()], &section, vec!["currents".into()])
}

/// Some work of a kind with its blobs, in which `words` stand wherever a source or a model could have put them.
pub(crate) fn work(kind: SurveyKind, words: &str) -> (SurveyWork, Vec<Bytes>) {
    let titled = |id| TitledSource { id: SourceId(id), title: words.to_owned(), tokens: count(words) };
    let card = Card { title: words.into(), lead: words.into(), url: None, extra: Default::default() };
    let mut outline = outline();
    outline.walk_mut(|section| section.extract = words.to_owned());
    let outline = SharedOutline::new(outline);
    let notes = vec![note(words, &[1]), note("The moon pulls.", &[1, 2])];
    let mut section = section_brief();
    section.analyse = words.to_owned();
    let mut blobs = Vec::new();
    let work = match kind {
        SurveyKind::Group => SurveyWork::Group { sources: vec![titled(1), titled(2)], size: 2 },
        SurveyKind::Outline => {
            blobs = vec![Bytes::from(wire::encode(&card)); 2];
            let blob = BlobId::of_bytes(words.as_bytes());
            SurveyWork::Outline { sources: [1, 2].map(|id| CardRef { id: SourceId(id), card: blob }).into() }
        }
        SurveyKind::MergeOutlines => SurveyWork::MergeOutlines { outlines: vec![outline.clone(), outline] },
        SurveyKind::Digest => {
            blobs = vec![Bytes::copy_from_slice(words.as_bytes())];
            let text = BlobId::of_bytes(words.as_bytes());
            SurveyWork::Digest { source: titled(1), text, part: (1, 2), outline, only: vec![] }
        }
        SurveyKind::Feedback => {
            let notes = vec![(outline.leaves().next().unwrap().origin.unwrap(), note(words, &[1]))];
            let digest = Digest::new(notes, words.into());
            SurveyWork::Feedback { outline, digests: vec![SourceDigest { source: titled(1), digest }] }
        }
        SurveyKind::Score => SurveyWork::Score { outline },
        SurveyKind::Convolve => {
            let member = Candidate { suggestion: words.into(), outline, tokens: 100 };
            SurveyWork::Convolve { members: vec![Arc::new(member.clone()), Arc::new(member)] }
        }
        SurveyKind::Refine => SurveyWork::Refine { outline, round: 1, attempt: 1 },
        SurveyKind::Condense => SurveyWork::Condense { section, notes, room: 200 },
        SurveyKind::Write => SurveyWork::Write { section, notes, words: 200 },
        SurveyKind::Introduce => {
            let sentences = vec![Sentence { text: words.into(), sources: vec![SourceId(1)] }];
            let passage = Passage { paragraphs: vec![Paragraph { sentences }] };
            let children = vec![WrittenPart { title: words.into(), passage, tokens: 50 }];
            SurveyWork::Introduce { section: Some(section), children, words: 100 }
        }
        SurveyKind::Illustrate => SurveyWork::Illustrate { section, notes },
    };
    (work, blobs)
}

/// Says what it is told, in order, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Scripted {
    lines: Mutex<VecDeque<Result<String, ModelError>>>,
    pub asked: Mutex<Vec<ModelCall>>,
}

impl Scripted {
    pub fn saying(lines: impl IntoIterator<Item = Result<&'static str, ModelError>>) -> Arc<Self> {
        let lines = lines.into_iter().map(|line| line.map(str::to_owned)).collect();
        Arc::new(Self { lines: Mutex::new(lines), asked: Mutex::default() })
    }

    pub fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl LanguageModel for Scripted {
    fn name(&self) -> &str {
        "openai/scripted"
    }

    async fn complete(&self, call: &ModelCall) -> Result<ModelReply, ModelError> {
        self.asked.lock().unwrap().push(call.clone());
        let silent = || Err(ModelError::Unavailable { message: "nobody is there".into() });
        let text = self.lines.lock().unwrap().pop_front().unwrap_or_else(silent)?;
        Ok(ModelReply { text: text.into(), usage: Default::default() })
    }
}

/// A bus that forgets with its process. It has no journal to read, and no second worker.
#[derive(Default)]
pub(crate) struct MemoryBus {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    tasks: VecDeque<Arc<Task>>,
    blobs: HashMap<BlobId, Bytes>,
    replies: HashMap<CallId, Bytes>,
    outcomes: Vec<Outcome>,
    acknowledged: usize,
    pulls: usize,
    signs_of_life: usize,
}

impl MemoryBus {
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.inner.lock().unwrap().outcomes.clone()
    }

    pub fn waiting(&self) -> usize {
        self.inner.lock().unwrap().tasks.len()
    }

    pub fn signs_of_life(&self) -> usize {
        self.inner.lock().unwrap().signs_of_life
    }

    /// Waits until so many tasks are acknowledged.
    pub async fn acknowledged(&self, tasks: usize) {
        self.until(|inner| inner.acknowledged >= tasks).await;
    }

    /// Waits until so many pulls have begun.
    pub async fn pulled(&self, pulls: usize) {
        self.until(|inner| inner.pulls >= pulls).await;
    }

    pub fn pulls(&self) -> usize {
        self.inner.lock().unwrap().pulls
    }

    async fn until(&self, fulfilled: impl Fn(&Inner) -> bool) {
        loop {
            let changed = self.changed.notified();
            if fulfilled(&self.inner.lock().unwrap()) {
                return;
            }
            changed.await;
        }
    }
}

struct Slip(Arc<MemoryBus>, Arc<Task>);

#[async_trait]
impl Receipt for Slip {
    async fn extend_lease(&self) -> Result<()> {
        self.0.inner.lock().unwrap().signs_of_life += 1;
        Ok(())
    }

    fn abandon(self: Box<Self>) {}

    fn lease(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn acknowledge(self: Box<Self>) -> Result<()> {
        self.0.inner.lock().unwrap().acknowledged += 1;
        self.0.changed.notify_waiters();
        Ok(())
    }

    async fn requeue_after(self: Box<Self>, _: Duration) -> Result<()> {
        self.0.inner.lock().unwrap().tasks.push_back(Arc::clone(&self.1));
        self.0.changed.notify_waiters();
        Ok(())
    }
}

/// The bus as its users hold it.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub Arc<MemoryBus>);

#[async_trait]
impl Bus for Shared {
    async fn publish(&self, task: &Task) -> Result<()> {
        self.0.inner.lock().unwrap().tasks.push_back(Arc::new(task.clone()));
        self.0.changed.notify_waiters();
        Ok(())
    }

    async fn pull(&self, _: &Kinds) -> Result<Delivery> {
        self.0.inner.lock().unwrap().pulls += 1;
        self.0.changed.notify_waiters();
        loop {
            let changed = self.0.changed.notified();
            if let Some(task) = self.0.inner.lock().unwrap().tasks.pop_front() {
                return Ok(Delivery::new(Arc::clone(&task), 1, Box::new(Slip(Arc::clone(&self.0), task))));
            }
            changed.await;
        }
    }

    async fn record(&self, _: JobId, outcome: &Outcome) -> Result<()> {
        self.0.inner.lock().unwrap().outcomes.push(outcome.clone());
        Ok(())
    }

    async fn journal(&self, _: JobId) -> Result<BoxStream<'static, Result<Entry>>> {
        unreachable!("no worker reads a journal")
    }

    async fn put(&self, _: JobId, bytes: Bytes) -> Result<BlobId> {
        let id = BlobId::of_bytes(&bytes);
        self.0.inner.lock().unwrap().blobs.insert(id, bytes);
        Ok(id)
    }

    async fn get(&self, _: JobId, blob: BlobId) -> Result<Bytes> {
        self.0.inner.lock().unwrap().blobs.get(&blob).cloned().ok_or(BusError::NoBlob(blob))
    }

    async fn reply(&self, call: CallId) -> Result<Option<Bytes>> {
        Ok(self.0.inner.lock().unwrap().replies.get(&call).cloned())
    }

    async fn keep_reply(&self, call: CallId, reply: Bytes) -> Result<()> {
        self.0.inner.lock().unwrap().replies.insert(call, reply);
        Ok(())
    }

    async fn clear(&self, _: JobId) -> Result<()> {
        unreachable!("no worker clears a job")
    }

    async fn clear_work(&self, _: JobId) -> Result<()> {
        unreachable!("no worker clears a job")
    }

    async fn lag(&self) -> Result<BTreeMap<Kind, Lag>> {
        unreachable!("no worker asks how many tasks are out")
    }
}

/// A way to the others that can be cut.
#[derive(Clone)]
pub(crate) struct Way {
    pub all: broadcast::Sender<Bytes>,
    pub is_cut: Arc<AtomicBool>,
}

#[async_trait]
impl Gossip for Way {
    async fn tell(&self, _: &str, word: Bytes) -> Result<()> {
        if self.is_cut.load(Ordering::Relaxed) {
            return Err(BusError::Unavailable { place: "here".into(), problem: BusProblem::Other("it is cut".into()) });
        }
        let _ = self.all.send(word);
        Ok(())
    }

    async fn hear(&self, _: &str) -> Result<BoxStream<'static, Bytes>> {
        let heard = (self.all.subscribe(), self.is_cut.clone());
        Ok(stream::unfold(heard, |(mut heard, is_cut)| async {
            loop {
                let word = heard.recv().await.ok()?;
                if !is_cut.load(Ordering::Relaxed) {
                    return Some((word, (heard, is_cut)));
                }
            }
        })
        .boxed())
    }
}

/// An outcome of a task that made nothing.
pub(crate) fn nothing(task: &Task) -> Outcome {
    let verdict = Verdict::Failed { reason: "nothing to do".into() };
    Outcome { task: task.id, verdict, usage: Usage::default(), citations_removed: 0 }
}
