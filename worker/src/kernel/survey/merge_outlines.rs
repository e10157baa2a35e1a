//! Merge outlines: one outline of several, whose sources follow their sections.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::survey::{SurveyBrief, SurveyProduct, outline::SharedOutline};

use super::{
    Checked, Kernel,
    inherit_sources::{self, Ancestor},
    lenient,
    schema::SchemaBuilder,
    sections::{self, Flat},
};
use crate::extractive::survey as extractive;
use crate::prompt::{fence, shown_outline};

pub(super) struct MergeOutlines<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub outlines: &'a [SharedOutline],
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
    from: Vec<String>,
}

impl From<Section> for Flat {
    fn from(section: Section) -> Self {
        let Section { level, title, extract, analyse, from } = section;
        Self { level, title, extract, analyse, handles: from }
    }
}

impl MergeOutlines<'_> {
    /// The sections of all outlines: the fifth of the second outline is `O2.5`.
    fn ancestors(&self) -> Vec<Ancestor> {
        let outlines = self.outlines.iter().map(|outline| &**outline);
        inherit_sources::ancestors_of_all(outlines, |number, place, _| handle(number, place))
    }
}

fn handle(outline: usize, place: usize) -> String {
    format!("O{}.{}", outline + 1, place + 1)
}

impl Kernel for MergeOutlines<'_> {
    type Reply = Reply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let shown = self
            .outlines
            .iter()
            .enumerate()
            .map(|(number, outline)| fence(&shown_outline(outline, |place, _| handle(number, place))));
        sections::context(self.brief, context! { outlines => shown.collect::<Vec<_>>().join("\n") })
    }

    fn schema(&self) -> serde_json::Value {
        let handles = self.ancestors().into_iter().map(|ancestor| ancestor.handle);
        sections::form(SchemaBuilder::of::<Reply>(), self.brief).offer("sections[].from[]", handles).done()
    }

    fn reply_tokens(&self) -> u32 {
        let sections: usize = self.outlines.iter().map(|outline| outline.walk().count()).sum();
        sections::reply_tokens(self.brief) + 8 * sections as u32
    }

    fn check(&self, reply: Reply) -> Checked {
        match sections::outline(reply.sections, &self.ancestors(), self.brief.limits) {
            Ok(made) => Ok(made.map(|outline| SurveyProduct::Outline(outline.into()))),
            Err(flaw) => Err(flaw.map(|outline| SurveyProduct::Outline(outline.into()))),
        }
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Outline(extractive::merge::merge(self.outlines, self.brief).into())
    }
}
