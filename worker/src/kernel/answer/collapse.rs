//! Collapse: findings that agree become one, findings that disagree stay apart.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::answer::{AnswerBrief, AnswerProduct, finding::Finding};

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

pub(super) struct CollapseKernel<'a> {
    pub brief: &'a Arc<AnswerBrief>,
    pub findings: &'a [Finding],
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct CollapseReply {
    findings: Vec<CollapsedFinding>,
}

#[derive(Deserialize, JsonSchema)]
struct CollapsedFinding {
    #[serde(default, deserialize_with = "lenient::text")]
    rationale: String,
    #[serde(default, deserialize_with = "lenient::text")]
    answer: String,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    quotes: Vec<String>,
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "f64")]
    confidence: f64,
}

impl Kernel for CollapseKernel<'_> {
    type Reply = CollapseReply;
    type Product = AnswerProduct;

    fn context(&self) -> Value {
        context! {
            question => line(&self.brief.question),
            words => words(self.brief.limits.collapsed, self.brief.language),
            findings => fence(&shown(self.findings)),
        }
    }

    fn schema(&self) -> serde_json::Value {
        SchemaBuilder::of::<CollapseReply>()
            .least("findings", 1)
            .most("findings", self.findings.len())
            .words("findings[].rationale", 60)
            .words("findings[].answer", 60)
            .offer("findings[].quotes[]", OfferedQuotes::of(self.findings).handles())
            .range("findings[].confidence", 0, 5)
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        self.brief.limits.collapsed * 3 / 2 + 256
    }

    /// What is shorter than the findings were is good; what is longer is told, and goes the way of the extractive model.
    fn check(&self, reply: CollapseReply) -> ReplyVerdict<AnswerProduct> {
        let offered = OfferedQuotes::of(self.findings);
        let collapsed = reply.findings.into_iter().filter_map(|finding| {
            let answer = line(&finding.answer);
            let quotes = offered.named(&finding.quotes);
            let confidence = confidence(finding.confidence, &quotes);
            (!answer.is_empty()).then(|| Finding { quotes, rationale: line(&finding.rationale), answer, confidence })
        });
        let findings: Vec<Finding> = collapsed.collect();
        if findings.is_empty() {
            return Err(ReplyFlaw::fatal("`findings` holds no answer"));
        }
        if Finding::tokens_of(&findings) >= Finding::tokens_of(self.findings) {
            let most = words(self.brief.limits.collapsed, self.brief.language);
            return Err(ReplyFlaw::fatal(format!(
                "the findings are no shorter than before: at most {most} words have room"
            )));
        }
        Ok(ReplyProduct::new(AnswerProduct::Findings(findings)))
    }

    fn fallback(&self) -> AnswerProduct {
        AnswerProduct::Findings(passages::collapse(self.findings, self.brief.limits.collapsed))
    }
}
