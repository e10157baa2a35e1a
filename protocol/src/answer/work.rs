//! The answer's tasks: what each asks, and what comes of it.

use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, EnumIter, IntoStaticStr};

use super::finding::{Answer, Finding};
use crate::{
    id::{BlobId, Hasher},
    source::TitledSource,
    wire,
};

/// What an answer's task asks. One kernel serves each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumDiscriminants)]
#[strum_discriminants(
    name(AnswerKind),
    doc = "A kind of task of the answer.",
    derive(PartialOrd, Ord, Hash, EnumIter, IntoStaticStr),
    strum(serialize_all = "kebab-case")
)]
pub enum AnswerWork {
    /// Find what a chunk of a source says to the question. Gives [`AnswerProduct::Findings`], none where it says nothing.
    Find {
        source: TitledSource,
        text: BlobId,
        /// The chunk's place among the source's chunks, from 0, and how many there are.
        part: (u32, u32),
        /// The heading in force where the chunk begins.
        heading: Option<String>,
        /// The most quotes that are asked for.
        quotes: u32,
    },
    /// Make findings that agree one. Gives [`AnswerProduct::Findings`].
    Collapse { findings: Vec<Finding> },
    /// Answer the question from findings. Gives [`AnswerProduct::Answer`].
    Conclude { findings: Vec<Finding> },
}

impl AnswerWork {
    /// Hashes everything that is asked.
    pub(crate) fn hash(&self, hasher: &mut Hasher) {
        let kind: &str = AnswerKind::from(self).into();
        hasher.part(kind.as_bytes()).part(&wire::fields(self));
    }

    /// The blobs that the work refers to, in the order in which its kernel is given their bytes.
    pub fn blobs(&self) -> Vec<BlobId> {
        match self {
            Self::Find { text, .. } => vec![*text],
            Self::Collapse { .. } | Self::Conclude { .. } => Vec::new(),
        }
    }
}

/// What an answer's task makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AnswerProduct {
    Findings(Vec<Finding>),
    Answer(Answer),
}
