//! The outages of models, as met by this worker's calls.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

/// The latest answers and failures of each model.
#[derive(Default)]
pub(crate) struct ModelOutages(Mutex<HashMap<String, OutageRecord>>);

/// The latest answer of a model, and the failures since then.
#[derive(Default)]
struct OutageRecord {
    answered: Option<Instant>,
    /// The outage was logged.
    is_logged: bool,
    /// The latest tiny call without an answer.
    tried_in_vain: Option<Instant>,
}

impl ModelOutages {
    /// Records an answer, the end of any outage.
    pub fn answered(&self, model: &str) {
        let record = OutageRecord { answered: Some(Instant::now()), ..OutageRecord::default() };
        self.records().insert(model.to_owned(), record);
    }

    pub fn has_answered(&self, model: &str) -> bool {
        self.records().get(model).is_some_and(|record| record.answered.is_some())
    }

    pub fn has_answered_since(&self, model: &str, since: Instant) -> bool {
        self.records().get(model).is_some_and(|record| record.answered.is_some_and(|answered| answered >= since))
    }

    /// Records a tiny call without an answer.
    pub fn tried_in_vain(&self, model: &str) {
        self.records().entry(model.to_owned()).or_default().tried_in_vain = Some(Instant::now());
    }

    /// Reports whether a tiny call went without an answer since then, and no call was answered after that.
    pub fn was_tried_in_vain_since(&self, model: &str, since: Instant) -> bool {
        self.records().get(model).is_some_and(|record| record.tried_in_vain.is_some_and(|tried| tried >= since))
    }

    /// Records a failure. True for the first failure since the model answered.
    pub fn begins(&self, model: &str) -> bool {
        !std::mem::replace(&mut self.records().entry(model.to_owned()).or_default().is_logged, true)
    }

    fn records(&self) -> MutexGuard<'_, HashMap<String, OutageRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
