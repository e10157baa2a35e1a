//! Feedback: an outline bettered by the digests of a group of sources.

use std::sync::Arc;

use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::survey::{SurveyBrief, SurveyProduct, digest::SourceDigest, outline::Outline};

use super::{
    inherit_sources,
    sections::{self, RevisedSection},
};
use crate::{
    extractive::survey as extractive,
    kernel::{
        contract::Kernel,
        reply::{lenient, schema::SchemaBuilder},
        verdict::ReplyVerdict,
    },
    prompt::{fence, line, origin, shown_outline, words},
};

pub(super) struct FeedbackKernel<'a> {
    pub brief: &'a Arc<SurveyBrief>,
    pub outline: &'a Outline,
    pub digests: &'a [SourceDigest],
}

/// A suggestion, and the outline after following the suggestion.
#[derive(Deserialize, JsonSchema)]
pub(super) struct SuggestionReply {
    #[serde(default, deserialize_with = "lenient::text")]
    pub suggestion: String,
    pub sections: Vec<RevisedSection>,
}

/// The schema of a reply with a suggestion and with sections continuing the sections of `outlines`.
pub(super) fn suggestion_schema<'a>(
    schema: SchemaBuilder,
    brief: &SurveyBrief,
    outlines: impl IntoIterator<Item = &'a Outline>,
) -> SchemaBuilder {
    let mut origins: Vec<_> =
        outlines.into_iter().flat_map(Outline::walk).filter_map(|placed| placed.section.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let origins = origins.iter().map(ToString::to_string).chain(["new".to_owned()]);
    sections::sections_schema(schema, brief)
        .words("suggestion", words(brief.limits.suggestion, brief.language))
        .offer("sections[].origin", origins)
}

impl Kernel for FeedbackKernel<'_> {
    type Reply = SuggestionReply;
    type Product = SurveyProduct;

    fn context(&self) -> Value {
        let digests: Vec<_> = self.digests.iter().map(|digest| fence(&shown(digest))).collect();
        let outline = fence(&shown_outline(self.outline, origin));
        sections::context(self.brief, context! { outline, digests => digests.join("\n") })
    }

    fn schema(&self) -> serde_json::Value {
        suggestion_schema(SchemaBuilder::of::<SuggestionReply>(), self.brief, [self.outline]).done()
    }

    fn reply_tokens(&self) -> u32 {
        sections::reply_tokens(self.brief) + self.brief.limits.suggestion * 3 / 2
    }

    fn check(&self, reply: SuggestionReply) -> ReplyVerdict<SurveyProduct> {
        let ancestors = inherit_sources::ancestors(self.outline, origin);
        sections::candidate(&reply.suggestion, reply.sections, &ancestors, self.brief.limits)
    }

    fn fallback(&self) -> SurveyProduct {
        SurveyProduct::Candidate(extractive::revise::feedback(self.outline, self.digests, self.brief))
    }
}

/// A source's digest: its title, a line for each note, its suggestion.
fn shown(digest: &SourceDigest) -> String {
    let notes = digest.digest.notes.iter().map(|(section, note)| format!("{section}: {}", line(&note.text)));
    let suggestion = line(&digest.digest.suggestion);
    let suggestion = (!suggestion.is_empty()).then(|| format!("> {suggestion}"));
    std::iter::once(line(&digest.source.title)).chain(notes).chain(suggestion).collect::<Vec<_>>().join("\n")
}
