//! Runs that are broken off, and run again.
//!
//! What is promised: a reply that has reached the program is never asked for again, since it is kept before anything is
//! done with it. Only replies that are on their way in the moment of a kill are lost, at most one for each call in
//! flight. Where the program is asked to stop, it takes those in too.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tributary_tests::{
    process::{Running, Tributary, wait_until},
    simulated::{Settings, SimulatedModel},
};

use crate::common::{Desk, check_same, undisturbed};

const CONCURRENCY: u64 = 8;

/// A model slow enough to be interrupted.
fn slow() -> SimulatedModel {
    SimulatedModel::start(Settings { latency_mean: 0.01, ..Settings::default() })
}

fn command(desk: &Desk, model: &SimulatedModel) -> Tributary {
    desk.run().args(["--concurrency", &CONCURRENCY.to_string()]).asking(model)
}

/// Starts a run and waits until the model has answered so many calls in all.
fn started(desk: &Desk, model: &SimulatedModel, answered: u64) -> Running {
    let mut running = command(desk, model).start();
    wait_until("so many calls are answered", || {
        assert!(running.is_running(), "it ended before {answered} calls were answered");
        model.stats().answered >= answered
    });
    running
}

fn nothing_in_flight(model: &SimulatedModel) {
    wait_until("the server has noticed that its caller is gone", || model.stats().in_flight == 0);
}

#[track_caller]
fn made_as_if_nothing_had_happened(desk: &Desk) {
    check_same(&desk.made(), &undisturbed().made);
}

#[test]
fn killed_at_any_moment_and_run_again_it_goes_on_where_it_was() {
    let all = undisturbed().stats.answered;
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for _ in 0..4 {
        let moment = rng.random_range(1..all * 9 / 10);
        let (desk, model) = (Desk::new(), slow());
        let ended = started(&desk, &model, moment).kill();
        assert_eq!(ended.code, None, "killed after {moment} replies");
        nothing_in_flight(&model);
        command(&desk, &model).run().with(0);
        made_as_if_nothing_had_happened(&desk);
        let stats = model.stats();
        assert_eq!(stats.answered_distinct, all, "killed after {moment} replies");
        assert!(stats.answered_again <= CONCURRENCY, "{} replies paid for twice", stats.answered_again);
    }
}

#[test]
fn killed_again_and_again_it_still_ends() {
    let all = undisturbed().stats.answered;
    let (desk, model) = (Desk::new(), slow());
    for kill in 1..=4 {
        started(&desk, &model, all * kill / 6).kill();
        nothing_in_flight(&model);
    }
    command(&desk, &model).run().with(0);
    made_as_if_nothing_had_happened(&desk);
    assert!(model.stats().answered_again <= 4 * CONCURRENCY);
}

#[test]
fn killed_while_no_reply_is_on_its_way_it_pays_for_nothing_twice() {
    let all = undisturbed().stats.answered;
    let (desk, model) = (Desk::new(), slow());
    let running = started(&desk, &model, all / 5);
    // From now on no call that comes in is answered. Who waits for one has taken in all replies before it, so once every
    // caller does, none is on its way.
    model.change(|settings| settings.stall_rate = 1.0);
    let before = model.stats();
    wait_until("every caller waits", || model.stats().received == before.received + CONCURRENCY);
    assert!(before.answered < all);
    running.kill();
    nothing_in_flight(&model);
    model.change(|settings| settings.stall_rate = 0.0);
    command(&desk, &model).run().with(0);
    made_as_if_nothing_had_happened(&desk);
    let stats = model.stats();
    assert_eq!((stats.answered_again, stats.answered_distinct), (0, all));
}

#[test]
fn interrupted_it_ends_with_130_and_the_same_command_goes_on() {
    let all = undisturbed().stats.answered;
    let (desk, model) = (Desk::new(), slow());
    let running = started(&desk, &model, all / 3);
    running.interrupt();
    let ended = running.wait().with(130);
    ended.tells("stopping: calls that are under way may end").tells("the state is kept");
    assert_eq!(ended.stdout, "");
    assert!(!desk.out().join("md").exists(), "half an article");
    command(&desk, &model).run().with(0);
    made_as_if_nothing_had_happened(&desk);
    assert_eq!(model.stats().answered_again, 0);
}

#[test]
fn interrupted_twice_it_leaves_at_once_whatever_hangs() {
    let (desk, model) = (Desk::new(), SimulatedModel::start(Settings { stall_rate: 1.0, ..Settings::default() }));
    let running = command(&desk, &model).start();
    wait_until("a call hangs", || model.stats().in_flight > 0);
    running.interrupt();
    running.interrupt();
    running.wait().with(130);
}

#[test]
fn a_refused_key_ends_with_3_and_the_same_command_goes_on_once_it_is_taken() {
    let all = undisturbed().stats.answered;
    let (desk, model) = (Desk::new(), slow());
    model.change(|settings| settings.key = Some("sk-right".to_owned()));
    let run = |key: &str| command(&desk, &model).env("OPENAI_API_KEY", key);
    let ended = run("sk-wrong").run().with(3);
    ended.tells("Incorrect API key provided").tells("the state is kept");
    assert!(!ended.stderr.contains("sk-wrong"), "a key is told: {ended}");
    assert_eq!(model.stats().answered, 0);
    // A key that is withdrawn in the middle.
    let running = run("sk-right").start();
    wait_until("a third is done", || model.stats().answered >= all / 3);
    model.change(|settings| settings.key = Some("sk-other".to_owned()));
    running.wait().with(3).tells("the state is kept");
    assert!(model.stats().answered < all);
    model.change(|settings| settings.key = Some("sk-right".to_owned()));
    run("sk-right").run().with(0);
    made_as_if_nothing_had_happened(&desk);
    assert_eq!((model.stats().answered_again, model.stats().answered), (0, all));
}

#[test]
fn run_again_a_finished_job_asks_nothing_and_fresh_asks_only_its_memory() {
    let (desk, model) = (Desk::new(), SimulatedModel::start(Settings::default()));
    command(&desk, &model).run().with(0);
    let (first, received) = (desk.made(), model.stats().received);
    command(&desk, &model).run().with(0);
    made_as_if_nothing_had_happened(&desk);
    assert_eq!(model.stats().received, received);
    assert_eq!(desk.made().report["total"], first.report["total"], "the cost is that of all runs together");
    command(&desk, &model).args(["--fresh"]).run().with(0);
    made_as_if_nothing_had_happened(&desk);
    assert_eq!(model.stats().received, received, "no call is paid for twice");
    let made = desk.made();
    assert_eq!(made.number("/total/calls"), 0.0);
    assert!(made.number("/total/calls_from_cache") >= first.number("/total/calls"));
}

#[test]
fn two_runs_at_a_time_on_one_folder_do_not_meddle_with_each_other() {
    let (desk, model) = (Desk::new(), slow());
    let first = started(&desk, &model, 5);
    let second = command(&desk, &model).run().with(1);
    second.tells("in use");
    first.wait().with(0);
    made_as_if_nothing_had_happened(&desk);
}
