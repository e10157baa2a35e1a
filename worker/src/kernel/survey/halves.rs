//! Work on a list of items, in two halves.

use std::sync::Arc;

use tributary_protocol::{
    survey::{SurveyBrief, SurveyWork},
    task::Work,
};

use crate::kernel::contract::HalfWork;

/// Items in two halves, each a piece of work without blobs; None where there is but one item.
pub(super) fn halved<T: Clone>(
    brief: &Arc<SurveyBrief>,
    items: &[T],
    work: impl Fn(Vec<T>) -> SurveyWork,
) -> Option<[HalfWork; 2]> {
    let (one, other) = items.split_at(items.len() / 2);
    let half =
        |items: &[T]| HalfWork { work: Work::Survey(Arc::clone(brief), work(items.to_vec())), blobs: Vec::new() };
    (!one.is_empty()).then(|| [half(one), half(other)])
}
