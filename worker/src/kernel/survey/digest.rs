//! Digest: a source's notes for each section, and its suggestion for a better outline.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use bytes::Bytes;
use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    id::BlobId,
    source::TitledSource,
    survey::{
        SurveyBrief, SurveyProduct, SurveyWork,
        digest::{Digest, Note},
        outline::{Outline, Section, SectionId, SharedOutline},
    },
    task::Work,
};

use super::{inherit_sources::about, lexicon::Lexicon, sections::prose};
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::{HalfWork, Kernel},
        reply::{lenient, schema::SchemaBuilder, truncate},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, origin, shown_outline, words},
    text,
};

/// The multiple of their limit up to which notes are tolerated. Longer notes are sent back, and shortened in the end.
/// Later stages count the actual tokens.
const TOLERATED: u32 = 2;

/// The most room for the joined notes of two halves, as a multiple of a chunk's limit.
const MOST_JOINED: u32 = 3;

pub(super) struct DigestKernel<'a> {
    brief: &'a Arc<SurveyBrief>,
    source: &'a TitledSource,
    blob: BlobId,
    /// The text of the blob.
    text: Cow<'a, str>,
    part: (u32, u32),
    outline: &'a SharedOutline,
    only: &'a [SectionId],
    /// The leaves in need of notes.
    leaves: Vec<(SectionId, &'a Section)>,
}

impl<'a> DigestKernel<'a> {
    pub fn new(
        brief: &'a Arc<SurveyBrief>,
        source: &'a TitledSource,
        (blob, text): (BlobId, Cow<'a, str>),
        part: (u32, u32),
        outline: &'a SharedOutline,
        only: &'a [SectionId],
    ) -> Self {
        let numbered = outline.leaves().filter_map(|leaf| Some((leaf.origin?, leaf)));
        let leaves = numbered.filter(|(id, _)| only.is_empty() || only.contains(id)).collect();
        Self { brief, source, blob, text, part, outline, only, leaves }
    }

    /// The leaf for a handle: of a section above leaves, the leaf below the section closest to the note.
    fn leaf_of(
        &self,
        handle: &str,
        note: &str,
        lexicon: &Lexicon,
        places: &HashMap<SectionId, usize>,
    ) -> Option<SectionId> {
        let asked: Option<SectionId> = handle.parse().ok();
        if let Some(id) = asked.filter(|id| places.contains_key(id)) {
            return Some(id);
        }
        let named =
            self.outline.walk().find(|placed| placed.section.origin.is_some() && placed.section.origin == asked);
        let below: Vec<usize> = named
            .map(|placed| Outline { sections: vec![placed.section.clone()] })
            .iter()
            .flat_map(|branch| {
                branch.leaves().filter_map(|leaf| places.get(&leaf.origin?).copied()).collect::<Vec<_>>()
            })
            .collect();
        let place = match below.is_empty() {
            true => lexicon.closest(note, 0..self.leaves.len()),
            false => lexicon.closest(note, below),
        };
        place.map(|place| self.leaves[place].0)
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct DigestReply {
    notes: Vec<ReplyNote>,
    #[serde(default, deserialize_with = "lenient::text")]
    suggestion: String,
}

#[derive(Deserialize, JsonSchema)]
struct ReplyNote {
    #[serde(deserialize_with = "lenient::text")]
    section: String,
    #[serde(deserialize_with = "lenient::text")]
    text: String,
}

impl Kernel for DigestKernel<'_> {
    type Reply = DigestReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let limits = self.brief.limits;
        let only: Vec<_> = self.leaves.iter().map(|(id, _)| id.to_string()).collect();
        context! {
            title => line(&self.brief.title),
            outline => fence(&shown_outline(self.outline, origin)),
            words => words(limits.digest, self.brief.language),
            suggestion_words => words(limits.suggestion, self.brief.language),
            only => if self.only.is_empty() { String::new() } else { only.join(", ") },
            part => self.part.0,
            parts => self.part.1,
            source => fence(&format!("{}\n\n{}", line(&self.source.title), self.text.trim())),
        }
    }

    fn schema(&self) -> serde_json::Value {
        SchemaBuilder::of::<DigestReply>()
            .least("notes", 1)
            .offer("notes[].section", self.leaves.iter().map(|(id, _)| *id))
            .words("notes[].text", 60)
            .words("suggestion", words(self.brief.limits.suggestion, self.brief.language))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        self.brief.limits.digest * 3 / 2 + self.brief.limits.suggestion + 256
    }

    fn check(&self, reply: DigestReply) -> ReplyVerdict<SurveyProduct> {
        let limits = self.brief.limits;
        let lexicon = Lexicon::new(self.leaves.iter().map(|(_, leaf)| about(leaf)));
        let places: HashMap<_, _> = self.leaves.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
        let notes: Vec<_> = reply
            .notes
            .iter()
            .map(|taken| (&taken.section, prose(&taken.text)))
            .filter(|(_, text)| !text.is_empty())
            .filter_map(|(section, text)| {
                let section = self.leaf_of(section, &text, &lexicon, &places)?;
                Some((section, Note::new(text, vec![self.source.id])))
            })
            .collect();
        if notes.is_empty() {
            return Err(ReplyFlaw::fatal("`notes` is empty: take what bears on the outline, however little"));
        }
        let tokens: u32 = notes.iter().map(|(_, note)| note.tokens).sum();
        let suggestion = truncate::trim(&prose(&reply.suggestion), limits.suggestion);
        let digest = Digest::new(truncate::notes(notes, limits.digest * TOLERATED), suggestion);
        let made = ReplyProduct::new(SurveyProduct::Digest(digest));
        if tokens > limits.digest * TOLERATED {
            let most = words(limits.digest, self.brief.language);
            return Err(ReplyFlaw::grave(format!("the notes are too long: at most {most} words have room"), made));
        }
        Ok(made)
    }

    fn fallback(&self) -> SurveyProduct {
        let Self { brief, source, text, part, outline, only, .. } = self;
        SurveyProduct::Digest(extractive::digest::digest(source, text, *part, outline, only, brief))
    }

    fn halves(&self) -> Option<[HalfWork; 2]> {
        let [one, other] = text::cut_near_middle(&self.text)?;
        let half = |number, text: &str| {
            let work = SurveyWork::Digest {
                source: self.source.clone(),
                text: self.blob,
                part: ((self.part.0 - 1) * 2 + number, self.part.1 * 2),
                outline: self.outline.clone(),
                only: self.only.to_vec(),
            };
            HalfWork {
                work: Work::Survey(Arc::clone(self.brief), work),
                blobs: vec![Bytes::copy_from_slice(text.as_bytes())],
            }
        };
        Some([half(1, one), half(2, other)])
    }

    fn join(&self, one: SurveyProduct, other: SurveyProduct) -> SurveyProduct {
        match (one, other) {
            (SurveyProduct::Digest(one), SurveyProduct::Digest(other)) => {
                let suggestion = if one.suggestion.is_empty() { other.suggestion } else { one.suggestion };
                let room = self.brief.limits.digest * MOST_JOINED;
                SurveyProduct::Digest(Digest::new(truncate::notes([one.notes, other.notes].concat(), room), suggestion))
            }
            (one, _) => one,
        }
    }
}
