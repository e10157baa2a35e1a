//! The survey's kernels: a file for each kind of task, and the parts shared by several.
//!
//! [`sections`] reads outlines in replies, and [`inherit_sources`] finds their sources; [`passage`] reads prose in
//! replies.

mod condense;
mod convolve;
mod digest;
mod feedback;
mod frame;
mod group;
mod halves;
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
    survey::{SurveyBrief, SurveyKind, SurveyWork},
    wire::{self, WireError},
};

use super::task_kernel::{TaskKernel, framed};

/// The kernel of a survey's work. `blobs` holds the bytes of [`SurveyWork::blobs`], in their order.
pub(super) fn for_work<'a>(
    brief: &'a Arc<SurveyBrief>,
    work: &'a SurveyWork,
    blobs: &'a [Bytes],
) -> Result<Box<dyn TaskKernel + 'a>, WireError> {
    let kind: &str = SurveyKind::from(work).into();
    let frame: &SurveyBrief = brief;
    Ok(match work {
        SurveyWork::Group { sources, size } => framed(group::GroupKernel { brief, sources, size: *size }, kind, frame),
        SurveyWork::Outline { sources } => {
            let cards = blobs.iter().map(|card| wire::decode(card)).collect::<Result<_, _>>()?;
            framed(outline::OutlineKernel { brief, sources, cards }, kind, frame)
        }
        SurveyWork::MergeOutlines { outlines } => {
            framed(merge_outlines::MergeOutlinesKernel { brief, outlines }, kind, frame)
        }
        SurveyWork::Digest { source, text, part, outline, only } => {
            let chunk = blobs.first().map(|chunk| String::from_utf8_lossy(chunk)).unwrap_or_default();
            framed(digest::DigestKernel::new(brief, source, (*text, chunk), *part, outline, only), kind, frame)
        }
        SurveyWork::Feedback { outline, digests } => {
            framed(feedback::FeedbackKernel { brief, outline, digests }, kind, frame)
        }
        SurveyWork::Score { outline } => framed(score::ScoreKernel { brief, outline }, kind, frame),
        SurveyWork::Convolve { members } => framed(convolve::ConvolveKernel { brief, members }, kind, frame),
        SurveyWork::Refine { outline, round, attempt } => {
            framed(refine::RefineKernel { brief, outline, round: *round, attempt: *attempt }, kind, frame)
        }
        SurveyWork::Condense { section, notes, room } => {
            framed(condense::CondenseKernel { brief, section, notes, room: *room }, kind, frame)
        }
        SurveyWork::Write { section, notes, words } => {
            framed(write::WriteKernel { brief, section, notes, words: *words }, kind, frame)
        }
        SurveyWork::Introduce { section, children, words } => {
            let section = section.as_ref();
            framed(introduce::IntroduceKernel { brief, section, children, words: *words }, kind, frame)
        }
        SurveyWork::Illustrate { section, notes } => {
            framed(illustrate::IllustrateKernel { brief, section, notes }, kind, frame)
        }
    })
}
