//! From inputs to jobs: documents are read, counted, split to fit a prompt, and stored.
//!
//! A job's id is the hash of its sources, so texts can be stored under the id only after all sources are read. Until
//! then texts wait in a file without a name, not in memory.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    fs::File,
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_protocol::{
    budget::count,
    bus::{Bus, BusError},
    id::BlobId,
    job::{Job, Request},
    settings::JobSettings,
    source::{Card, Chunk, Source, SourceId},
    wire,
};

use crate::ingest::{self, BoxError, Document, Problem, Sink, Survey};

/// The most blobs stored in parallel.
const STORING: usize = 16;

/// A pipeline's template for requests, set up before the corpora are read.
pub trait RequestTemplate: Send + Sync {
    /// Returns how the pipeline needs the corpora to be read.
    fn reading(&self, settings: &JobSettings) -> Reading;

    /// Returns the request for a corpus of this title.
    fn request(&self, title: String) -> Request;
}

/// A pipeline's needs for the reading of corpora.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The most tokens of a source's lead: of its abstract, or of its beginning.
    pub lead_tokens: u32,
    /// The most tokens of a chunk of a source's text.
    pub chunk_tokens: u32,
    /// All inputs make a single corpus, even if a JSONL file has several.
    pub as_one_corpus: bool,
}

/// Notes on a job's input, kept beside the job itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct InputNotes {
    /// Extra fields of the survey's line, kept for the output.
    pub extra: Map<String, Value>,
    /// Problems of the input as a whole.
    pub problems: Vec<Problem>,
}

/// The prepared input: a job for each corpus, and the problems found.
pub struct Prepared {
    pub jobs: Vec<PreparedJob>,
    pub problems: Vec<Problem>,
}

/// A job with texts that are not yet stored.
pub struct PreparedJob {
    pub job: Arc<Job>,
    /// Extra fields of the survey's line, kept for the output.
    pub extra: Map<String, Value>,
    blobs: Vec<Spooled>,
    spool: Arc<Spool>,
}

impl PreparedJob {
    /// Returns the tokens of all sources.
    pub fn tokens(&self) -> u64 {
        self.job.sources.iter().flat_map(|source| &source.chunks).map(|chunk| u64::from(chunk.tokens)).sum()
    }

    /// Stores the texts on the bus for the workers. Storing a text again does no harm.
    ///
    /// # Errors
    ///
    /// Errors of the bus, and of reading the texts back.
    pub async fn store(&self, bus: &dyn Bus) -> Result<(), StoreError> {
        let stored = self.blobs.iter().map(|blob| async {
            let spool = self.spool.clone();
            let blob = *blob;
            let bytes =
                tokio::task::spawn_blocking(move || spool.read(blob)).await.map_err(std::io::Error::other)??;
            bus.put(self.job.id, bytes).await?;
            Ok(())
        });
        stream::iter(stored).buffer_unordered(STORING).try_collect().await
    }

    /// Reads a text without a bus, for plans that never run.
    ///
    /// # Errors
    ///
    /// Errors of reading the text back, and a blob that isn't part of this job.
    pub fn read(&self, blob: BlobId) -> std::io::Result<Bytes> {
        let place = self.blobs.binary_search_by_key(&blob, |spooled| spooled.id);
        let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, format!("no text {blob}"));
        self.spool.read(self.blobs[place.map_err(|_| missing())?])
    }
}

/// Why texts could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("failed to read a text back from the temporary file")]
    Spool(#[from] std::io::Error),
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Why nothing could be prepared, and the problems found by then.
#[derive(Debug)]
pub struct Unprepared {
    pub error: ingest::Error,
    pub problems: Vec<Problem>,
}

impl fmt::Display for Unprepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// No `source`: the displayed text includes the cause already, since the problems follow.
impl Error for Unprepared {}

/// Reads the inputs to their end and makes a job of each corpus in them. Blocks.
///
/// # Errors
///
/// The errors of [`ingest::read`].
pub fn prepare(
    inputs: &[PathBuf],
    title: Option<&str>,
    template: &dyn RequestTemplate,
    settings: &JobSettings,
    seed: u64,
) -> Result<Prepared, Unprepared> {
    let spool =
        Spool::new().map_err(|error| Unprepared { error: ingest::Error::Sink(error.into()), problems: vec![] })?;
    let mut builder = JobBuilder {
        reading: template.reading(settings),
        spool,
        open: BTreeMap::new(),
        complete: BTreeMap::new(),
        problems: Vec::new(),
    };
    let options = ingest::Options { title: title.map(str::to_owned), is_stand_in: builder.reading.as_one_corpus };
    if let Err(error) = ingest::read(inputs, &options, &mut builder) {
        return Err(Unprepared { error, problems: builder.problems });
    }
    if let (true, Some(part), Some((_, whole))) =
        (builder.reading.as_one_corpus, builder.open.remove(&0), builder.complete.get_mut(&0))
    {
        *whole = part;
    }
    let spool = Arc::new(builder.spool);
    let job = |(survey, part): (Survey, Part)| {
        let mut blobs = part.blobs;
        blobs.sort_unstable_by_key(|blob| blob.id);
        blobs.dedup_by_key(|blob| blob.id);
        let job = Job::new(template.request(survey.title), settings.clone(), seed, part.sources);
        PreparedJob { job: Arc::new(job), extra: survey.extra, blobs, spool: spool.clone() }
    };
    Ok(Prepared { jobs: builder.complete.into_values().map(job).collect(), problems: builder.problems })
}

/// Makes jobs of the documents that ingestion gives.
struct JobBuilder {
    reading: Reading,
    spool: Spool,
    open: BTreeMap<usize, Part>,
    complete: BTreeMap<usize, (Survey, Part)>,
    problems: Vec<Problem>,
}

/// The sources of a survey so far.
#[derive(Default)]
struct Part {
    sources: Vec<Source>,
    blobs: Vec<Spooled>,
}

impl Sink for JobBuilder {
    fn document(&mut self, survey: usize, document: Document) -> Result<(), BoxError> {
        let survey = if self.reading.as_one_corpus { 0 } else { survey };
        let part = self.open.entry(survey).or_default();
        let lead = match &document.abstract_text {
            Some(text) => first_tokens(text, self.reading.lead_tokens),
            None => first_tokens(&ingest::lead(&document.text, 400), self.reading.lead_tokens),
        };
        let title_tokens = count(&document.title);
        let card_tokens = title_tokens + count(&lead);
        let pieces = ingest::split(&document.text, self.reading.chunk_tokens as usize, |text| count(text) as usize);
        let mut chunks = Vec::with_capacity(pieces.len());
        let mut start = 0;
        for piece in pieces {
            let blob = self.spool.write(piece.as_bytes())?;
            part.blobs.push(blob);
            chunks.push(Chunk { text: blob.id, tokens: count(piece), start: start as u64 });
            start += piece.len();
        }
        let starts: Vec<usize> = chunks.iter().map(|chunk| chunk.start as usize).collect();
        let mut headings = ingest::headings_at(&document.text, &starts);
        if headings.iter().all(String::is_empty) {
            headings.clear();
        }
        let mut extra = document.extra;
        if let Some(text) = document.abstract_text {
            extra.insert("abstract".to_owned(), Value::String(text));
        }
        let card = Card { title: document.title.clone(), lead, url: document.url, extra };
        let blob = self.spool.write(&wire::encode(&card))?;
        part.blobs.push(blob);
        let id = SourceId(part.sources.len() as u32 + 1);
        part.sources.push(Source {
            id,
            title: document.title,
            title_tokens,
            card: blob.id,
            card_tokens,
            chunks,
            pages: document.pages.into_iter().map(|page| page as u64).collect(),
            chunk_headings: headings,
        });
        Ok(())
    }

    fn survey(&mut self, number: usize, survey: Survey) -> Result<(), BoxError> {
        if self.reading.as_one_corpus {
            // The corpus goes on, under the title of its first survey.
            self.complete.entry(0).or_insert((survey, Part::default()));
            return Ok(());
        }
        let part = self.open.remove(&number).unwrap_or_default();
        self.complete.insert(number, (survey, part));
        Ok(())
    }

    fn problem(&mut self, problem: Problem) -> Result<(), BoxError> {
        tracing::debug!(%problem, "problem in the input");
        self.problems.push(problem);
        Ok(())
    }
}

/// Returns the beginning of a text: whole sentences, if at least a sentence fits.
fn first_tokens(text: &str, most: u32) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if count(&text) <= most {
        return text;
    }
    ingest::split(&text, most as usize, |piece| count(piece) as usize)
        .first()
        .map_or("", |first| first.trim())
        .to_owned()
}

/// A blob's place in the spool.
#[derive(Clone, Copy)]
struct Spooled {
    id: BlobId,
    start: u64,
    len: u32,
}

/// A temporary file without a name, gone when the process ends.
struct Spool {
    file: Mutex<BufWriter<File>>,
    end: u64,
}

impl Spool {
    fn new() -> std::io::Result<Self> {
        Ok(Self { file: Mutex::new(BufWriter::new(tempfile::tempfile()?)), end: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<Spooled> {
        let len = u32::try_from(bytes.len()).map_err(|_| std::io::Error::other("a text exceeds 4 GB: split it"))?;
        self.file.get_mut().expect(NO_PANIC).write_all(bytes)?;
        let spooled = Spooled { id: BlobId::of_bytes(bytes), start: self.end, len };
        self.end += u64::from(len);
        Ok(spooled)
    }

    fn read(&self, blob: Spooled) -> std::io::Result<Bytes> {
        let mut writer = self.file.lock().expect(NO_PANIC);
        writer.flush()?;
        let file = writer.get_mut();
        file.seek(SeekFrom::Start(blob.start))?;
        let mut bytes = vec![0; blob.len as usize];
        file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

const NO_PANIC: &str = "reading and writing don't panic";
