//! Candidates of the convolution: a suggestion and the outline that it leads to.

use serde::{Deserialize, Serialize};

use super::outline::SharedOutline;

/// A suggestion to improve an outline, and that outline improved by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub suggestion: String,
    pub outline: SharedOutline,
    /// Tokens of both as they are shown to a model.
    pub tokens: u32,
}

/// An outline's information entropy as LLM×MapReduce-V2 means it: what a judge gives its structure (logic within and
/// between chapters, redundancy, coverage) and its section descriptions (what to extract, how to relate it).
/// Both from 0 to 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutlineScore {
    pub structure: f64,
    pub descriptions: f64,
}

impl OutlineScore {
    /// The one number that candidates are compared by, 0 to 10.
    pub fn value(self) -> f64 {
        (self.structure + self.descriptions) / 2.0
    }
}
