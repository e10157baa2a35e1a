use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use futures::FutureExt as _;
use tokio::{sync::broadcast, task::JoinHandle};

use super::{super::permit::CallOutcome, *};
use crate::testing::Way;

/// A provider that counts, and the workers that call it.
struct Provider {
    limits: RateLimits,
    all: broadcast::Sender<Bytes>,
    in_flight: AtomicU64,
    most: AtomicU64,
    minute: Mutex<VecDeque<(Instant, u64)>>,
    most_requests: AtomicU64,
    most_tokens: AtomicU64,
    calls: AtomicU64,
}

struct Worker {
    throttle: Arc<SharedThrottle>,
    is_cut: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    work: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Ends as a process does that is killed: nobody is told.
    fn kill(self) {
        self.is_cut.store(true, Relaxed);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.work.iter().for_each(JoinHandle::abort);
    }
}

impl Provider {
    fn new(in_flight: u32, requests: u32, tokens: u64) -> Arc<Self> {
        let limits = RateLimits {
            in_flight: Some(in_flight),
            requests_per_minute: Some(requests),
            tokens_per_minute: Some(tokens),
        };
        Arc::new(Self {
            limits,
            all: broadcast::channel(4096).0,
            in_flight: AtomicU64::new(0),
            most: AtomicU64::new(0),
            minute: Mutex::default(),
            most_requests: AtomicU64::new(0),
            most_tokens: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        })
    }

    /// A worker that has always more to ask, with calls of so many milliseconds.
    fn worker(self: &Arc<Self>, millis: u64, tokens: u64) -> Worker {
        let is_cut = Arc::new(AtomicBool::new(false));
        let way = Way { all: self.all.clone(), is_cut: is_cut.clone() };
        let throttle = Arc::new(SharedThrottle::join("model", self.limits, Arc::new(way)));
        let calls = Arc::new(AtomicU64::new(0));
        let work = Vec::from_iter((0..20).map(|_| {
            let (provider, throttle, calls) = (self.clone(), throttle.clone(), calls.clone());
            tokio::spawn(async move {
                loop {
                    let permit = throttle.admit(tokens).await;
                    let call = provider.enter(tokens);
                    calls.fetch_add(1, Relaxed);
                    sleep(Duration::from_millis(millis / 2 + rand::random_range(0..=millis))).await;
                    drop(call);
                    permit.done(CallOutcome::Ok);
                }
            })
        }));
        Worker { throttle, is_cut, calls, work }
    }

    fn enter(self: &Arc<Self>, tokens: u64) -> impl Drop + use<> {
        struct Call(Arc<Provider>);
        impl Drop for Call {
            fn drop(&mut self) {
                self.0.in_flight.fetch_sub(1, Relaxed);
            }
        }
        let now = Instant::now();
        let mut minute = self.minute.lock().unwrap();
        minute.push_back((now, tokens));
        minute.retain(|(at, _)| now.duration_since(*at) < Duration::from_secs(60));
        self.most_requests.fetch_max(minute.len() as u64, Relaxed);
        self.most_tokens.fetch_max(minute.iter().map(|(_, tokens)| tokens).sum(), Relaxed);
        self.most.fetch_max(self.in_flight.fetch_add(1, Relaxed) + 1, Relaxed);
        self.calls.fetch_add(1, Relaxed);
        Call(self.clone())
    }

    #[track_caller]
    fn check(&self) {
        let most = [&self.most, &self.most_requests, &self.most_tokens].map(|most| most.load(Relaxed));
        let is_kept = |most: u64, limit: u64| limit == 0 || most <= limit;
        let requests = u64::from(self.limits.requests_per_minute.unwrap());
        assert!(is_kept(most[0], self.limits.in_flight.unwrap().into()), "{most:?}");
        assert!(is_kept(most[1], requests), "{most:?}");
        assert!(is_kept(most[2], self.limits.tokens_per_minute.unwrap()), "{most:?}");
    }

    /// Calls made within so many seconds.
    async fn calls_in(&self, seconds: u64) -> u64 {
        let before = self.calls.load(Relaxed);
        sleep(Duration::from_secs(seconds)).await;
        self.check();
        self.calls.load(Relaxed) - before
    }
}

#[tokio::test(start_paused = true)]
async fn one_alone_has_the_whole_of_it() {
    let provider = Provider::new(16, 0, 0);
    let worker = provider.worker(1000, 10);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(worker.throttle.snapshot().allowed, Some(16));
    assert!(provider.calls_in(10).await > 120);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nobody_waits_for_others() {
    let provider = Provider::new(0, 0, 0);
    let way = Way { all: provider.all.clone(), is_cut: Arc::new(AtomicBool::new(true)) };
    let throttle = SharedThrottle::join("model", provider.limits, Arc::new(way));
    sleep(Duration::from_secs(60)).await;
    assert!(throttle.admit(1).now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn those_who_come_wait_for_calls_that_last_long() {
    let provider = Provider::new(16, 0, 0);
    let mut workers = vec![provider.worker(60_000, 10)];
    for _ in 1..8 {
        sleep(Duration::from_secs(7)).await;
        workers.push(provider.worker(60_000, 10));
        provider.check();
    }
    provider.calls_in(300).await;
    assert_eq!(provider.in_flight.load(Relaxed), 16, "all of it is used");
    let allowed: Vec<_> = workers.iter().map(|worker| worker.throttle.snapshot().allowed.unwrap()).collect();
    assert_eq!(allowed, [2; 8]);
}

#[tokio::test(start_paused = true)]
async fn workers_come_and_go_within_all_limits() {
    let provider = Provider::new(16, 600, 30_000);
    let mut workers: Vec<Worker> = Vec::new();
    for _ in 0..60 {
        match rand::random_range(0..4) {
            0 | 1 if workers.len() < 10 => workers.push(provider.worker(800, 40)),
            2 if workers.len() > 1 => drop(workers.swap_remove(rand::random_range(0..workers.len()))),
            3 if workers.len() > 1 => workers.swap_remove(rand::random_range(0..workers.len())).kill(),
            _ => {}
        }
        // Who goes has been heard by one who stays: what it used is remembered.
        sleep(Duration::from_millis(rand::random_range(3000..20_000))).await;
        provider.check();
    }
    workers.push(provider.worker(800, 40));
    sleep(Duration::from_secs(140)).await;
    let calls = provider.calls_in(122).await;
    assert!(calls > 950, "{calls} calls of 1200");
}

#[tokio::test(start_paused = true)]
async fn where_a_ceiling_is_too_low_for_all_everybody_has_a_turn() {
    for (in_flight, requests, tokens) in [(3, 0, 0), (0, 5, 0), (0, 0, 1000)] {
        let provider = Provider::new(in_flight, requests, tokens);
        let workers: Vec<_> = (0..8).map(|_| provider.worker(3000, 400)).collect();
        provider.calls_in(1200).await;
        let calls: Vec<_> = workers.iter().map(|worker| worker.calls.load(Relaxed)).collect();
        assert!(calls.iter().all(|calls| *calls > 0), "{in_flight} {requests} {tokens}: {calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_cut_off_stops_and_the_others_take_its_share() {
    let provider = Provider::new(16, 0, 0);
    let workers: Vec<_> = (0..4).map(|_| provider.worker(600, 10)).collect();
    provider.calls_in(10).await;
    workers[0].is_cut.store(true, Relaxed);
    provider.calls_in(10).await;
    assert!(workers[0].throttle.admit(1).now_or_never().is_none());
    assert!(workers[1].throttle.snapshot().allowed.unwrap() >= 5);
    workers[0].is_cut.store(false, Relaxed);
    provider.calls_in(10).await;
    assert!(workers.iter().all(|worker| worker.throttle.snapshot().allowed == Some(4)));
}

#[tokio::test(start_paused = true)]
async fn an_outage_stops_all_and_its_end_brings_all_back() {
    let provider = Provider::new(16, 600, 0);
    let workers: Vec<_> = (0..4).map(|_| provider.worker(600, 10)).collect();
    provider.calls_in(10).await;
    workers.iter().for_each(|worker| worker.is_cut.store(true, Relaxed));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(provider.calls_in(10).await, 0);
    for worker in &workers {
        worker.is_cut.store(false, Relaxed);
        sleep(Duration::from_millis(300)).await;
    }
    assert!(provider.calls_in(61).await > 400);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_to_one_slows_all_once() {
    let provider = Provider::new(16, 0, 0);
    let ways: Vec<_> = (0..2)
        .map(|_| Way { all: provider.all.clone(), is_cut: Arc::default() })
        .map(|way| SharedThrottle::join("model", provider.limits, Arc::new(way)))
        .collect();
    sleep(Duration::from_secs(5)).await;
    let mut permits = Vec::new();
    for _ in 0..8 {
        permits.push(ways[0].admit(1).await);
    }
    // One burst, though its answers take their time.
    for permit in permits {
        permit.done(CallOutcome::RateLimited { retry_after: Some(Duration::from_secs(30)) });
        sleep(Duration::from_millis(700)).await;
    }
    for way in &ways {
        let snapshot = way.snapshot();
        assert_eq!(snapshot.allowed, Some(4));
        assert!(snapshot.paused > Duration::from_secs(19), "{snapshot:?}");
    }
}
