//! Runs with a model that does nothing wrong.

use tributary_tests::{
    article::Made,
    simulated::{SchemaSupport, Settings, SimulatedModel},
};

use crate::common::{Desk, STAGES, check_sound, corpus, undisturbed};

#[test]
fn all_stages_run_and_every_citation_resolves() {
    let run = undisturbed();
    check_sound(&run.made, corpus());
    only_what_was_too_long_is_degraded(&run.made);
    for stage in STAGES {
        assert!(run.made.number(&format!("/stages/{stage}/tasks")) > 0.0, "{stage} had no task");
        assert!(run.made.number(&format!("/stages/{stage}/calls")) > 0.0, "{stage} made no call");
        run.ended.tells(&format!("{stage}: "));
    }
}

/// The simulated model makes the most of every bound that a schema has, so a section may outgrow its ceiling twice.
#[track_caller]
fn only_what_was_too_long_is_degraded(made: &Made) {
    for unit in made.degraded() {
        assert!(unit["reason"].as_str().unwrap().contains("cut off at its ceiling"), "{unit}");
    }
    let share = made.degraded().len() as f64 / made.number("/total/tasks");
    assert!(share < 0.1, "{share} of the tasks are degraded");
}

#[test]
fn the_report_tells_what_the_server_counted() {
    let run = undisturbed();
    let cut = run.stats.failed.get("cut").copied().unwrap_or_default();
    assert_eq!(run.stats.failures(), cut, "{:?}", run.stats.failed);
    assert_eq!(
        run.made.number("/total/calls"),
        (run.stats.answered + cut) as f64,
        "a reply that is cut off is paid for"
    );
    assert_eq!(run.made.number("/total/calls_failed"), 0.0);
    assert_eq!(run.made.number("/total/prompt_tokens"), run.stats.prompt_tokens as f64);
    assert_eq!(run.made.number("/total/prompt_tokens_cached"), run.stats.cached_tokens as f64);
    assert_eq!(run.made.number("/total/reply_tokens"), run.stats.reply_tokens as f64);
    assert_eq!(run.stats.answered_again, 0, "no call is paid for twice");
}

#[test]
fn a_server_that_knows_no_schema_is_found_out_by_the_first_calls() {
    for (support, steps) in [(SchemaSupport::JsonObject, 1.0), (SchemaSupport::None, 2.0)] {
        let desk = Desk::new();
        let model = SimulatedModel::start(Settings { schema_support: support, ..Settings::default() });
        desk.run().asking(&model).run().with(0);
        check_sound(&desk.made(), corpus());
        let refused = model.stats().failed["response_format"] as f64;
        // Sources are grouped and outlined at the same time: each of these calls may be refused, and none after them.
        let first = desk.made().number("/stages/group/tasks") + desk.made().number("/stages/outline/tasks");
        assert!((steps..=steps * first).contains(&refused), "{support:?}: {refused} of {first} first calls");
        only_what_was_too_long_is_degraded(&desk.made());
    }
}

#[test]
fn an_article_can_be_asked_for_in_chinese() {
    let desk = Desk::new();
    let model = SimulatedModel::start(Settings::default());
    desk.run().args(["--language", "zh", "--genre", "guide"]).asking(&model).run().with(0);
    check_sound(&desk.made(), corpus());
    assert_eq!(desk.made().report["settings"]["language"], "zh");
}
