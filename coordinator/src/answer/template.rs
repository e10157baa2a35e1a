//! The request for answers, before the corpus is read.

use tributary_protocol::{
    answer::{AnswerRequest, AnswerSettings},
    job::Request,
    settings::JobSettings,
};

use super::budget::AnswerBudget;
use crate::prepare::{Reading, RequestTemplate};

/// A question to put to all inputs.
#[derive(Clone, Debug)]
pub struct AnswerTemplate {
    pub question: String,
    pub settings: AnswerSettings,
}

impl RequestTemplate for AnswerTemplate {
    fn reading(&self, settings: &JobSettings) -> Reading {
        Reading {
            // The card of a source names it in the answer; no prompt shows its lead.
            lead_tokens: 0,
            chunk_tokens: AnswerBudget::new(settings.window).chunk.min(self.settings.chunk),
            as_one_corpus: true,
        }
    }

    /// Makes the request. The question names the job, so the corpus' title doesn't matter.
    fn request(&self, _title: String) -> Request {
        AnswerRequest::new(self.question.clone(), self.settings).into()
    }
}
