//! The places of this stage in a job.

use std::fmt;

/// Where in this stage an outcome belongs. Sections are numbered in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Condense {
        section: usize,
        level: usize,
        batch: usize,
    },
    /// One part, but for a leaf whose notes fit no prompt however they are condensed.
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

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Condense { section, level, batch } => {
                write!(f, "condense section {} {}/{}", section + 1, level + 1, batch + 1)
            }
            Self::Leaf { section, part: 0 } => write!(f, "section {}", section + 1),
            Self::Leaf { section, part } => write!(f, "section {} part {}", section + 1, part + 1),
            Self::Introduction { section } => write!(f, "introduction of section {}", section + 1),
            Self::Figure { chapter } => write!(f, "figure for section {}", chapter + 1),
            Self::Summary => f.write_str("summary"),
        }
    }
}
