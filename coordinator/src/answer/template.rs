//! What answers are asked for with, before the corpus is read.

use tributary_protocol::{
    answer::{AnswerRequest, AnswerSettings},
    job::Request,
    settings::JobSettings,
};

use super::budget::AnswerBudget;
use crate::prepare::{Reading, RequestTemplate};

/// The answer to a question over all that is read.
#[derive(Clone, Debug)]
pub struct AnswerTemplate {
    pub question: String,
    pub settings: AnswerSettings,
}

impl RequestTemplate for AnswerTemplate {
    fn reading(&self, settings: &JobSettings) -> Reading {
        Reading {
            // The card of a source names it in the answer; nobody reads its lead.
            lead_tokens: 0,
            chunk_tokens: AnswerBudget::new(settings.window).chunk.min(self.settings.chunk),
            as_one_corpus: true,
        }
    }

    /// The corpus' own title doesn't matter: the question names the job.
    fn request(&self, _title: String) -> Request {
        AnswerRequest::new(self.question.clone(), self.settings).into()
    }
}
