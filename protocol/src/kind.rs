//! Kinds of work.

use serde::{Deserialize, Serialize};

/// A kind of work: what models are chosen by, workers may be limited to, and metrics are split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Group,
    Outline,
    MergeOutlines,
    Digest,
    Feedback,
    Score,
    Convolve,
    Refine,
    Condense,
    Write,
    Introduce,
    Illustrate,
}

impl Kind {
    pub const ALL: [Self; 12] = [
        Self::Group,
        Self::Outline,
        Self::MergeOutlines,
        Self::Digest,
        Self::Feedback,
        Self::Score,
        Self::Convolve,
        Self::Refine,
        Self::Condense,
        Self::Write,
        Self::Introduce,
        Self::Illustrate,
    ];

    /// The name in settings, subjects and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Outline => "outline",
            Self::MergeOutlines => "merge-outlines",
            Self::Digest => "digest",
            Self::Feedback => "feedback",
            Self::Score => "score",
            Self::Convolve => "convolve",
            Self::Refine => "refine",
            Self::Condense => "condense",
            Self::Write => "write",
            Self::Introduce => "introduce",
            Self::Illustrate => "illustrate",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("`{text}` is no kind of task; there are {}", known.join(", "))
        })
    }
}
