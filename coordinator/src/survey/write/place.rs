//! The places of this stage in a job.

use std::fmt;

use tributary_protocol::{survey::SurveyStage, task::Stage};

use crate::tasks::Place;

/// The position of an outcome within this stage. Sections are numbered in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WritePlace {
    Condense {
        section: usize,
        level: usize,
        batch: usize,
    },
    /// A part of a leaf. A leaf has a single part, unless its notes outgrow a prompt even when condensed.
    Leaf {
        section: usize,
        part: usize,
    },
    Introduction {
        section: usize,
    },
    Figure {
        chapter: usize,
    },
    Summary,
}

impl fmt::Display for WritePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Condense { section, level, batch } => {
                write!(f, "write condense section {} {}/{}", section + 1, level + 1, batch + 1)
            }
            Self::Leaf { section, part: 0 } => write!(f, "write section {}", section + 1),
            Self::Leaf { section, part } => write!(f, "write section {} part {}", section + 1, part + 1),
            Self::Introduction { section } => write!(f, "write introduction of section {}", section + 1),
            Self::Figure { chapter } => write!(f, "write figure for section {}", chapter + 1),
            Self::Summary => f.write_str("write summary"),
        }
    }
}

impl Place for WritePlace {
    fn stage(self) -> Stage {
        SurveyStage::Write.into()
    }

    fn instead(self) -> &'static str {
        "notes stand as they are, introductions and figures are left out"
    }
}
