//! Telling a model that is out of order from calls that have bad luck.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

/// By model, when it last answered, and whether people have been told that it doesn't since.
#[derive(Default)]
pub(super) struct Outages(Mutex<HashMap<String, Calls>>);

#[derive(Default)]
struct Calls {
    answered: Option<Instant>,
    is_told: bool,
}

impl Outages {
    pub fn answered(&self, model: &str) {
        self.of_models().insert(model.to_owned(), Calls { answered: Some(Instant::now()), is_told: false });
    }

    /// Whether it has ever answered.
    pub fn has_answered(&self, model: &str) -> bool {
        self.of_models().get(model).is_some_and(|calls| calls.answered.is_some())
    }

    /// Whether it has answered anything since then.
    pub fn has_answered_since(&self, model: &str, since: Instant) -> bool {
        self.of_models().get(model).is_some_and(|calls| calls.answered.is_some_and(|answered| answered >= since))
    }

    /// Whether it has failed since it last answered.
    pub fn is_away(&self, model: &str) -> bool {
        self.of_models().get(model).is_some_and(|calls| calls.is_told)
    }

    /// Whether this failure is the first since it answered.
    pub fn begins(&self, model: &str) -> bool {
        !std::mem::replace(&mut self.of_models().entry(model.to_owned()).or_default().is_told, true)
    }

    fn of_models(&self) -> MutexGuard<'_, HashMap<String, Calls>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
