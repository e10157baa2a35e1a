//! Finds the files that the inputs stand for, and the way to read each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{document::Error, intake::Intake, problem::Origin};

/// The folder of a run's state, within the results folder. A folder that contains it holds results and is not read as
/// input.
pub const STATE_FOLDER: &str = ".tributary";

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Jsonl,
    /// Markdown or plain text.
    Text,
    Html,
    Pdf,
}

pub(super) struct Entry {
    pub path: PathBuf,
    pub kind: Kind,
    /// True if the user named the file, false if a folder contained it.
    pub named: bool,
}

/// The extensions of files without prose: folders may have hundreds, so such files are reported in one line.
const NO_DOCUMENTS: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "bmp", "tif", "tiff", "eps", "css", "js", "mjs", "ts", "map",
    "woff", "woff2", "ttf", "otf", "eot", "zip", "gz", "xz", "bz2", "zst", "tar", "7z", "mp3", "mp4", "wav", "webm",
    "mov", "avi", "lock", "pyc", "o", "a", "so", "dll", "exe", "class", "jar", "wasm", "bib", "json", "yaml", "yml",
    "toml", "xml", "csv", "tsv", "parquet", "db", "sqlite",
];

/// Finds the files that `inputs` stand for. Folders are replaced by their files, in the order of names.
pub(super) fn find(inputs: &[PathBuf], intake: &mut Intake) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for input in inputs {
        let about = match std::fs::metadata(input) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NotFound { path: input.clone() });
            }
            Err(source) => return Err(Error::Read { path: input.clone(), source }),
        };
        if about.is_dir() {
            walk(input, &mut entries, intake)?;
        } else {
            entries.push(Entry { path: input.clone(), kind: named_kind(input), named: true });
        }
    }
    Ok(entries)
}

/// Returns the format of a file that the user named. Such a file is a document, whatever its extension.
fn named_kind(path: &Path) -> Kind {
    match extension(path).as_str() {
        "json" => Kind::Jsonl,
        extension => kind(extension).unwrap_or(Kind::Text),
    }
}

fn kind(extension: &str) -> Option<Kind> {
    Some(match extension {
        "jsonl" | "ndjson" => Kind::Jsonl,
        "md" | "markdown" | "txt" | "text" | "rst" => Kind::Text,
        "html" | "htm" | "xhtml" => Kind::Html,
        "pdf" => Kind::Pdf,
        _ => return None,
    })
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// True for results of a run: the results folder, or result files in a folder that also has sources.
fn is_result(entry: &DirEntry) -> bool {
    let path = entry.path();
    if entry.file_type().is_dir() && entry.depth() > 0 && path.join(STATE_FOLDER).is_dir() {
        return true;
    }
    let of_results = path.parent().is_some_and(|folder| folder.join(STATE_FOLDER).is_dir());
    of_results && entry.depth() > 0 && (entry.file_name() == "md" || path.with_extension("report.json").is_file())
}

fn walk(folder: &Path, entries: &mut Vec<Entry>, intake: &mut Intake) -> Result<(), Error> {
    let before = entries.len();
    let mut skipped = BTreeMap::<String, usize>::new();
    let shown = |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    let mut walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        match entry {
            Ok(entry) if !shown(&entry) => {
                intake.problem(Origin::file(entry.path()).skipped("hidden"))?;
                if entry.file_type().is_dir() {
                    walk.skip_current_dir();
                }
            }
            Ok(entry) if is_result(&entry) => {
                intake.problem(Origin::file(entry.path()).skipped("what an earlier run made"))?;
                if entry.file_type().is_dir() {
                    walk.skip_current_dir();
                }
            }
            Ok(entry) if entry.file_type().is_file() => {
                let extension = extension(entry.path());
                if let Some(kind) = kind(&extension) {
                    entries.push(Entry { path: entry.into_path(), kind, named: false });
                } else if NO_DOCUMENTS.contains(&extension.as_str()) {
                    *skipped.entry(extension).or_default() += 1;
                } else {
                    let message = "not Markdown, text, HTML, PDF or JSONL by its name; \
                                   give the file by itself to have it read as text";
                    intake.problem(Origin::file(entry.path()).skipped(message))?;
                }
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                intake.problem(Origin::file(&path).dropped(error.to_string()))?;
            }
        }
    }
    if !skipped.is_empty() {
        let kinds = skipped.iter().map(|(kind, files)| format!(".{kind} ({files})")).collect::<Vec<_>>().join(", ");
        intake.problem(Origin::file(folder).skipped(format!("no documents: {kinds}")))?;
    }
    if entries.len() == before {
        intake.problem(Origin::file(folder).dropped("no document in the folder"))?;
    }
    Ok(())
}
