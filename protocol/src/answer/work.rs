//! The answer's tasks: their work, and their products.

use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, EnumIter, IntoStaticStr};

use super::finding::{Answer, Finding};
use crate::{
    id::{BlobId, Hasher},
    source::TitledSource,
    wire,
};

/// The work of an answer's task. Each kind has its own kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumDiscriminants)]
#[strum_discriminants(
    name(AnswerKind),
    doc = "A kind of task of the answer.",
    derive(PartialOrd, Ord, Hash, EnumIter, IntoStaticStr),
    strum(serialize_all = "kebab-case")
)]
pub enum AnswerWork {
    /// Find a chunk's statements on the question. Gives [`AnswerProduct::Findings`], none for a silent chunk.
    Find {
        source: TitledSource,
        text: BlobId,
        /// The chunk's place among the source's chunks, from 0, and the number of chunks.
        part: (u32, u32),
        /// The heading in force at the chunk's start.
        heading: Option<String>,
        /// The most quotes to ask for.
        quotes: u32,
    },
    /// Merge findings in agreement. Gives [`AnswerProduct::Findings`].
    Collapse { findings: Vec<Finding> },
    /// Answer the question from findings. Gives [`AnswerProduct::Answer`].
    Conclude { findings: Vec<Finding> },
}

impl AnswerWork {
    /// Hashes the whole work.
    pub(crate) fn hash(&self, hasher: &mut Hasher) {
        let kind: &str = AnswerKind::from(self).into();
        hasher.part(kind.as_bytes()).part(&wire::fields(self));
    }

    /// Returns the blobs of the work, in the order in which its kernel gets their bytes.
    pub fn blobs(&self) -> Vec<BlobId> {
        match self {
            Self::Find { text, .. } => vec![*text],
            Self::Collapse { .. } | Self::Conclude { .. } => Vec::new(),
        }
    }
}

/// The product of an answer's task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AnswerProduct {
    Findings(Vec<Finding>),
    Answer(Answer),
}
