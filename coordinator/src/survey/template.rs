//! The request for surveys, before the corpora are read.

use tributary_protocol::{
    job::Request,
    settings::JobSettings,
    survey::{SurveyRequest, SurveySettings},
};

use super::prompt_budget::chunk_room;
use crate::prepare::{Reading, RequestTemplate};

/// Articles with these settings, one for each corpus.
#[derive(Clone, Debug)]
pub struct SurveyTemplate(pub SurveySettings);

impl RequestTemplate for SurveyTemplate {
    fn reading(&self, settings: &JobSettings) -> Reading {
        Reading {
            lead_tokens: self.0.outline.lead_tokens,
            chunk_tokens: chunk_room(settings.window, &self.0),
            as_one_corpus: false,
        }
    }

    fn request(&self, title: String) -> Request {
        SurveyRequest::new(title, self.0.clone()).into()
    }
}
