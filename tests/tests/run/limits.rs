//! Providers with ceilings.

use tributary_tests::simulated::{Settings, SimulatedModel};

use crate::common::{Desk, check_same, undisturbed};

fn narrow() -> SimulatedModel {
    SimulatedModel::start(Settings { max_in_flight: Some(4), latency_mean: 0.01, ..Settings::default() })
}

#[test]
fn a_ceiling_that_the_settings_name_is_never_hit() {
    let (desk, model) = (Desk::new(), narrow());
    let run = desk.run().args(["--concurrency", "32"]).env("TRIBUTARY_LIMITS__IN_FLIGHT", "4");
    run.asking(&model).run().with(0);
    let stats = model.stats();
    assert_eq!((stats.rate_limited, stats.max_in_flight), (0, 4));
    check_same(&desk.made(), &undisturbed().made);
}

#[test]
fn a_ceiling_that_nobody_named_is_found_and_kept_to() {
    let (desk, model) = (Desk::new(), narrow());
    desk.run().args(["--concurrency", "32"]).asking(&model).run().with(0);
    let stats = model.stats();
    assert!(stats.rate_limited > 0, "the test puts no pressure on");
    assert!(stats.rate_limited * 2 < stats.answered, "{} refusals of {} calls", stats.rate_limited, stats.received);
    check_same(&desk.made(), &undisturbed().made);
    assert_eq!(stats.answered_again, 0);
}

#[test]
fn a_minute_that_is_full_is_waited_for() {
    let desk = Desk::new();
    let minute = Settings { requests_per_minute: Some(60), minute: 1.0, ..Settings::default() };
    let model = SimulatedModel::start(minute);
    desk.run().args(["--concurrency", "16"]).asking(&model).run().with(0);
    assert!(model.stats().rate_limited > 0, "the test puts no pressure on");
    check_same(&desk.made(), &undisturbed().made);
}
