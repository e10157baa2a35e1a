//! Introduce: the prose before a section's children, or before the whole article.

use std::sync::Arc;

use minijinja::{Value, context};
use tributary_protocol::{
    source::SourceId,
    survey::{
        SurveyBrief, SurveyProduct,
        article::Passage,
        work::{SectionBrief, WrittenPart},
    },
};

use super::passage::{self, CitationCheck, PassageReply};
use crate::{
    kernel::{
        contract::Kernel,
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, shown_passage, shown_section},
};

pub(super) struct IntroduceKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub section: Option<&'a SectionBrief>,
    pub children: &'a [WrittenPart],
    pub words: u32,
}

impl IntroduceKernel<'_> {
    /// All sources cited by the children, once each, ascending.
    fn sources(&self) -> Vec<SourceId> {
        let sentences = self.children.iter().flat_map(|child| child.passage.sentences());
        let mut sources: Vec<_> = sentences.flat_map(|sentence| sentence.sources.clone()).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

impl Kernel for IntroduceKernel<'_> {
    type Reply = PassageReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let children: Vec<_> = self
            .children
            .iter()
            .map(|child| fence(format!("# {}\n{}", line(&child.title), shown_passage(&child.passage)).trim_end()))
            .collect();
        context! {
            title => line(&self.brief.title),
            words => self.words,
            whole => self.section.is_none(),
            section => self.section.map(|section| fence(&shown_section(section))).unwrap_or_default(),
            children => children.join("\n"),
        }
    }

    fn schema(&self) -> serde_json::Value {
        passage::passage_schema(self.sources()).most("paragraphs", 2).most("paragraphs[].sentences", 5).done()
    }

    fn reply_tokens(&self) -> u32 {
        self.words * 4 + 512
    }

    fn check(&self, reply: PassageReply) -> ReplyVerdict<SurveyProduct> {
        let mut cited = CitationCheck::offering(self.sources());
        let whole = passage::passage(reply, &mut cited, self.brief.language);
        if whole.paragraphs.is_empty() {
            return Err(ReplyFlaw::fatal("`paragraphs` holds no sentence"));
        }
        // An introduction above the requested length does no harm, and is not worth another call.
        let product = SurveyProduct::Passage(whole);
        Ok(ReplyProduct { product, citations_removed: cited.removed })
    }

    /// Makes an empty passage: an introduction would repeat a child's sentence, or be made up without a source.
    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Passage(Passage::default())
    }
}
