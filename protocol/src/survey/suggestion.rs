//! Candidates of the convolution: a suggestion and the outline improved by it.

use serde::{Deserialize, Serialize};

use super::outline::SharedOutline;

/// A suggestion to improve an outline, and the outline improved by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub suggestion: String,
    pub outline: SharedOutline,
    /// Tokens of suggestion and outline in a prompt.
    pub tokens: u32,
}

/// An outline's information entropy in the sense of LLM×MapReduce-V2: a judge's marks for its structure (logic within
/// and between chapters, redundancy, coverage) and its section descriptions (extraction and analysis). Both from 0 to
/// 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutlineScore {
    pub structure: f64,
    pub descriptions: f64,
}

impl OutlineScore {
    /// Returns the mean of both marks, 0 to 10, for comparing candidates.
    pub fn value(self) -> f64 {
        (self.structure + self.descriptions) / 2.0
    }
}
