//! Candidates and their scores.

use std::sync::Arc;

use tributary_protocol::survey::{
    SurveyProduct,
    suggestion::{Candidate, OutlineScore},
};

/// The best candidate and its score; none where no feedback led to any.
pub(crate) struct Leader<'a>(pub(crate) Option<(&'a Arc<Candidate>, f64)>);

/// Without a product a member of the field stands for it: the first, which is the strongest where members are scored.
pub(super) fn candidate_or(product: Option<SurveyProduct>, first: &Arc<Candidate>) -> Arc<Candidate> {
    match product {
        Some(SurveyProduct::Candidate(candidate)) => Arc::new(candidate),
        _ => first.clone(),
    }
}

/// What no judge has judged counts as the worst.
pub(crate) fn score_of(product: Option<SurveyProduct>) -> f64 {
    match product {
        Some(SurveyProduct::Score(score)) => OutlineScore::value(score),
        _ => 0.0,
    }
}
