//! Merge outlines: a single outline made of several, whose sources follow their sections.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::survey::{SurveyBrief, SurveyProduct, outline::SharedOutline};

use super::{
    inherit_sources::{self, SectionAncestor},
    sections::{self, ReplySection},
};
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::Kernel,
        reply::{lenient, schema::SchemaBuilder},
        verdict::ReplyVerdict,
    },
    prompt::{fence, shown_outline},
};

pub(super) struct MergeOutlinesKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub outlines: &'a [SharedOutline],
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct MergeReply {
    sections: Vec<MergedSection>,
}

#[derive(Deserialize, JsonSchema)]
struct MergedSection {
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

impl From<MergedSection> for ReplySection {
    fn from(section: MergedSection) -> Self {
        let MergedSection { level, title, extract, analyse, from } = section;
        Self { level, title, extract, analyse, handles: from }
    }
}

impl MergeOutlinesKernel<'_> {
    /// The sections of all outlines: the fifth of the second outline is `O2.5`.
    fn ancestors(&self) -> Vec<SectionAncestor> {
        let outlines = self.outlines.iter().map(|outline| &**outline);
        inherit_sources::ancestors_of_all(outlines, |number, place, _| handle(number, place))
    }
}

fn handle(outline: usize, place: usize) -> String {
    format!("O{}.{}", outline + 1, place + 1)
}

impl Kernel for MergeOutlinesKernel<'_> {
    type Reply = MergeReply;
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
        sections::sections_schema(SchemaBuilder::of::<MergeReply>(), self.brief)
            .offer("sections[].from[]", handles)
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        let sections: usize = self.outlines.iter().map(|outline| outline.walk().count()).sum();
        sections::reply_tokens(self.brief) + 8 * sections as u32
    }

    fn check(&self, reply: MergeReply) -> ReplyVerdict<SurveyProduct> {
        match sections::outline(reply.sections, &self.ancestors(), self.brief.limits) {
            Ok(made) => Ok(made.map(|outline| SurveyProduct::Outline(outline.into()))),
            Err(flaw) => Err(flaw.map(|outline| SurveyProduct::Outline(outline.into()))),
        }
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Outline(extractive::merge::merge(self.outlines, self.brief).into())
    }
}
