//! Outline: an article's sections, from the leads of a few sources.

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    source::Card,
    task::{Brief, CardRef, Product},
};

use super::{
    Checked, Kernel,
    form::Form,
    lineage::Ancestor,
    reply,
    sections::{self, Flat},
};
use crate::prompt::{fence, line};

pub(super) struct Outline<'a> {
    brief: &'a Brief,
    sources: Vec<(CardRef, &'a Card)>,
}

impl<'a> Outline<'a> {
    pub fn new(brief: &'a Brief, sources: &[CardRef], cards: &'a [Card]) -> Self {
        Self { brief, sources: sources.iter().copied().zip(cards).collect() }
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Reply {
    sections: Vec<Section>,
}

#[derive(Deserialize, JsonSchema)]
struct Section {
    #[serde(deserialize_with = "reply::number")]
    #[schemars(with = "u8")]
    level: f64,
    title: String,
    #[serde(default, deserialize_with = "reply::text")]
    extract: String,
    #[serde(default, deserialize_with = "reply::text")]
    analyse: String,
    #[serde(default, deserialize_with = "reply::handles")]
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

    fn context(&self) -> Value {
        let shown = self
            .sources
            .iter()
            .map(|(source, card)| fence(&format!("{}: {}\n{}", source.id, line(&card.title), card.lead.trim())));
        sections::context(self.brief, context! { listed => shown.collect::<Vec<_>>().join("\n") })
    }

    fn schema(&self) -> serde_json::Value {
        sections::form(Form::of::<Reply>(), self.brief)
            .offer("sections[].sources[]", self.sources.iter().map(|(source, _)| source.id))
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
            .map(|(source, card)| Ancestor {
                handle: source.id.to_string(),
                parent: None,
                about: format!("{} {}", card.title, card.lead),
                sources: vec![source.id],
            })
            .collect();
        match sections::outline(reply.sections, &ancestors, self.brief.limits) {
            Ok(made) => Ok(made.map(|outline| Product::Outline(outline.into()))),
            Err(flaw) => Err(flaw.map(|outline| Product::Outline(outline.into()))),
        }
    }
}
