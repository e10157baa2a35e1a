//! Condense: many notes said in fewer words, with every source kept.

use std::{collections::BTreeSet, sync::Arc};

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    budget::count,
    source::SourceId,
    survey::{SurveyBrief, SurveyProduct, SurveyWork, digest::Note, work::SectionBrief},
};

use super::{halves::halved, passage::CitationCheck, sections::prose};
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::{HalfWork, Kernel},
        reply::{lenient, schema::SchemaBuilder, truncate},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, shown_notes, shown_section, sources_of, words},
};

/// Words of a typical note; the most allowed are sixty.
const NOTE: u32 = 30;

/// Tokens of a handle in a reply.
const HANDLE: u32 = 5;

/// The multiple of its room up to which a reply's text is tolerated. A longer reply is sent back, and shortened in the
/// end.
const TOLERATED: u32 = 2;

pub(super) struct CondenseKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub section: &'a SectionBrief,
    pub notes: &'a [Note],
    pub room: u32,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct CondenseReply {
    notes: Vec<CondensedNote>,
}

#[derive(Deserialize, JsonSchema)]
struct CondensedNote {
    #[serde(deserialize_with = "lenient::text")]
    text: String,
    #[serde(deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

impl CondenseKernel<'_> {
    /// The shortest note of each of these sources; a note of several sources comes once.
    fn shortest_of(&self, sources: &[SourceId]) -> Vec<((), Note)> {
        let mut added: Vec<&Note> = Vec::new();
        for source in sources {
            let theirs = self.notes.iter().filter(|note| note.sources.contains(source));
            match theirs.min_by_key(|note| note.tokens) {
                Some(note) if !added.contains(&note) => added.push(note),
                _ => {}
            }
        }
        added.into_iter().map(|note| ((), note.clone())).collect()
    }
}

impl Kernel for CondenseKernel<'_> {
    type Reply = CondenseReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        context! {
            title => line(&self.brief.title),
            words => words(self.room, self.brief.language),
            section => fence(&shown_section(self.section)),
            notes => fence(&shown_notes(self.notes)),
        }
    }

    fn schema(&self) -> serde_json::Value {
        let most = words(self.room, self.brief.language) / NOTE;
        SchemaBuilder::of::<CondenseReply>()
            .least("notes", 1)
            .most("notes", most.max(2) as usize)
            .words("notes[].text", 60)
            .least("notes[].sources", 1)
            .offer("notes[].sources[]", sources_of(self.notes))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        let handles: usize = self.notes.iter().map(|note| note.sources.len()).sum();
        self.room * 3 / 2 + 256 + HANDLE * handles as u32
    }

    fn check(&self, reply: CondenseReply) -> ReplyVerdict<SurveyProduct> {
        let mut cited = CitationCheck::offering(sources_of(self.notes));
        let mut notes: Vec<((), Note)> = Vec::new();
        for condensed in reply.notes {
            let sources = cited.read(&condensed.sources);
            let text = prose(&condensed.text);
            if !sources.is_empty() && !text.is_empty() {
                notes.push(((), Note::new(text, sources)));
            }
        }
        if notes.is_empty() {
            return Err(ReplyFlaw::fatal("no note names a source that was given"));
        }
        // The room is for the text of the notes; the number of handles is given.
        let said: u32 = notes.iter().map(|(_, note)| count(&note.text)).sum();
        let handles = notes.iter().map(|(_, note)| note.tokens).sum::<u32>() - said;
        let mut notes = truncate::notes(notes, TOLERATED * self.room + handles);
        let kept: BTreeSet<SourceId> = notes.iter().flat_map(|(_, note)| note.sources.clone()).collect();
        let lost: Vec<SourceId> = cited.offered().filter(|source| !kept.contains(source)).collect();
        notes.extend(self.shortest_of(&lost));
        let notes = notes.into_iter().map(|(_, note)| note).collect();
        let made = ReplyProduct { product: SurveyProduct::Notes(notes), citations_removed: cited.removed };
        if said > TOLERATED * self.room {
            let most = words(self.room, self.brief.language);
            return Err(ReplyFlaw::grave(format!("the notes are too long: at most {most} words have room"), made));
        }
        if lost.is_empty() {
            return Ok(made);
        }
        let lost: Vec<_> = lost.iter().map(ToString::to_string).collect();
        Err(ReplyFlaw::light(format!("no note names these sources any more: {}", lost.join(", ")), made))
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Notes(extractive::condense::condense(self.section, self.notes, self.room))
    }

    fn halves(&self) -> Option<[HalfWork; 2]> {
        halved(self.brief, self.notes, |notes| SurveyWork::Condense {
            section: self.section.clone(),
            notes,
            room: self.room.div_ceil(2),
        })
    }

    fn join(&self, one: SurveyProduct, other: SurveyProduct) -> SurveyProduct {
        match (one, other) {
            (SurveyProduct::Notes(one), SurveyProduct::Notes(other)) => SurveyProduct::Notes([one, other].concat()),
            (one, _) => one,
        }
    }
}
