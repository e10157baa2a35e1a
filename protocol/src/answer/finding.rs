//! Findings: what a chunk of a source says to the question, and the answer that findings lead to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{budget, source::SourceId};

/// A passage of a source, word for word, and its place there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    pub text: String,
    pub source: SourceId,
    /// The chunk's place among the source's chunks, from 0.
    pub chunk: u32,
    /// The bytes of the chunk that the quote was found at, from the first to the one after the last.
    pub bytes: (u32, u32),
    /// The heading that the quote stands under, where the chunk shows one.
    pub heading: Option<String>,
}

/// How sure an answer is, in tenths from 0 to 50, on LLM×MapReduce-V1's scale from 0 to 5.
///
/// 5 is for what a text says outright, 3 for what follows from a text with an assumption of one's own, 0 for what is not in
/// it. Higher is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(u8);

impl Confidence {
    /// The most that an answer without a quote can have.
    pub const UNQUOTED: Self = Self(30);
    pub const HIGHEST: Self = Self(50);

    /// A confidence of a mark from 0 to 5; marks beyond are taken for the nearest bound.
    pub fn of(mark: f64) -> Self {
        Self((mark.clamp(0.0, 5.0) * 10.0).round() as u8)
    }

    /// The tenths, 0 to 50.
    pub fn tenths(self) -> u64 {
        u64::from(self.0)
    }

    /// The mark, 0 to 5.
    pub fn mark(self) -> f64 {
        f64::from(self.0.min(Self::HIGHEST.0)) / 10.0
    }
}

/// As people read it: `4.5`.
impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.mark())
    }
}

/// One answer to the question, and what it rests on: LLM×MapReduce-V1's structured information protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The evidence, in the order of sources.
    pub quotes: Vec<Quote>,
    /// How the evidence answers the question, and what is assumed.
    pub rationale: String,
    pub answer: String,
    pub confidence: Confidence,
}

impl Finding {
    /// Tokens of the finding as it is shown to a model, handles included.
    pub fn tokens(&self) -> u32 {
        let quotes: u32 = self.quotes.iter().map(|quote| budget::count(&quote.text) + 8).sum();
        budget::count(&self.answer) + budget::count(&self.rationale) + quotes + 16
    }
}

/// The answer to the question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Empty where the sources don't say.
    pub text: String,
    pub confidence: Confidence,
    /// The quotes that the answer rests on.
    pub quotes: Vec<Quote>,
    /// What the sources say against the answer.
    pub against: Vec<Objection>,
}

impl Answer {
    /// The answer where the sources don't say.
    pub fn nothing() -> Self {
        Self { text: String::new(), confidence: Confidence::default(), quotes: Vec::new(), against: Vec::new() }
    }
}

/// Something that speaks against an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objection {
    pub text: String,
    pub quotes: Vec<Quote>,
}
