//! Refine: an outline criticised, then mended.

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{outline::Outline, task::Brief};

use super::{
    Checked, Kernel, feedback,
    form::Form,
    lineage, reply,
    sections::{self, Bettered},
};
use crate::prompt::{fence, origin, shown_outline, words};

pub(super) struct Refine<'a> {
    pub brief: &'a Brief,
    pub outline: &'a Outline,
}

/// The critique comes first, so that what follows can answer it.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Reply {
    #[serde(default, deserialize_with = "reply::text", rename = "critique")]
    _critique: String,
    #[serde(default, deserialize_with = "reply::text")]
    suggestion: String,
    sections: Vec<Bettered>,
}

impl Refine<'_> {
    fn critique_words(&self) -> u32 {
        words(self.brief.limits.suggestion, self.brief.language)
    }
}

impl Kernel for Refine<'_> {
    type Reply = Reply;

    fn context(&self) -> Value {
        let outline = fence(&shown_outline(self.outline, origin));
        sections::context(self.brief, context! { outline, critique_words => self.critique_words() })
    }

    fn schema(&self) -> serde_json::Value {
        let form = Form::of::<Reply>().words("critique", self.critique_words());
        feedback::form(form, self.brief, [self.outline]).done()
    }

    fn reply_tokens(&self) -> u32 {
        sections::reply_tokens(self.brief) + self.brief.limits.suggestion * 3
    }

    fn check(&self, reply: Reply) -> Checked {
        let ancestors = lineage::ancestors(self.outline, origin);
        sections::candidate(&reply.suggestion, reply.sections, &ancestors, self.brief.limits)
    }
}
