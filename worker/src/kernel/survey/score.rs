//! Score: an outline's information entropy, in the eyes of a judge.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::survey::{SurveyBrief, SurveyProduct, outline::Outline, suggestion::OutlineScore};

use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::Kernel,
        reply::{lenient, schema::SchemaBuilder},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, origin, shown_outline},
};

pub(super) struct ScoreKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub outline: &'a Outline,
}

/// The reasoning, then the figures resting on the reasoning.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ScoreReply {
    #[serde(default, deserialize_with = "lenient::text", rename = "reasoning")]
    _reasoning: String,
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "f64")]
    structure: f64,
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "f64")]
    descriptions: f64,
}

impl Kernel for ScoreKernel<'_> {
    type Reply = ScoreReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        context! { title => line(&self.brief.title), outline => fence(&shown_outline(self.outline, origin)) }
    }

    fn schema(&self) -> serde_json::Value {
        SchemaBuilder::of::<ScoreReply>()
            .words("reasoning", 50)
            .range("structure", 0, 10)
            .range("descriptions", 0, 10)
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        256
    }

    fn check(&self, reply: ScoreReply) -> ReplyVerdict<SurveyProduct> {
        let within = |value: f64| value.clamp(0.0, 10.0);
        let (structure, descriptions) = (within(reply.structure), within(reply.descriptions));
        let made = ReplyProduct::new(SurveyProduct::Score(OutlineScore { structure, descriptions }));
        if structure != reply.structure || descriptions != reply.descriptions {
            return Err(ReplyFlaw::grave("scores are from 0 to 10", made));
        }
        Ok(made)
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Score(extractive::judge::score(self.outline))
    }
}
