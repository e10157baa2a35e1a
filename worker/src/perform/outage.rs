//! Telling a model that is out of order from calls that have bad luck.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

/// By model, when it last answered, and what is known since: whether people have been told that it doesn't, and when a tiny
/// call was made in vain.
#[derive(Default)]
pub(super) struct Outages(Mutex<HashMap<String, Calls>>);

#[derive(Default)]
struct Calls {
    answered: Option<Instant>,
    is_told: bool,
    in_vain: Option<Instant>,
}

impl Outages {
    pub fn answered(&self, model: &str) {
        self.of_models().insert(model.to_owned(), Calls { answered: Some(Instant::now()), ..Calls::default() });
    }

    /// Whether it has ever answered.
    pub fn has_answered(&self, model: &str) -> bool {
        self.of_models().get(model).is_some_and(|calls| calls.answered.is_some())
    }

    /// Whether it has answered anything since then.
    pub fn has_answered_since(&self, model: &str, since: Instant) -> bool {
        self.of_models().get(model).is_some_and(|calls| calls.answered.is_some_and(|answered| answered >= since))
    }

    /// A tiny call was not answered.
    pub fn tried_in_vain(&self, model: &str) {
        self.of_models().entry(model.to_owned()).or_default().in_vain = Some(Instant::now());
    }

    /// Whether one was not answered since then, and nothing after it.
    pub fn was_tried_in_vain_since(&self, model: &str, since: Instant) -> bool {
        self.of_models().get(model).is_some_and(|calls| calls.in_vain.is_some_and(|tried| tried >= since))
    }

    /// Whether this failure is the first since it answered.
    pub fn begins(&self, model: &str) -> bool {
        !std::mem::replace(&mut self.of_models().entry(model.to_owned()).or_default().is_told, true)
    }

    fn of_models(&self) -> MutexGuard<'_, HashMap<String, Calls>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
