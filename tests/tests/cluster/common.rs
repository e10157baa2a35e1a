//! What the tests share.

use std::{
    env,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tributary_tests::{cluster::Cluster, corpus::Corpus};

/// The corpus of most tests, small enough to be quick and large enough to have all stages; or the one in the JSONL file
/// that `TRIBUTARY_TEST_CORPUS` names.
pub fn corpus() -> Corpus {
    match env::var_os("TRIBUTARY_TEST_CORPUS") {
        Some(path) => Corpus::read(Path::new(&path)),
        None => Corpus::new("Six Trades", 24, 400, 1),
    }
}

/// What the environment sets in a test's place.
pub fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// A handful of processes each: one test at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until nothing of any job is left on the broker.
#[track_caller]
pub fn check_nothing_left(cluster: &Cluster) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let left = cluster.leftovers();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "there is left: {left:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
