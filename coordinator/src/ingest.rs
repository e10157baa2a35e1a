//! From paths to surveys: reads JSONL, Markdown, plain text, HTML and PDF, and hands out clean documents one at a time.
//!
//! ```text
//! paths ── folder ──┬── jsonl ────────────────┐
//!                   ├── markdown, plain text ─┼── intake ── Sink: documents, surveys, problems
//!                   └── html, pdf ────────────┘     normalise, drop reference lists, name, deduplicate
//! ```
//!
//! Only a single document is in memory at a time, however large the corpus; the [`Sink`] decides where it goes. Every
//! loss is reported: text dropped or changed, beyond white space, is a [`Problem`] with the file, the line and the
//! field. Helpers for later steps are here too: [`split`] for a source that outgrows a window, [`lead`] for a source
//! without an abstract, [`slug`] for an article's file name.

use std::path::PathBuf;

mod decode;
mod document;
mod folder;
mod heading;
mod html;
mod intake;
mod jsonl;
mod lead;
mod line;
mod markdown;
mod normalise;
mod pdf;
mod problem;
mod record;
mod references;
mod reflow;
mod slug;
mod split;

pub use self::{
    document::{BoxError, Document, Error, Sink, Summary, Survey},
    folder::STATE_FOLDER,
    heading::headings_at,
    lead::lead,
    problem::{Origin, Problem, Severity},
    slug::slug,
    split::split,
};

use self::{
    folder::{Entry, Kind},
    intake::{Draft, Intake},
    slug::stem,
};

/// The user's statements on the inputs as a whole.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The title of the survey made of all files, folders and JSONL lines without a survey of their own. Also the title
    /// of surveys that have none.
    pub title: Option<String>,
    /// True if the title is a mere stand-in: no warning is due when a survey has another.
    pub is_stand_in: bool,
}

/// Reads `inputs`, files and folders, in the order given, and hands everything to `sink`.
///
/// Every line of a `.jsonl` file that has `papers` is a survey. All other files, and lines that are papers themselves,
/// make a single survey titled `options.title`. Folders are read recursively, in the order of their names; hidden files
/// are skipped.
///
/// # Errors
///
/// An input that doesn't exist or can't be read, a missing title, an error of the sink, and a corpus without any text.
/// Missing inputs and a missing title for files are reported before anything is handed out.
pub fn read(inputs: &[PathBuf], options: &Options, sink: &mut dyn Sink) -> Result<Summary, Error> {
    let title = options.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
    let mut intake = Intake::new(sink, title, options.is_stand_in);
    let entries = folder::find(inputs, &mut intake)?;
    if title.is_none()
        && let Some(entry) = entries.iter().find(|entry| entry.kind != Kind::Jsonl)
    {
        let input = inputs.iter().find(|input| entry.path.starts_with(input)).unwrap_or(&entry.path);
        return Err(Error::NoTitle { origin: Origin::file(input) });
    }
    for entry in &entries {
        read_entry(entry, &mut intake)?;
    }
    let summary = intake.finish()?;
    if summary.documents == 0 {
        return Err(Error::Empty { inputs: inputs.to_vec(), problems: summary.problems });
    }
    Ok(summary)
}

fn read_entry(entry: &Entry, intake: &mut Intake) -> Result<(), Error> {
    if entry.kind == Kind::Jsonl {
        return match std::fs::File::open(&entry.path) {
            Ok(file) => jsonl::read(std::io::BufReader::with_capacity(1 << 16, file), &entry.path, intake),
            Err(error) => unreadable(entry, error, intake),
        };
    }
    let bytes = match std::fs::read(&entry.path) {
        Ok(bytes) => bytes,
        Err(error) => return unreadable(entry, error, intake),
    };
    let origin = Origin::file(&entry.path);
    if bytes.is_empty() {
        return intake.problem(origin.dropped("the file is empty"));
    }
    match draft(entry.kind, &bytes, &origin, intake)? {
        Some(draft) => intake.loose(draft),
        None => Ok(()),
    }
}

/// Fails for a file that the user named, and reports a problem for a file found in a folder.
fn unreadable(entry: &Entry, error: std::io::Error, intake: &mut Intake) -> Result<(), Error> {
    if entry.named {
        return Err(Error::Read { path: entry.path.clone(), source: error });
    }
    intake.problem(Origin::file(&entry.path).dropped(format!("cannot be read: {error}")))
}

fn draft(kind: Kind, bytes: &[u8], origin: &Origin, intake: &mut Intake) -> Result<Option<Draft>, Error> {
    let draft = if kind == Kind::Pdf {
        pdf::read(bytes, origin, intake)?
    } else {
        match decode::decode(bytes, origin, intake)? {
            Some(text) if kind == Kind::Html => html::read(&text, origin, intake)?,
            Some(text) => Some(markdown::read(text, origin)),
            None => None,
        }
    };
    Ok(draft.map(|mut draft| {
        draft.title.get_or_insert_with(|| stem(&origin.file));
        // The address lets a reader find the file again.
        draft.url.get_or_insert_with(|| origin.file.display().to_string());
        draft
    }))
}

#[cfg(test)]
mod tests;
