//! What the tests share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tributary_tests::{cluster::Cluster, corpus::Corpus};

pub const SLUG: &str = "six-trades";

/// The corpus of most tests, small enough to be quick and large enough to have all stages.
pub fn corpus() -> Corpus {
    Corpus::new("Six Trades", 24, 400, 1)
}

/// A handful of processes each: one test at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until nothing of any job is left on the broker. It forgets a journal's reader that was killed after a minute.
#[track_caller]
pub fn check_nothing_left(cluster: &Cluster) {
    let deadline = Instant::now() + Duration::from_secs(150);
    loop {
        let left = cluster.leftovers();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "there is left: {left:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
