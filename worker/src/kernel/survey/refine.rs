//! Refine: an outline criticised, then mended.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::survey::{SurveyBrief, SurveyProduct, outline::Outline};

use super::{
    feedback, inherit_sources,
    sections::{self, RevisedSection},
};
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::Kernel,
        reply::{lenient, schema::SchemaBuilder},
        verdict::ReplyVerdict,
    },
    prompt::{fence, origin, shown_outline, words},
};

pub(super) struct RefineKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub outline: &'a Outline,
    pub round: u32,
    pub attempt: u32,
}

/// A critique, then the improved outline. The critique comes first, so the outline can answer it.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RefineReply {
    #[serde(default, deserialize_with = "lenient::text", rename = "critique")]
    _critique: String,
    #[serde(default, deserialize_with = "lenient::text")]
    suggestion: String,
    sections: Vec<RevisedSection>,
}

impl RefineKernel<'_> {
    fn critique_words(&self) -> u32 {
        words(self.brief.limits.suggestion, self.brief.language)
    }
}

impl Kernel for RefineKernel<'_> {
    type Reply = RefineReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let outline = fence(&shown_outline(self.outline, origin));
        sections::context(self.brief, context! { outline, critique_words => self.critique_words() })
    }

    fn schema(&self) -> serde_json::Value {
        let schema = SchemaBuilder::of::<RefineReply>().words("critique", self.critique_words());
        feedback::suggestion_schema(schema, self.brief, [self.outline]).done()
    }

    fn reply_tokens(&self) -> u32 {
        sections::reply_tokens(self.brief) + self.brief.limits.suggestion * 3
    }

    fn check(&self, reply: RefineReply) -> ReplyVerdict<SurveyProduct> {
        let ancestors = inherit_sources::ancestors(self.outline, origin);
        sections::candidate(&reply.suggestion, reply.sections, &ancestors, self.brief.limits)
    }

    /// Raises the temperature, so that attempts of a round differ.
    fn temperature(&self) -> f32 {
        0.7
    }

    fn attempt(&self) -> Option<(u32, u32)> {
        Some((self.round, self.attempt))
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Candidate(extractive::revise::refine(self.outline, self.attempt, self.brief))
    }
}
