//! Problems of the input, and their places.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The origin of a document or a problem. Displayed as `file:line: field`, as far as known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: Option<u64>,
    /// The path of a JSON field, such as `papers[3].txt`, counted from 0.
    pub field: Option<String>,
}

impl Origin {
    pub(super) fn file(path: &Path) -> Self {
        Self { file: path.to_owned(), line: None, field: None }
    }

    pub(super) fn line(path: &Path, line: u64) -> Self {
        Self { file: path.to_owned(), line: Some(line), field: None }
    }

    /// Returns the same place, a field deeper.
    pub(super) fn field(&self, name: impl fmt::Display) -> Self {
        let field = match &self.field {
            Some(outer) => format!("{outer}.{name}"),
            None => name.to_string(),
        };
        Self { field: Some(field), ..self.clone() }
    }

    pub(super) fn dropped(&self, message: impl Into<String>) -> Problem {
        self.problem(Severity::Dropped, message)
    }

    pub(super) fn skipped(&self, message: impl Into<String>) -> Problem {
        self.problem(Severity::Skipped, message)
    }

    pub(super) fn changed(&self, message: impl Into<String>) -> Problem {
        self.problem(Severity::Changed, message)
    }

    pub(super) fn warning(&self, message: impl Into<String>) -> Problem {
        self.problem(Severity::Warning, message)
    }

    fn problem(&self, severity: Severity, message: impl Into<String>) -> Problem {
        let Self { file, line, field } = self.clone();
        Problem { file, line, field, severity, message: message.into() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        place(f, &self.file, self.line, self.field.as_deref())
    }
}

fn place(f: &mut fmt::Formatter, file: &Path, line: Option<u64>, field: Option<&str>) -> fmt::Result {
    write!(f, "{}", file.display())?;
    if let Some(line) = line {
        write!(f, ":{line}")?;
    }
    if let Some(field) = field {
        write!(f, ": {field}")?;
    }
    Ok(())
}

/// Input that was dropped or changed, or looks wrong. Displayed as a single line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: Option<u64>,
    /// The path of a JSON field, such as `papers[3].txt`, counted from 0.
    pub field: Option<String>,
    pub severity: Severity,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        place(f, &self.file, self.line, self.field.as_deref())?;
        write!(f, ": {}: {}", self.severity, self.message)
    }
}

/// The effect of a problem on the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The piece isn't in the corpus.
    Dropped,
    /// The piece isn't in the corpus, and doesn't look as if it should be.
    Skipped,
    /// The piece is in the corpus, but changed.
    Changed,
    /// The piece is in the corpus, unchanged.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Dropped => "dropped",
            Self::Skipped => "skipped",
            Self::Changed => "changed",
            Self::Warning => "warning",
        })
    }
}
