use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::{FutureExt, future::join_all};
use tokio::time::{advance, sleep};

use super::{super::minute::WINDOW, *};

fn throttle(in_flight: u32, requests_per_minute: u32, tokens_per_minute: u64) -> LocalThrottle {
    LocalThrottle::new(RateLimits {
        in_flight: Some(in_flight),
        requests_per_minute: Some(requests_per_minute),
        tokens_per_minute: Some(tokens_per_minute),
    })
}

async fn admit_many(throttle: &LocalThrottle, count: usize) -> Vec<CallPermit> {
    join_all((0..count).map(|_| throttle.admit(1))).await
}

/// Whether a call would be admitted without any waiting.
fn is_free(throttle: &LocalThrottle) -> bool {
    throttle.admit(1).now_or_never().is_some()
}

fn refuse(permit: CallPermit, seconds: u64) {
    permit.done(CallOutcome::RateLimited { retry_after: Some(Duration::from_secs(seconds)) });
}

#[tokio::test(start_paused = true)]
async fn no_limit_lets_all_pass() {
    let throttle = LocalThrottle::new(RateLimits::default());
    let _permits = admit_many(&throttle, 1000).await;
    assert_eq!(throttle.snapshot(), ThrottleSnapshot { in_flight: 1000, allowed: None, paused: Duration::ZERO });
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_in_flight_than_the_ceiling() {
    let throttle = throttle(4, 0, 0);
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    join_all((0..40).map(|_| async {
        let permit = throttle.admit(1).await;
        most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        running.fetch_sub(1, Ordering::Relaxed);
        permit.done(CallOutcome::Ok);
    }))
    .await;
    assert_eq!(most.into_inner(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_came_first_is_served_first() {
    let throttle = throttle(1, 0, 0);
    let served = Mutex::new(Vec::new());
    join_all((0..20).map(|number| {
        let (throttle, served) = (&throttle, &served);
        async move {
            let permit = throttle.admit(20 - number).await;
            served.lock().unwrap().push(number);
            sleep(Duration::from_millis(1)).await;
            permit.done(CallOutcome::Ok);
        }
    }))
    .await;
    assert_eq!(served.into_inner().unwrap(), (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_minute_has_no_more_requests_than_the_limit() {
    let throttle = throttle(0, 3, 0);
    let start = Instant::now();
    let mut admitted = Vec::new();
    for _ in 0..7 {
        throttle.admit(1).await.done(CallOutcome::Ok);
        admitted.push(start.elapsed());
    }
    let window = WINDOW;
    let expected = [0, 0, 0, 1, 1, 1, 2].map(|windows| window * windows);
    assert!(
        admitted.iter().zip(expected).all(|(at, from)| *at >= from && *at < from + Duration::from_secs(1)),
        "{admitted:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_minute_has_no_more_tokens_than_the_limit_and_a_giant_has_one_alone() {
    let throttle = throttle(0, 0, 100);
    let start = Instant::now();
    for (tokens, windows) in [(60, 0), (40, 0), (500, 1), (10, 2)] {
        throttle.admit(tokens).await.done(CallOutcome::Ok);
        assert_eq!(start.elapsed().as_secs(), windows * WINDOW.as_secs(), "{tokens} tokens");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_all_callers_wait_as_long_as_the_provider_asks() {
    let throttle = throttle(8, 0, 0);
    refuse(throttle.admit(1).await, 17);
    let mut waiting = pin!(throttle.admit(1));
    assert!(waiting.as_mut().now_or_never().is_none());
    let start = Instant::now();
    let _permit = waiting.await;
    assert_eq!(start.elapsed().as_secs(), 17);
}

#[tokio::test(start_paused = true)]
async fn a_later_refusal_makes_those_who_wait_already_wait_longer() {
    let throttle = throttle(8, 0, 0);
    let (first, second) = (throttle.admit(1).await, throttle.admit(1).await);
    refuse(first, 5);
    let mut waiting = pin!(throttle.admit(1));
    assert!(waiting.as_mut().now_or_never().is_none());
    refuse(second, 30);
    let start = Instant::now();
    let _permit = waiting.await;
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn refusals_of_one_burst_halve_the_allowance_once() {
    let throttle = throttle(16, 0, 0);
    for permit in admit_many(&throttle, 16).await {
        refuse(permit, 1);
    }
    assert_eq!(throttle.snapshot().allowed, Some(8));
}

#[tokio::test(start_paused = true)]
async fn the_allowance_never_falls_below_one() {
    let throttle = throttle(4, 0, 0);
    for _ in 0..5 {
        refuse(throttle.admit(1).await, 1);
    }
    assert_eq!(throttle.snapshot().allowed, Some(1));
    throttle.admit(1).await.done(CallOutcome::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn each_window_of_successes_adds_one_up_to_the_ceiling() {
    let throttle = throttle(4, 0, 0);
    for permit in admit_many(&throttle, 4).await {
        refuse(permit, 0);
    }
    let mut allowed = Vec::new();
    for _ in 0..8 {
        throttle.admit(1).await.done(CallOutcome::Ok);
        allowed.push(throttle.snapshot().allowed.unwrap());
    }
    assert_eq!(allowed, [2, 3, 3, 3, 4, 4, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_a_refusal_halves_what_was_in_flight() {
    let throttle = LocalThrottle::new(RateLimits::default());
    for permit in admit_many(&throttle, 10).await {
        refuse(permit, 0);
    }
    assert_eq!(throttle.snapshot().allowed, Some(5));
}

#[tokio::test(start_paused = true)]
async fn refusals_in_a_row_that_name_no_time_pause_ever_longer() {
    let throttle = throttle(4, 0, 0);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        throttle.admit(1).await.done(CallOutcome::RateLimited { retry_after: None });
        pauses.push(throttle.snapshot().paused.as_secs());
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_dropped_makes_room() {
    let throttle = throttle(1, 0, 0);
    drop(throttle.admit(1).await);
    assert!(is_free(&throttle));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_in_line_blocks_nobody() {
    let throttle = throttle(1, 0, 0);
    let permit = throttle.admit(1).await;
    {
        let mut gives_up = pin!(throttle.admit(1));
        assert!(gives_up.as_mut().now_or_never().is_none());
    }
    permit.done(CallOutcome::Ok);
    assert!(is_free(&throttle));
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_with_time_alone() {
    let throttle = throttle(4, 0, 0);
    refuse(throttle.admit(1).await, 3);
    assert!(!is_free(&throttle));
    advance(Duration::from_secs(3)).await;
    assert!(is_free(&throttle));
}
