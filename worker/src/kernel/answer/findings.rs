//! Findings in prompts and replies: each quote under a handle, `Q3`, by which replies name it.

use std::fmt::Write;

use tributary_protocol::answer::finding::{Confidence, Finding, Quote};

use crate::prompt::line;

/// The quotes of some findings, numbered from 1 in their order.
pub(super) struct OfferedQuotes<'a>(Vec<&'a Quote>);

impl<'a> OfferedQuotes<'a> {
    pub fn of(findings: &'a [Finding]) -> Self {
        Self(findings.iter().flat_map(|finding| &finding.quotes).collect())
    }

    /// The handles that a reply may name.
    pub fn handles(&self) -> impl Iterator<Item = String> {
        (1..=self.0.len()).map(|number| format!("Q{number}"))
    }

    /// The quotes of these handles, in their order and each once; a handle that was not offered is left out.
    pub fn named(&self, handles: &[String]) -> Vec<Quote> {
        let number = |handle: &String| handle.trim().strip_prefix(['Q', 'q'])?.parse::<usize>().ok();
        let mut places: Vec<usize> =
            handles.iter().filter_map(number).filter(|number| (1..=self.0.len()).contains(number)).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|number| self.0[number - 1].clone()).collect()
    }
}

/// Findings as they are shown: the answer with its confidence, its quotes under their handles, its rationale.
pub(super) fn shown(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut number = 0;
    for finding in findings {
        let _ = writeln!(text, "# {} ({})", line(&finding.answer), finding.confidence);
        for quote in &finding.quotes {
            number += 1;
            let _ = writeln!(text, "Q{number} {}: {}", quote.source, line(&quote.text));
        }
        if !finding.rationale.is_empty() {
            let _ = writeln!(text, "= {}", line(&finding.rationale));
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A confidence as a reply states it, held to what an answer with these quotes can have.
pub(super) fn confidence(mark: f64, quotes: &[Quote]) -> Confidence {
    let confidence = Confidence::of(mark);
    if quotes.is_empty() { confidence.min(Confidence::UNQUOTED) } else { confidence }
}
