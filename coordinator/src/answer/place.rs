//! The places of an answer's tasks.

use std::fmt;

use tributary_protocol::{answer::AnswerStage, job::Job, source::SourceId, task::Stage};

use crate::tasks::Place;

/// The position of a task's outcome within an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AnswerPlace {
    /// A chunk of the corpus: its number in the corpus, and its part of the source.
    Find {
        chunk: usize,
        source: SourceId,
        part: u32,
    },
    /// A batch of findings of a level.
    Collapse {
        level: u32,
        batch: usize,
    },
    Conclude,
}

/// Formatted for people: numbers from 1.
impl fmt::Display for AnswerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Find { source, part, .. } => write!(f, "find {source}/{}", part + 1),
            Self::Collapse { level, batch } => write!(f, "collapse {}/{}", level + 1, batch + 1),
            Self::Conclude => f.write_str("conclude"),
        }
    }
}

impl Place for AnswerPlace {
    fn stage(self) -> Stage {
        match self {
            Self::Find { .. } => AnswerStage::Find,
            Self::Collapse { .. } => AnswerStage::Collapse,
            Self::Conclude => AnswerStage::Conclude,
        }
        .into()
    }

    fn instead(self) -> &'static str {
        match self {
            Self::Find { .. } => "nothing of this text is in the answer",
            Self::Collapse { .. } => "the findings stand as they were",
            Self::Conclude => "the surest finding is the answer",
        }
    }

    fn unit(self, job: &Job) -> String {
        match self {
            Self::Find { source, .. } => format!("{self}: {}", job.source(source).title),
            Self::Collapse { .. } | Self::Conclude => self.to_string(),
        }
    }
}
