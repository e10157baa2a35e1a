//! A finished survey, before its reduction to output files.

use tributary_protocol::{
    source::SourceId,
    survey::{article::Article, digest::Note},
};

/// The text of a survey, with notes and gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedSurvey {
    pub article: Article,
    /// The notes of each section, in the article's order, parents before children.
    pub notes: Vec<Vec<Note>>,
    /// Sources without notes, in order.
    pub silent: Vec<SourceId>,
    /// Leaves of the outline without any notes, each given by the titles down to it.
    pub left_out: Vec<String>,
}

/// Calls saved by the settings, and merges forced by the prompt budget: no flaws, but worth a line.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Economies {
    /// Layers of the convolution that were skipped, since the best score had stopped rising.
    pub layers_saved: u32,
    /// Rounds of refinement that were skipped, over all attempts, since a round had brought no improvement.
    pub rounds_saved: u32,
    /// Sources that were split since they outgrow a prompt.
    pub sources_split: u32,
    /// Chunks of all split sources.
    pub chunks_of_split_sources: u32,
    /// Notes that were merged with others since a section's notes outgrew a prompt.
    pub notes_condensed: u64,
    /// Notes left unused, since a section had too many and they could not be condensed.
    pub notes_left_out: u64,
}
