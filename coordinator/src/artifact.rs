//! Artifacts: the files that a finished job leaves.
//!
//! A pipeline gives its artifacts to an [`ArtifactSink`], piece by piece. Texts of sources are named by their blobs, so
//! a sink that keeps artifacts for later doesn't copy the corpus. [`FolderSink`] writes files and fetches the texts.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tributary_protocol::{
    bus::{Bus, BusError},
    id::{BlobId, JobId},
};

/// A finished job in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultSummary {
    /// The pipeline's own figures, by name, such as `words`.
    pub figures: Vec<(String, u64)>,
    /// Units of work that a fallback did.
    pub degraded: u64,
    /// Pieces of the input that were dropped.
    pub dropped: u64,
    /// The time since the last coordinator claimed the job.
    pub wall: Duration,
}

impl ResultSummary {
    /// Returns a figure by its name.
    pub fn figure(&self, name: &str) -> Option<u64> {
        self.figures.iter().find(|(of, _)| of == name).map(|(_, figure)| *figure)
    }
}

/// An artifact's name: a path in a folder, with `*` for the job's own name, such as `md/*.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArtifactName(String);

impl ArtifactName {
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Returns the artifact's path in `folder` for a job named `slug`.
    ///
    /// # Errors
    ///
    /// A name that would lead out of the folder.
    pub fn path(&self, folder: &Path, slug: &str) -> Result<PathBuf, ArtifactError> {
        let relative = PathBuf::from(self.0.replace('*', slug));
        let leads_out = relative.components().any(|part| !matches!(part, Component::Normal(_)));
        if leads_out { Err(ArtifactError::BadName(self.0.clone())) } else { Ok(folder.join(relative)) }
    }
}

/// Why a job's artifacts can't be made, kept or written.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("the job has not finished: it has no result")]
    Unfinished,
    #[error("the artifact name `{0}` leads out of the folder")]
    BadName(String),
    #[error("part {0} of the result is missing: it may have been deleted at the end of its retention")]
    MissingPart(u32),
}

/// A sink that takes artifacts in sequence, each piece by piece.
#[async_trait]
pub trait ArtifactSink: Send {
    /// Begins an artifact.
    async fn begin(&mut self, name: &ArtifactName) -> Result<(), ArtifactError>;

    /// Adds bytes to the artifact.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), ArtifactError>;

    /// Adds the texts of these blobs of the job, in order, escaped for the inside of a JSON string.
    async fn write_json_text(&mut self, blobs: &[BlobId]) -> Result<(), ArtifactError>;

    /// Ends the artifact.
    async fn end(&mut self) -> Result<(), ArtifactError>;
}

/// Writes artifacts into a folder, each whole or not at all: a reader never finds half a file. Existing files are
/// replaced.
pub struct FolderSink<'a> {
    bus: &'a dyn Bus,
    job: JobId,
    folder: PathBuf,
    /// The job's own name in the folder.
    slug: String,
    open: Option<WholeFile>,
    written: Vec<PathBuf>,
}

impl<'a> FolderSink<'a> {
    pub fn new(bus: &'a dyn Bus, job: JobId, folder: &Path, slug: &str) -> Self {
        Self { bus, job, folder: folder.to_owned(), slug: slug.to_owned(), open: None, written: Vec::new() }
    }

    /// Returns the written files, in the order of the artifacts.
    pub fn into_files(self) -> Vec<PathBuf> {
        self.written
    }
}

#[async_trait]
impl ArtifactSink for FolderSink<'_> {
    async fn begin(&mut self, name: &ArtifactName) -> Result<(), ArtifactError> {
        self.open = Some(WholeFile::create(&name.path(&self.folder, &self.slug)?)?);
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ArtifactError> {
        self.open.as_mut().map_or(Ok(()), |file| file.write(bytes))
    }

    async fn write_json_text(&mut self, blobs: &[BlobId]) -> Result<(), ArtifactError> {
        for blob in blobs {
            let text = self.bus.get(self.job, *blob).await?;
            self.write(json_inside(&String::from_utf8_lossy(&text)).as_bytes()).await?;
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), ArtifactError> {
        if let Some(file) = self.open.take() {
            self.written.push(file.finish()?);
        }
        Ok(())
    }
}

/// Escapes a text for the inside of a JSON string, without the quotation marks.
fn json_inside(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A file that gets its name only when complete.
struct WholeFile {
    path: PathBuf,
    draft: PathBuf,
    out: BufWriter<File>,
}

impl WholeFile {
    fn create(path: &Path) -> Result<Self, ArtifactError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let draft = path.with_file_name(name);
        let out = BufWriter::new(File::create(&draft).map_err(at(&draft))?);
        Ok(Self { path: path.to_owned(), draft, out })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ArtifactError> {
        self.out.write_all(bytes).map_err(at(&self.draft))
    }

    fn finish(mut self) -> Result<PathBuf, ArtifactError> {
        self.out.flush().map_err(at(&self.draft))?;
        fs::rename(&self.draft, &self.path).map_err(at(&self.path))?;
        Ok(self.path)
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ArtifactError {
    let path = path.to_owned();
    move |source| ArtifactError::File { path, source }
}
