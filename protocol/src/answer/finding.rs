//! Findings: a chunk's statements on the question, and the answer made of findings.

use std::{cmp::Reverse, fmt};

use serde::{Deserialize, Serialize};

use crate::{budget, source::SourceId};

/// A passage of a source, word for word, and its place there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    pub text: String,
    pub source: SourceId,
    /// The chunk's place among the source's chunks, from 0.
    pub chunk: u32,
    /// The bytes of the quote in the chunk, from the first to the byte after the last.
    pub bytes: (u32, u32),
    /// The heading above the quote, if the chunk shows any.
    pub heading: Option<String>,
}

/// The confidence of an answer, in tenths from 0 to 50, on LLM×MapReduce-V1's scale from 0 to 5.
///
/// 5 stands for outright statements of a text, 3 for inferences with an assumption beyond the text, 0 for claims not in
/// the text. Higher is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(u8);

impl Confidence {
    /// The highest confidence of an answer without a quote.
    pub const UNQUOTED: Self = Self(30);
    pub const HIGHEST: Self = Self(50);

    /// Returns the confidence for a mark from 0 to 5; marks beyond are taken for the nearest bound.
    pub fn of(mark: f64) -> Self {
        Self((mark.clamp(0.0, 5.0) * 10.0).round() as u8)
    }

    /// Returns the tenths, 0 to 50.
    pub fn tenths(self) -> u64 {
        u64::from(self.0)
    }

    /// Returns the mark, 0 to 5.
    pub fn mark(self) -> f64 {
        f64::from(self.0.min(Self::HIGHEST.0)) / 10.0
    }
}

/// Formatted for people: `4.5`.
impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.mark())
    }
}

/// An answer to the question with its evidence: LLM×MapReduce-V1's structured information protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The evidence, in the order of sources.
    pub quotes: Vec<Quote>,
    /// The inference from the evidence to the answer, and its assumptions.
    pub rationale: String,
    pub answer: String,
    pub confidence: Confidence,
}

impl Finding {
    /// Returns the tokens of the finding in a prompt, handles included.
    pub fn tokens(&self) -> u32 {
        let quotes: u32 = self.quotes.iter().map(|quote| budget::count(&quote.text) + 8).sum();
        budget::count(&self.answer) + budget::count(&self.rationale) + quotes + 16
    }

    /// Returns the tokens of several findings in a prompt.
    pub fn tokens_of(findings: &[Self]) -> u32 {
        findings.iter().map(Self::tokens).sum()
    }

    /// Returns the surest findings, at most `most` of them with at most `room` tokens, in their order. The first of
    /// equals is surer, and the surest of all is kept whatever its size.
    pub fn surest(findings: &[Self], most: usize, room: u32) -> Vec<Self> {
        let mut order: Vec<usize> = (0..findings.len()).collect();
        order.sort_by_key(|place| (Reverse(findings[*place].confidence), *place));
        let (mut kept, mut tokens) = (Vec::new(), 0);
        for place in order {
            let with_this = tokens + findings[place].tokens();
            if kept.is_empty() || (kept.len() < most && with_this <= room) {
                tokens = with_this;
                kept.push(place);
            }
        }
        kept.sort_unstable();
        kept.into_iter().map(|place| findings[place].clone()).collect()
    }
}

/// The answer to the question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Empty if the sources don't say.
    pub text: String,
    pub confidence: Confidence,
    /// The quotes behind the answer.
    pub quotes: Vec<Quote>,
    /// Objections of the sources to the answer.
    pub against: Vec<Objection>,
}

impl Answer {
    /// Returns the answer for a question that the sources say nothing about.
    pub fn nothing() -> Self {
        Self { text: String::new(), confidence: Confidence::default(), quotes: Vec::new(), against: Vec::new() }
    }
}

/// An objection to an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objection {
    pub text: String,
    pub quotes: Vec<Quote>,
}
