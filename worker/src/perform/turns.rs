//! Equal calls one after another: the second finds the first one's reply.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as Turnstile, OwnedMutexGuard};
use tributary_protocol::id::CallId;

#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<CallId, Arc<Turnstile<()>>>>>);

/// The right to make a call, until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    call: CallId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    pub async fn of(&self, call: CallId) -> Turn {
        let turnstile = {
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(call).or_default())
        };
        // The turn is there before its guard, so that giving up the wait cleans up as well.
        let mut turn = Turn { turns: self.clone(), call, guard: None };
        turn.guard = Some(turnstile.lock_owned().await);
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.guard = None;
        let mut open = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever else wants this turn holds the turnstile too.
        if open.get(&self.call).is_some_and(|turnstile| Arc::strong_count(turnstile) == 1) {
            open.remove(&self.call);
        }
    }
}
