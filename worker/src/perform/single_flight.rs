//! Single flight: of equal calls at the same time only the first is made, and the others read its reply from the cache.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tributary_protocol::id::CallId;

/// The calls in flight in this process, each with a lock for equal calls.
#[derive(Clone, Default)]
pub(super) struct SingleFlight(Arc<Mutex<HashMap<CallId, Arc<AsyncMutex<()>>>>>);

/// The exclusive right to make a call, until dropped.
pub(super) struct FlightTurn {
    flights: SingleFlight,
    call: CallId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl SingleFlight {
    /// Waits until no equal call is in flight.
    pub async fn turn(&self, call: CallId) -> FlightTurn {
        let lock = {
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(call).or_default())
        };
        // The turn exists before its guard, so a cancelled wait cleans up too.
        let mut turn = FlightTurn { flights: self.clone(), call, guard: None };
        turn.guard = Some(lock.lock_owned().await);
        turn
    }
}

impl Drop for FlightTurn {
    fn drop(&mut self) {
        self.guard = None;
        let mut open = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Everybody who waits for this call holds the lock too.
        if open.get(&self.call).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            open.remove(&self.call);
        }
    }
}
