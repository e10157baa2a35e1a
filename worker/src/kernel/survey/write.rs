//! Write: the prose of a section, from its notes.

use std::{collections::BTreeSet, sync::Arc};

use minijinja::{Value, context};
use tributary_protocol::{
    source::SourceId,
    survey::{SurveyBrief, SurveyProduct, SurveyWork, article::Passage, digest::Note, work::SectionBrief},
};

use super::{
    halves::halved,
    passage::{self, CitationCheck, PassageReply},
};
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::{HalfWork, Kernel},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, shown_notes, shown_section, sources_of},
};

/// The share of sources, as one in so many, left out without a complaint.
const MOST_UNUSED: usize = 4;

pub(super) struct WriteKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub section: &'a SectionBrief,
    pub notes: &'a [Note],
    pub words: u32,
}

impl Kernel for WriteKernel<'_> {
    type Reply = PassageReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        context! {
            title => line(&self.brief.title),
            words => self.words,
            section => fence(&shown_section(self.section)),
            notes => fence(&shown_notes(self.notes)),
        }
    }

    fn schema(&self) -> serde_json::Value {
        // Room for sentences of twenty words, a quarter more than the requested length.
        let paragraphs = (self.words as usize / 100).max(2);
        passage::passage_schema(sources_of(self.notes))
            .most("paragraphs", paragraphs)
            .most("paragraphs[].sentences", 6)
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        self.brief.limits.passage.max(self.words * 3 / 2) * 2 + 256
    }

    /// Sends the passage back once where many sources are left out. A few are not worth a second call: the coordinator
    /// gives each a sentence of its own.
    fn check(&self, reply: PassageReply) -> ReplyVerdict<SurveyProduct> {
        let mut cited = CitationCheck::offering(sources_of(self.notes));
        let whole = passage::passage(reply, &mut cited, self.brief.language);
        let used: BTreeSet<SourceId> = whole.sentences().flat_map(|sentence| sentence.sources.clone()).collect();
        let unused: Vec<_> = cited.offered().filter(|source| !used.contains(source)).map(|id| id.to_string()).collect();
        if used.is_empty() {
            return Err(ReplyFlaw::fatal("no sentence names the handle of a source that was given"));
        }
        let room = self.brief.limits.passage.max(self.words * 3 / 2) * 2;
        let tokens = passage::tokens(&whole);
        let product = SurveyProduct::Passage(passage::within(whole, room));
        let made = ReplyProduct { product, citations_removed: cited.removed };
        if tokens > room {
            return Err(ReplyFlaw::grave(
                format!("the section is too long: about {} words are asked for", self.words),
                made,
            ));
        }
        if unused.len() * MOST_UNUSED > cited.offered().count() {
            let unused = unused.join(", ");
            return Err(ReplyFlaw::light(
                format!("use these sources too, where they have something to say: {unused}"),
                made,
            ));
        }
        Ok(made)
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Passage(extractive::write::write(self.section, self.notes, self.words, self.brief))
    }

    fn halves(&self) -> Option<[HalfWork; 2]> {
        halved(self.brief, self.notes, |notes| SurveyWork::Write {
            section: self.section.clone(),
            notes,
            words: self.words.div_ceil(2),
        })
    }

    fn join(&self, one: SurveyProduct, other: SurveyProduct) -> SurveyProduct {
        match (one, other) {
            (SurveyProduct::Passage(one), SurveyProduct::Passage(other)) => {
                SurveyProduct::Passage(Passage { paragraphs: [one.paragraphs, other.paragraphs].concat() })
            }
            (one, _) => one,
        }
    }
}
