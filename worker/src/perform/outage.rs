//! Telling a model that is out of order from calls that had bad luck.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// By model, what became of its calls.
#[derive(Default)]
pub(super) struct Outages(Mutex<HashMap<String, Calls>>);

#[derive(Default)]
struct Calls {
    has_answered: bool,
    /// Tasks in a row that no answer came to.
    unanswered: u32,
}

impl Outages {
    pub fn answered(&self, model: &str) {
        self.of_models().insert(model.to_owned(), Calls { has_answered: true, unanswered: 0 });
    }

    /// Whether it has answered anything yet.
    pub fn has_answered(&self, model: &str) -> bool {
        self.of_models().get(model).is_some_and(|calls| calls.has_answered)
    }

    /// One more task went without an answer; returns how many in a row did.
    pub fn unanswered(&self, model: &str) -> u32 {
        let mut models = self.of_models();
        let calls = models.entry(model.to_owned()).or_default();
        calls.unanswered = calls.unanswered.saturating_add(1);
        calls.unanswered
    }

    fn of_models(&self) -> MutexGuard<'_, HashMap<String, Calls>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
