//! An answer with the places of its quotes, as the JSON artifact has it.

use serde::Serialize;

/// The answer with its quotes' places, in the shape of the JSON artifact.
#[derive(Serialize)]
pub(super) struct PlacedAnswer<'a> {
    pub question: &'a str,
    pub answered: bool,
    pub answer: &'a str,
    /// The confidence, from 0 to 5.
    pub confidence: f64,
    pub quotes: Vec<PlacedQuote<'a>>,
    pub against: Vec<PlacedObjection<'a>>,
    /// Chunks of the corpus that were read.
    pub chunks: u64,
    /// Chunks read that had nothing to say to the question.
    pub silent_chunks: u64,
    pub sources: usize,
}

#[derive(Serialize)]
pub(super) struct PlacedObjection<'a> {
    pub text: &'a str,
    pub quotes: Vec<PlacedQuote<'a>>,
}

/// A quote with its place.
#[derive(Serialize)]
pub(super) struct PlacedQuote<'a> {
    pub text: &'a str,
    /// The source's handle, `S3`.
    pub source: String,
    pub title: &'a str,
    pub url: Option<String>,
    pub heading: Option<&'a str>,
    /// The page of a source that has pages, from 1.
    pub page: Option<u32>,
    /// The bytes of the quote in the source's text, from the first to the byte after the last.
    pub bytes: (u64, u64),
}
