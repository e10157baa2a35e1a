//! The files of a finished job: `md/<slug>.md`, `<slug>.jsonl`, `<slug>.report.json`.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use tributary_protocol::{
    bus::{Bus, BusError},
    job::Job,
    source::{Card, Source, SourceId},
    wire,
};

use super::{
    Reduced,
    jsonl::{Head, Line},
    markdown::{self, Reference},
    report::Report,
};

/// Where the files of an article are.
#[derive(Clone, Debug)]
pub struct Files {
    pub markdown: PathBuf,
    pub jsonl: PathBuf,
    pub report: PathBuf,
}

impl Files {
    /// Their names in `folder`.
    pub fn of(folder: &Path, slug: &str) -> Self {
        Self {
            markdown: folder.join("md").join(format!("{slug}.md")),
            jsonl: folder.join(format!("{slug}.jsonl")),
            report: folder.join(format!("{slug}.report.json")),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("the job ended without an article")]
    Unfinished,
}

/// Writes all three, each whole or not at all: a reader never finds half a file. What is there is replaced.
///
/// # Errors
/// A file that can't be written, by its path, and a text that the bus doesn't have.
pub(super) async fn write(
    bus: &dyn Bus,
    job: &Job,
    reduced: &Reduced,
    report: &Report,
    extra: &Map<String, Value>,
    files: &Files,
) -> Result<(), OutputError> {
    let mut cited = HashMap::new();
    let mut references = Vec::new();
    for (i, id) in reduced.numbering.cited().iter().enumerate() {
        cited.insert(*id, i + 1);
        references.push(card(bus, job, source(job, *id)).await?);
    }
    let shown = references.iter().map(|card| Reference { title: &card.title, url: card.url.as_deref() });
    let ref_str = markdown::references(shown, job.settings.language);
    let content = markdown::content(&reduced.article, &reduced.numbering, job.settings.language);
    let outline = markdown::outline(&reduced.article);

    replace(&files.markdown, |out| writeln!(out, "{content}\n\n{ref_str}"))?;
    replace(&files.report, |out| {
        serde_json::to_writer_pretty(&mut *out, report)?;
        out.write_all(b"\n")
    })?;
    let head = Head {
        title: &job.title,
        outline: &outline,
        content: &content,
        ref_str: &ref_str,
        cite_ratio: report.sources.coverage,
        extra,
    };
    let mut draft = Whole::create(&files.jsonl)?;
    let mut line = Line::begin(&mut draft.out, &head).map_err(at(&files.jsonl))?;
    // The n-th paper is reference n: cited ones first, by number.
    let rest = job.sources.iter().map(|source| source.id).filter(|id| !cited.contains_key(id));
    for id in reduced.numbering.cited().iter().copied().chain(rest) {
        let source = source(job, id);
        let card = card(bus, job, source).await?;
        let text = text(bus, job, source).await?;
        line.paper(&card, &text, cited.get(&id).copied()).map_err(at(&files.jsonl))?;
    }
    line.end().map_err(at(&files.jsonl))?;
    draft.finish()
}

fn source(job: &Job, id: SourceId) -> &Source {
    &job.sources[id.index()]
}

async fn card(bus: &dyn Bus, job: &Job, source: &Source) -> Result<Card, BusError> {
    Ok(wire::decode(&bus.get(job.id, source.card).await?)?)
}

async fn text(bus: &dyn Bus, job: &Job, source: &Source) -> Result<String, BusError> {
    let mut text = String::new();
    for chunk in &source.chunks {
        text.push_str(&String::from_utf8_lossy(&bus.get(job.id, chunk.text).await?));
    }
    Ok(text)
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> OutputError {
    let path = path.to_owned();
    move |source| OutputError::File { path, source }
}

fn replace(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), OutputError> {
    let mut draft = Whole::create(path)?;
    fill(&mut draft.out).map_err(at(path))?;
    draft.finish()
}

/// A file that takes its name only when it is complete.
pub(crate) struct Whole {
    path: PathBuf,
    draft: PathBuf,
    out: BufWriter<File>,
}

impl Whole {
    pub(crate) fn create(path: &Path) -> Result<Self, OutputError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let draft = path.with_file_name(name);
        let out = BufWriter::new(File::create(&draft).map_err(at(&draft))?);
        Ok(Self { path: path.to_owned(), draft, out })
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.out.write_all(bytes)
    }

    pub(crate) fn finish(mut self) -> Result<(), OutputError> {
        self.out.flush().map_err(at(&self.draft))?;
        fs::rename(&self.draft, &self.path).map_err(at(&self.path))
    }
}
