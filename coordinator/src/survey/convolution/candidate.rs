//! Candidates and their scores.

use std::sync::Arc;

use tributary_protocol::survey::{
    SurveyProduct,
    suggestion::{Candidate, OutlineScore},
};

/// The best candidate and its score; none if no feedback led to a candidate.
pub(crate) struct Leader<'a>(pub(crate) Option<(&'a Arc<Candidate>, f64)>);

/// Returns the product's candidate, or the field's first member in its place: the strongest, where members are scored.
pub(super) fn candidate_or(product: Option<SurveyProduct>, first: &Arc<Candidate>) -> Arc<Candidate> {
    match product {
        Some(SurveyProduct::Candidate(candidate)) => Arc::new(candidate),
        _ => first.clone(),
    }
}

/// Returns the score of a candidate; 0, the worst, without a product.
pub(crate) fn score_of(product: Option<SurveyProduct>) -> f64 {
    match product {
        Some(SurveyProduct::Score(score)) => OutlineScore::value(score),
        _ => 0.0,
    }
}
