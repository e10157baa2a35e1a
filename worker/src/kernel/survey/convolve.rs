//! Convolve: the candidates of a receptive field merged into one.

use std::sync::Arc;

use minijinja::{Value, context};
use tributary_protocol::survey::{SurveyBrief, SurveyProduct, suggestion::Candidate};

use super::{
    feedback::{self, SuggestionReply},
    inherit_sources, sections,
};
use crate::{
    extractive::survey as extractive,
    kernel::{contract::Kernel, reply::schema::SchemaBuilder, verdict::ReplyVerdict},
    prompt::{fence, line, origin, shown_outline},
};

pub(super) struct ConvolveKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub members: &'a [Arc<Candidate>],
}

impl Kernel for ConvolveKernel<'_> {
    type Reply = SuggestionReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let shown = self.members.iter().map(|member| {
            fence(&format!("> {}\n{}", line(&member.suggestion), shown_outline(&member.outline, origin)))
        });
        sections::context(self.brief, context! { candidates => shown.collect::<Vec<_>>().join("\n") })
    }

    fn schema(&self) -> serde_json::Value {
        let outlines = self.members.iter().map(|member| &*member.outline);
        feedback::suggestion_schema(SchemaBuilder::of::<SuggestionReply>(), self.brief, outlines).done()
    }

    fn reply_tokens(&self) -> u32 {
        sections::reply_tokens(self.brief) + self.brief.limits.suggestion * 3 / 2
    }

    fn check(&self, reply: SuggestionReply) -> ReplyVerdict<SurveyProduct> {
        let outlines = self.members.iter().map(|member| &*member.outline);
        let ancestors = inherit_sources::ancestors_of_all(outlines, |_, place, section| origin(place, section));
        sections::candidate(&reply.suggestion, reply.sections, &ancestors, self.brief.limits)
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Candidate(extractive::revise::convolve(self.members, self.brief))
    }
}
