//! Outline: an article's sections, from the leads of a few sources.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    source::{Card, CardRef},
    survey::{SurveyBrief, SurveyProduct},
};

use super::{
    inherit_sources::SectionAncestor,
    sections::{self, ReplySection},
};
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::Kernel,
        reply::{lenient, schema::SchemaBuilder},
        verdict::ReplyVerdict,
    },
    prompt::{fence, line},
};

pub(super) struct OutlineKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub sources: &'a [CardRef],
    /// The cards of the sources, in their order.
    pub cards: Vec<Card>,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct OutlineReply {
    sections: Vec<OutlinedSection>,
}

#[derive(Deserialize, JsonSchema)]
struct OutlinedSection {
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "u8")]
    level: f64,
    title: String,
    #[serde(default, deserialize_with = "lenient::text")]
    extract: String,
    #[serde(default, deserialize_with = "lenient::text")]
    analyse: String,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

impl From<OutlinedSection> for ReplySection {
    fn from(section: OutlinedSection) -> Self {
        let OutlinedSection { level, title, extract, analyse, sources } = section;
        Self { level, title, extract, analyse, handles: sources }
    }
}

impl Kernel for OutlineKernel<'_> {
    type Reply = OutlineReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let shown = self
            .sources
            .iter()
            .zip(&self.cards)
            .map(|(source, card)| fence(&format!("{}: {}\n{}", source.id, line(&card.title), card.lead.trim())));
        sections::context(self.brief, context! { listed => shown.collect::<Vec<_>>().join("\n") })
    }

    fn schema(&self) -> serde_json::Value {
        sections::sections_schema(SchemaBuilder::of::<OutlineReply>(), self.brief)
            .offer("sections[].sources[]", self.sources.iter().map(|source| source.id))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        sections::reply_tokens(self.brief) + 15 * self.sources.len() as u32
    }

    /// Reads the outline; a source without a section goes to the most similar leaf.
    fn check(&self, reply: OutlineReply) -> ReplyVerdict<SurveyProduct> {
        let ancestors: Vec<SectionAncestor> = self
            .sources
            .iter()
            .zip(&self.cards)
            .map(|(source, card)| SectionAncestor {
                handle: source.id.to_string(),
                parent: None,
                about: format!("{} {}", card.title, card.lead),
                sources: vec![source.id],
            })
            .collect();
        match sections::outline(reply.sections, &ancestors, self.brief.limits) {
            Ok(made) => Ok(made.map(|outline| SurveyProduct::Outline(outline.into()))),
            Err(flaw) => Err(flaw.map(|outline| SurveyProduct::Outline(outline.into()))),
        }
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Outline(extractive::outline::outline(self.sources, &self.cards, self.brief).into())
    }
}
