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
    /// Leaves here and below whose notes aren't all there.
    pub unread: usize,
    /// Leaves below without their text.
    pub unwritten: usize,
    /// What it is written from, as the digests gave it.
    pub notes: Vec<Note>,
    pub text: TextState,
    pub figure: Option<Figure>,
}

/// How far a section's text is.
pub(super) enum TextState {
    /// What it is to be made of isn't all there.
    Waiting,
    /// A leaf's notes, which fit no prompt, are being condensed.
    Condensing {
        batches: Vec<Vec<Note>>,
        /// Batches that have not come.
        missing: usize,
    },
    /// A leaf is being written, in one part as a rule.
    Writing {
        parts: Vec<LeafPart>,
        /// Parts that have not come.
        missing: usize,
    },
    Written(Passage),
}

/// A part of a leaf.
pub(super) struct LeafPart {
    /// What it is written from.
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

/// A reply that is no shorter than what was to be condensed is none: the notes stay as they are.
pub(super) fn condensed_to(before: &mut Vec<Note>, product: Option<SurveyProduct>) {
    let tokens = |notes: &[Note]| notes.iter().map(|note| note.tokens).sum::<u32>();
    match product {
        Some(SurveyProduct::Notes(notes)) if !notes.is_empty() && tokens(&notes) < tokens(before) => *before = notes,
        _ => {}
    }
}

/// Each note is a sentence with its sources already.
pub(super) fn as_they_are(notes: &[Note]) -> Passage {
    let sentence = |note: &Note| Sentence { text: note.text.clone(), sources: note.sources.clone() };
    Passage { paragraphs: vec![Paragraph { sentences: notes.iter().map(sentence).collect() }] }
}
