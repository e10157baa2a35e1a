//! Formats an answer for the terminal.

use std::fmt;

use serde::Deserialize;

/// An answer, read from the JSON file of a job.
#[derive(Deserialize)]
pub struct ShownAnswer {
    answered: bool,
    answer: String,
    confidence: f64,
    quotes: Vec<ShownQuote>,
    against: Vec<ShownObjection>,
    chunks: u64,
    sources: u64,
}

#[derive(Deserialize)]
struct ShownQuote {
    text: String,
    source: String,
    title: String,
    url: Option<String>,
    heading: Option<String>,
    page: Option<u32>,
}

#[derive(Deserialize)]
struct ShownObjection {
    text: String,
    quotes: Vec<ShownQuote>,
}

/// Writes the answer, the confidence, the quotes with their places, and the objections.
impl fmt::Display for ShownAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, answer, confidence, quotes, against, chunks, sources } = self;
        if *answered {
            write!(f, "{answer}\n\nconfidence: {confidence:.1} of 5")?;
        } else {
            write!(f, "The sources don't say. {sources} sources were read in {chunks} chunks.")?;
        }
        quotes.iter().try_for_each(|quote| write!(f, "\n{quote}"))?;
        for objection in against {
            write!(f, "\n\nagainst it: {}", objection.text)?;
            objection.quotes.iter().try_for_each(|quote| write!(f, "\n{quote}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for ShownQuote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n  \"{}\"\n    {}, {}", self.text, self.source, self.title)?;
        if let Some(heading) = &self.heading {
            write!(f, ", \"{heading}\"")?;
        }
        if let Some(page) = self.page {
            write!(f, ", p. {page}")?;
        }
        self.url.iter().try_for_each(|url| write!(f, ", {url}"))
    }
}
