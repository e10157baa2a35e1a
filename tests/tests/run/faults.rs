//! Models and servers at their worst.

use std::collections::BTreeMap;

use tributary_tests::{
    article::Made,
    simulated::{GarbageKind, Settings, SimulatedModel},
};

use crate::common::{Desk, check_sound, corpus};

/// Runs against a model with these faults; everything that holds of any article must hold of this one.
fn runs_to_a_sound_article(faults: Settings) -> Made {
    let desk = Desk::new();
    let model = SimulatedModel::start(faults);
    let run = desk.run().args(["--concurrency", "32"]).env("TRIBUTARY_TIMEOUTS__STALL", "1");
    run.asking(&model).run().with(0);
    let (made, stats) = (desk.made(), model.stats());
    check_sound(&made, corpus());
    assert!(made.number("/total/degraded") <= made.degraded().len() as f64, "every degraded task has its line");
    assert_eq!(stats.answered_again, 0, "no good reply is asked for twice");
    assert_eq!(stats.in_flight, 0);
    let calls: f64 = ["calls", "calls_failed"].iter().map(|name| made.number(&format!("/total/{name}"))).sum();
    assert_eq!(calls, stats.received as f64, "the report has every call: {:?}", stats.failed);
    made
}

#[test]
fn with_a_fifth_of_calls_failing_and_a_fifth_of_replies_garbage_an_article_comes_of_it() {
    runs_to_a_sound_article(Settings { failure_rate: 0.2, garbage_rate: 0.2, seed: 1, ..Settings::default() });
}

#[test]
fn with_every_kind_of_fault_at_once_an_article_comes_of_it() {
    let made = runs_to_a_sound_article(Settings {
        failure_rate: 0.05,
        garbage_rate: 0.4,
        cut_rate: 0.1,
        refusal_rate: 0.05,
        stall_rate: 0.01,
        latency_mean: 0.005,
        seed: 2,
        ..Settings::default()
    });
    // Half of all replies are bad: of the tasks, some have none that is good.
    assert!(made.degraded().len() > 3, "{:#?}", made.degraded());
    assert!(made.number("/citations/removed") > 0.0, "citations that nobody offered are counted");
}

#[test]
fn a_model_that_never_makes_sense_still_leaves_an_article_and_every_unit_in_the_report() {
    let desk = Desk::new();
    let garbage_kinds = vec![GarbageKind::NotJson, GarbageKind::EmptyChoices, GarbageKind::NullContent];
    let model = SimulatedModel::start(Settings { garbage_rate: 1.0, garbage_kinds, ..Settings::default() });
    desk.run().asking(&model).run().with(0);
    let made = desk.made();
    check_sound(&made, corpus());
    assert_eq!(made.degraded().len() as f64, made.number("/total/tasks"), "every task had to do without the model");
    let mut units = BTreeMap::new();
    for unit in made.degraded() {
        *units.entry((unit["stage"].to_string(), unit["unit"].to_string(), unit["reason"].to_string())).or_insert(0) +=
            1;
    }
    assert!(units.values().all(|times| *times == 1), "no unit is told of twice: {units:#?}");
}
