//! A section between its notes and its text.

use tributary_protocol::survey::{
    SurveyProduct,
    article::{Figure, Paragraph, Passage, Sentence},
    digest::Note,
    work::SectionBrief,
};

/// A section being written.
pub(super) struct SectionState {
    pub brief: SectionBrief,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    /// The number of leaves, here and below, with incomplete notes.
    pub unread: usize,
    /// The number of leaves below without text.
    pub unwritten: usize,
    /// The notes for the text, as the digests gave them.
    pub notes: Vec<Note>,
    pub text: TextState,
    pub figure: Option<Figure>,
}

/// The state of a section's text.
pub(super) enum TextState {
    /// The inputs of the text are incomplete.
    Waiting,
    /// A leaf's notes outgrow a prompt and are being condensed.
    Condensing {
        batches: Vec<Vec<Note>>,
        /// The number of batches without an outcome.
        missing: usize,
    },
    /// A leaf is being written, usually in one part.
    Writing {
        parts: Vec<LeafPart>,
        /// The number of parts without an outcome.
        missing: usize,
    },
    Written(Passage),
}

/// A part of a leaf.
pub(super) struct LeafPart {
    /// The notes for the part.
    pub notes: Vec<Note>,
    pub passage: Passage,
}

impl SectionState {
    pub fn passage(&self) -> Option<&Passage> {
        match &self.text {
            TextState::Written(passage) => Some(passage),
            TextState::Waiting | TextState::Condensing { .. } | TextState::Writing { .. } => None,
        }
    }
}

/// Replaces notes by condensed ones. A reply no shorter than the notes is ignored.
pub(super) fn condensed_to(before: &mut Vec<Note>, product: Option<SurveyProduct>) {
    let tokens = |notes: &[Note]| notes.iter().map(|note| note.tokens).sum::<u32>();
    match product {
        Some(SurveyProduct::Notes(notes)) if !notes.is_empty() && tokens(&notes) < tokens(before) => *before = notes,
        _ => {}
    }
}

/// Turns notes into text as they are: each note is a sentence with its sources already.
pub(super) fn as_they_are(notes: &[Note]) -> Passage {
    let sentence = |note: &Note| Sentence { text: note.text.clone(), sources: note.sources.clone() };
    Passage { paragraphs: vec![Paragraph { sentences: notes.iter().map(sentence).collect() }] }
}
