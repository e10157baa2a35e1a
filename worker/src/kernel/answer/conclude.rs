//! Conclude: the answer to the question, from findings.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::answer::{
    AnswerBrief, AnswerProduct,
    finding::{Answer, Finding, Objection},
};

use super::{
    findings::{OfferedQuotes, confidence, shown},
    passages,
};
use crate::{
    kernel::{
        contract::Kernel,
        reply::{lenient, schema::SchemaBuilder},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, words},
};

/// The most objections to an answer.
const MOST_OBJECTIONS: usize = 8;

pub(super) struct ConcludeKernel<'a> {
    pub brief: &'a Arc<AnswerBrief>,
    pub findings: &'a [Finding],
}

/// The reasoning comes first, so that the answer rests on it.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ConcludeReply {
    #[serde(default, deserialize_with = "lenient::text", rename = "rationale")]
    _rationale: String,
    #[serde(default, deserialize_with = "lenient::text")]
    answer: String,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    quotes: Vec<String>,
    #[serde(default)]
    against: Vec<StatedObjection>,
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "f64")]
    confidence: f64,
}

#[derive(Deserialize, JsonSchema)]
struct StatedObjection {
    #[serde(default, deserialize_with = "lenient::text")]
    text: String,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    quotes: Vec<String>,
}

impl Kernel for ConcludeKernel<'_> {
    type Reply = ConcludeReply;
    type Product = AnswerProduct;

    fn context(&self) -> Value {
        context! {
            question => line(&self.brief.question),
            words => words(self.brief.limits.answer / 2, self.brief.language),
            findings => fence(&shown(self.findings)),
        }
    }

    fn schema(&self) -> serde_json::Value {
        let handles = || OfferedQuotes::of(self.findings).handles().collect::<Vec<_>>();
        SchemaBuilder::of::<ConcludeReply>()
            .words("rationale", 80)
            .words("answer", words(self.brief.limits.answer / 2, self.brief.language))
            .most("against", MOST_OBJECTIONS)
            .words("against[].text", 60)
            .offer_at(&["quotes[]", "against[].quotes[]"], handles())
            .range("confidence", 0, 5)
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        self.brief.limits.answer * 3 / 2 + 256
    }

    fn check(&self, reply: ConcludeReply) -> ReplyVerdict<AnswerProduct> {
        let offered = OfferedQuotes::of(self.findings);
        let text = reply.answer.trim().to_owned();
        let objection = |stated: &StatedObjection| {
            let (text, quotes) = (line(&stated.text), offered.named(&stated.quotes));
            (!text.is_empty()).then_some(Objection { text, quotes })
        };
        let against: Vec<Objection> = reply.against.iter().take(MOST_OBJECTIONS).filter_map(objection).collect();
        if text.is_empty() {
            let answer = Answer { against, ..Answer::nothing() };
            return Ok(ReplyProduct::new(AnswerProduct::Answer(answer)));
        }
        let quotes = offered.named(&reply.quotes);
        let confidence = confidence(reply.confidence, &quotes);
        let is_unquoted = quotes.is_empty() && offered.handles().next().is_some();
        let made = ReplyProduct::new(AnswerProduct::Answer(Answer { text, confidence, quotes, against }));
        if is_unquoted {
            return Err(ReplyFlaw::light("`quotes` is empty: name the quotes that the answer rests on", made));
        }
        Ok(made)
    }

    fn fallback(&self) -> AnswerProduct {
        AnswerProduct::Answer(passages::conclude(self.findings, &self.brief.question))
    }
}
