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
    Checked, Kernel,
    inherit_sources::Ancestor,
    lenient,
    schema::SchemaBuilder,
    sections::{self, Flat},
};
use crate::extractive::survey as extractive;
use crate::prompt::{fence, line};

pub(super) struct Outline<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub sources: &'a [CardRef],
    /// The cards of the sources, in their order.
    pub cards: Vec<Card>,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Reply {
    sections: Vec<Section>,
}

#[derive(Deserialize, JsonSchema)]
struct Section {
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

impl From<Section> for Flat {
    fn from(section: Section) -> Self {
        let Section { level, title, extract, analyse, sources } = section;
        Self { level, title, extract, analyse, handles: sources }
    }
}

impl Kernel for Outline<'_> {
    type Reply = Reply;
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
        sections::form(SchemaBuilder::of::<Reply>(), self.brief)
            .offer("sections[].sources[]", self.sources.iter().map(|source| source.id))
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        sections::reply_tokens(self.brief) + 15 * self.sources.len() as u32
    }

    /// A source that no section takes goes to the leaf most like it.
    fn check(&self, reply: Reply) -> Checked {
        let ancestors: Vec<Ancestor> = self
            .sources
            .iter()
            .zip(&self.cards)
            .map(|(source, card)| Ancestor {
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
