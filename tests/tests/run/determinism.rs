//! An article depends on sources, settings, seed and replies, and on nothing else.

use tributary_tests::{
    article::Made,
    simulated::{Settings, SimulatedModel},
};

use crate::common::{Desk, SLUG, check_same, check_sound, corpus, undisturbed};

#[test]
fn one_call_at_a_time_and_many_in_any_order_give_the_same_bytes() {
    let expected = &undisturbed().made;
    for (concurrency, seed) in [("1", 1), ("32", 2), ("32", 3)] {
        let desk = Desk::new();
        // The seed of the simulated model says which calls are quick: replies come in another order each time.
        let jitter = Settings { latency_mean: 0.008, latency_sigma: 1.0, seed, ..Settings::default() };
        let model = SimulatedModel::start(jitter);
        desk.run().args(["--concurrency", concurrency]).asking(&model).run().with(0);
        check_same(&desk.made(), expected);
        let most = model.stats().max_in_flight;
        assert!(most <= concurrency.parse().unwrap(), "{most} calls at a time");
        assert!(concurrency == "1" || most > 8, "no more than {most} calls were ever in flight");
    }
}

#[test]
fn the_extractive_model_gives_the_same_bytes_whatever_the_concurrency() {
    let [one, many] = ["1", "32"].map(|concurrency| {
        let desk = Desk::new();
        desk.run().args(["--concurrency", concurrency]).run().with(0);
        desk.made()
    });
    check_same(&one, &many);
}

/// The seed draws the fields of the convolution, and groups where they are to be drawn. (Where the best outline was not
/// made by chance, another seed may still end with the same article.)
#[test]
fn another_seed_asks_other_questions_and_an_equal_one_the_same() {
    let (desk, model) = (Desk::new(), SimulatedModel::start(Settings::default()));
    let run = |seed: &str, grouping: &str, slug: &str| {
        let run = desk.run().args(["--seed", seed]).env("TRIBUTARY_GROUPING__BY", grouping);
        run.asking(&model).run().with(0);
        let made = Made::read(&desk.out(), slug);
        check_sound(&made, corpus());
        (made, model.stats().answered)
    };
    // Each is a job of its own, and no article takes another's place.
    let (_, asked) = run("1", "model", SLUG);
    let (_, asked_more) = run("2", "model", &format!("{SLUG}-2"));
    assert!((asked + 1..asked * 2).contains(&asked_more), "{asked} calls, then {asked_more} in all");
    let (one, _) = run("1", "random", &format!("{SLUG}-3"));
    let (other, asked) = run("2", "random", &format!("{SLUG}-4"));
    assert!(one.markdown != other.markdown, "seeds 1 and 2 give the same article");
    let (again, asked_again) = run("1", "random", &format!("{SLUG}-3"));
    check_same(&again, &one);
    assert_eq!(asked, asked_again);
}
