//! Convolve: the candidates of a receptive field merged into one.

use std::sync::Arc;

use minijinja::{Value, context};
use tributary_protocol::{suggestion::Candidate, task::Brief};

use super::{
    Checked, Kernel,
    feedback::{self, Suggested},
    form::Form,
    lineage, sections,
};
use crate::prompt::{fence, line, origin, shown_outline};

pub(super) struct Convolve<'a> {
    pub brief: &'a Brief,
    pub members: &'a [Arc<Candidate>],
}

impl Kernel for Convolve<'_> {
    type Reply = Suggested;

    fn context(&self) -> Value {
        let shown = self.members.iter().map(|member| {
            fence(&format!("> {}\n{}", line(&member.suggestion), shown_outline(&member.outline, origin)))
        });
        sections::context(self.brief, context! { candidates => shown.collect::<Vec<_>>().join("\n") })
    }

    fn schema(&self) -> serde_json::Value {
        let outlines = self.members.iter().map(|member| &*member.outline);
        feedback::form(Form::of::<Suggested>(), self.brief, outlines).done()
    }

    fn reply_tokens(&self) -> u32 {
        sections::reply_tokens(self.brief) + self.brief.limits.suggestion * 3 / 2
    }

    fn check(&self, reply: Suggested) -> Checked {
        let outlines = self.members.iter().map(|member| &*member.outline);
        let ancestors = lineage::ancestors_of_all(outlines, |_, place, section| origin(place, section));
        sections::candidate(&reply.suggestion, reply.sections, &ancestors, self.brief.limits)
    }
}
