//! The answer's kernels: one file for each kind of task, and what they share of findings.

mod collapse;
mod conclude;
mod evidence;
mod find;
mod findings;
mod heading;
mod passages;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use minijinja::Value;
use tributary_protocol::{
    answer::{AnswerBrief, AnswerKind, AnswerWork},
    budget::Window,
    settings::Language,
};

use super::{
    contract::PromptFrame,
    task_kernel::{TaskKernel, framed},
};
use crate::prompt;

impl PromptFrame for AnswerBrief {
    fn language(&self) -> Language {
        self.language
    }

    fn window(&self) -> Window {
        self.window
    }

    /// Equal for all calls of a language.
    fn system(&self) -> String {
        prompt::render(self.language, "answer-system", Value::UNDEFINED)
    }
}

/// The kernel of an answer's work. `blobs` holds the bytes of [`AnswerWork::blobs`], in their order.
pub(super) fn for_work<'a>(
    brief: &'a Arc<AnswerBrief>,
    work: &'a AnswerWork,
    blobs: &'a [Bytes],
) -> Box<dyn TaskKernel + 'a> {
    let kind: &str = AnswerKind::from(work).into();
    let frame: &AnswerBrief = brief;
    match work {
        AnswerWork::Find { source, text, part, heading, quotes } => {
            let chunk = blobs.first().map(|chunk| String::from_utf8_lossy(chunk)).unwrap_or_default();
            let heading = heading.as_deref();
            let find = find::FindKernel {
                brief,
                source,
                blob: *text,
                text: chunk,
                part: *part,
                heading,
                most_quotes: *quotes,
            };
            framed(find, kind, frame)
        }
        AnswerWork::Collapse { findings } => framed(collapse::CollapseKernel { brief, findings }, kind, frame),
        AnswerWork::Conclude { findings } => framed(conclude::ConcludeKernel { brief, findings }, kind, frame),
    }
}
