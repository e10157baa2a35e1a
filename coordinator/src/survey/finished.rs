//! A finished survey, before it is reduced to the files that its user reads.

use tributary_protocol::{
    source::SourceId,
    survey::{article::Article, digest::Note},
};

/// The text of a survey, and what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedSurvey {
    pub article: Article,
    /// The notes of each section, in the article's order, parents before children.
    pub notes: Vec<Vec<Note>>,
    /// Sources of which no note was made, in order.
    pub silent: Vec<SourceId>,
    /// Leaves of the outline that no source said anything for, by the titles down to them.
    pub left_out: Vec<String>,
}

/// Where the parameters saved calls, or the prompt budget forced a merge: not flaws, but worth a line.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Economies {
    /// Layers of the convolution that were left out, since the best score had stopped rising.
    pub layers_saved: u32,
    /// Rounds of refinement that were left out, of all tries together, since one had brought nothing better.
    pub rounds_saved: u32,
    /// Sources that were split since they outgrow a prompt, and into how many chunks in all.
    pub sources_split: u32,
    pub chunks_of_split_sources: u32,
    /// Notes that were merged with others since a section's notes outgrew a prompt.
    pub notes_condensed: u64,
    /// Notes that no text was made of, since a section had too many that could not be condensed.
    pub notes_left_out: u64,
}
