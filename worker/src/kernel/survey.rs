//! The survey's kernels: one file for each kind of task, and what several of them share.
//!
//! Outlines in replies are read by [`sections`], whose sources [`inherit_sources`] finds; prose in replies by [`passage`].

mod condense;
mod convolve;
mod digest;
mod feedback;
mod group;
mod illustrate;
mod inherit_sources;
mod introduce;
mod lexicon;
mod merge_outlines;
mod outline;
mod passage;
mod refine;
mod score;
mod sections;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use tributary_protocol::{
    budget::Window,
    settings::Language,
    survey::{Genre, SurveyBrief, SurveyKind, SurveyProduct, SurveyWork},
    task::Work,
    wire::{self, WireError},
};

use super::{
    Asking, Checked as CheckedReply, Flaw, Half, Kernel, Made, PromptFrame, asked,
    reply::{citations, lenient, schema, truncate},
};
use crate::prompt;

/// What a reply to one of the survey's kernels was worth.
type Checked<T = SurveyProduct> = CheckedReply<T>;

impl PromptFrame for SurveyBrief {
    fn language(&self) -> Language {
        self.language
    }

    fn window(&self) -> Window {
        self.window
    }

    /// Equal for all calls of a language and genre.
    fn system(&self) -> String {
        let genre = match self.genre {
            Genre::Survey => "genre-survey",
            Genre::Guide => "genre-guide",
            Genre::Report => "genre-report",
        };
        prompt::system(self.language, genre)
    }
}

/// The kernel of a survey's work. `blobs` holds the bytes of [`SurveyWork::blobs`], in their order.
pub(super) fn of<'a>(
    brief: &'a Arc<SurveyBrief>,
    work: &'a SurveyWork,
    blobs: &'a [Bytes],
) -> Result<Box<dyn Asking + 'a>, WireError> {
    let kind: &str = SurveyKind::from(work).into();
    let frame: &SurveyBrief = brief;
    Ok(match work {
        SurveyWork::Group { sources, size } => asked(group::Group { brief, sources, size: *size }, kind, frame),
        SurveyWork::Outline { sources } => {
            let cards = blobs.iter().map(|card| wire::decode(card)).collect::<Result<_, _>>()?;
            asked(outline::Outline { brief, sources, cards }, kind, frame)
        }
        SurveyWork::MergeOutlines { outlines } => asked(merge_outlines::MergeOutlines { brief, outlines }, kind, frame),
        SurveyWork::Digest { source, text, part, outline, only } => {
            let chunk = blobs.first().map(|chunk| String::from_utf8_lossy(chunk)).unwrap_or_default();
            asked(digest::Digest::new(brief, source, (*text, chunk), *part, outline, only), kind, frame)
        }
        SurveyWork::Feedback { outline, digests } => asked(feedback::Feedback { brief, outline, digests }, kind, frame),
        SurveyWork::Score { outline } => asked(score::Score { brief, outline }, kind, frame),
        SurveyWork::Convolve { members } => asked(convolve::Convolve { brief, members }, kind, frame),
        SurveyWork::Refine { outline, round, attempt } => {
            asked(refine::Refine { brief, outline, round: *round, attempt: *attempt }, kind, frame)
        }
        SurveyWork::Condense { section, notes, room } => {
            asked(condense::Condense { brief, section, notes, room: *room }, kind, frame)
        }
        SurveyWork::Write { section, notes, words } => {
            asked(write::Write { brief, section, notes, words: *words }, kind, frame)
        }
        SurveyWork::Introduce { section, children, words } => {
            let section = section.as_ref();
            asked(introduce::Introduce { brief, section, children, words: *words }, kind, frame)
        }
        SurveyWork::Illustrate { section, notes } => {
            asked(illustrate::Illustrate { brief, section, notes }, kind, frame)
        }
    })
}

/// Items in two halves, each a piece of work without blobs; None where there is but one item.
fn halved<T: Clone>(brief: &Arc<SurveyBrief>, items: &[T], work: impl Fn(Vec<T>) -> SurveyWork) -> Option<[Half; 2]> {
    let (one, other) = items.split_at(items.len() / 2);
    let half = |items: &[T]| Half { work: Work::Survey(Arc::clone(brief), work(items.to_vec())), blobs: Vec::new() };
    (!one.is_empty()).then(|| [half(one), half(other)])
}
