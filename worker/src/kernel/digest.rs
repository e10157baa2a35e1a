//! Digest: what a source contributes to each section, and how it would better the outline.

use std::collections::HashMap;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    digest::{Digest as Notes, Note},
    outline::{Outline, Section, SectionId},
    task::{Brief, Product, Titled},
};

use super::{Checked, Flaw, Kernel, Made, fit, form::Form, lexicon::Lexicon, lineage::about, reply, sections::prose};
use crate::prompt::{fence, line, origin, shown_outline, words};

/// How often their limit the notes may fill before they are sent back, and shortened if that doesn't help. What comes after
/// counts the tokens that there are.
const TOLERATED: u32 = 2;

pub(super) struct Digest<'a> {
    brief: &'a Brief,
    source: &'a Titled,
    text: &'a str,
    part: (u32, u32),
    outline: &'a Outline,
    /// The leaves that notes are asked for.
    leaves: Vec<(SectionId, &'a Section)>,
    /// Whether these are but a part of the outline's.
    only: bool,
}

impl<'a> Digest<'a> {
    pub fn new(
        brief: &'a Brief,
        source: &'a Titled,
        text: &'a str,
        part: (u32, u32),
        outline: &'a Outline,
        only: &[SectionId],
    ) -> Self {
        let numbered = outline.leaves().filter_map(|leaf| Some((leaf.origin?, leaf)));
        let leaves = numbered.filter(|(id, _)| only.is_empty() || only.contains(id)).collect();
        Self { brief, source, text, part, outline, leaves, only: !only.is_empty() }
    }

    /// For handles of sections above leaves, the leaves below them.
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
pub(super) struct Reply {
    notes: Vec<Taken>,
    #[serde(default, deserialize_with = "reply::text")]
    suggestion: String,
}

#[derive(Deserialize, JsonSchema)]
struct Taken {
    #[serde(deserialize_with = "reply::text")]
    section: String,
    #[serde(deserialize_with = "reply::text")]
    text: String,
}

impl Kernel for Digest<'_> {
    type Reply = Reply;

    fn context(&self) -> Value {
        let limits = self.brief.limits;
        let only: Vec<_> = self.leaves.iter().map(|(id, _)| id.to_string()).collect();
        context! {
            title => line(&self.brief.title),
            outline => fence(&shown_outline(self.outline, origin)),
            words => words(limits.digest, self.brief.language),
            suggestion_words => words(limits.suggestion, self.brief.language),
            only => if self.only { only.join(", ") } else { String::new() },
            part => self.part.0,
            parts => self.part.1,
            source => fence(&format!("{}\n\n{}", line(&self.source.title), self.text.trim())),
        }
    }

    fn schema(&self) -> serde_json::Value {
        Form::of::<Reply>()
            .least("notes", 1)
            .offer("notes[].section", self.leaves.iter().map(|(id, _)| *id))
            .words("notes[].text", 60)
            .words("suggestion", words(self.brief.limits.suggestion, self.brief.language))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        self.brief.limits.digest * 3 / 2 + self.brief.limits.suggestion + 256
    }

    fn check(&self, reply: Reply) -> Checked {
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
            return Err(Flaw::fatal("`notes` is empty: take what bears on the outline, however little"));
        }
        let tokens: u32 = notes.iter().map(|(_, note)| note.tokens).sum();
        let suggestion = fit::trim(&prose(&reply.suggestion), limits.suggestion);
        let digest = Notes::new(fit::notes(notes, limits.digest * TOLERATED), suggestion);
        let made = Made::new(Product::Digest(digest));
        if tokens > limits.digest * TOLERATED {
            let most = words(limits.digest, self.brief.language);
            return Err(Flaw::grave(format!("the notes are too long: at most {most} words have room"), made));
        }
        Ok(made)
    }
}
