//! Telling a model that is out of order from calls that had bad luck.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// By model, how many tasks in a row no answer came to.
#[derive(Default)]
pub(super) struct Outages(Mutex<HashMap<String, u32>>);

impl Outages {
    pub fn answered(&self, model: &str) {
        let mut unanswered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = unanswered.get_mut(model) {
            *count = 0;
        }
    }

    /// One more task went without an answer; returns how many in a row did.
    pub fn unanswered(&self, model: &str) -> u32 {
        let mut unanswered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = unanswered.entry(model.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count
    }
}
