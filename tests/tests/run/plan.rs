//! What a run would cost.

use tributary_tests::simulated::{Settings, SimulatedModel};

use crate::common::{Desk, STAGES, corpus, undisturbed};

#[test]
fn a_plan_prints_a_table_and_spends_nothing() {
    let (desk, model) = (Desk::new(), SimulatedModel::start(Settings::default()));
    let price = r#"{ "openai/simulated" = { prompt = 1.0, reply = 10.0 } }"#;
    let ended = desk.tributary().args(["plan", "corpus.jsonl"]).env("TRIBUTARY_PRICES", price);
    let ended = ended.asking(&model).run().with(0);
    assert_eq!(model.stats().received, 0);
    assert!(!desk.path().join("tributary-out").exists(), "a plan leaves nothing behind");
    let table: Vec<Vec<&str>> = ended.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(table[0][..4], ["Six", "Trades", "(24", "sources,"]);
    let stages: Vec<_> = table[2..].iter().map(|row| row[0]).collect();
    assert_eq!(stages[..7], STAGES, "{}", ended.stdout);
    let total = table.last().unwrap();
    assert_eq!(total[0], "all");
    assert!(total.last().unwrap().starts_with('$'), "{total:?}");
    let (planned, made) = (total[1].parse::<f64>().unwrap(), undisturbed().stats.answered as f64);
    assert!((0.9..1.1).contains(&(planned / made)), "planned {planned} calls, made {made}");
}

#[test]
fn a_plan_tells_of_bad_input_as_a_run_does() {
    let desk = Desk::empty();
    desk.write("corpus.jsonl", format!("{}\n{{broken\n", corpus().line()));
    desk.tributary().args(["plan", "corpus.jsonl"]).run().with(0).tells("corpus.jsonl:2: dropped: broken JSON");
    desk.tributary().args(["plan", "nowhere.jsonl"]).run().with(2).tells("nowhere.jsonl: no such file or folder");
}
