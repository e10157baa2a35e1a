//! Questions over a corpus: `tributary ask`.

use std::fs;

use serde_json::Value;
use tributary_tests::{
    process::{Ended, Tributary, wait_until},
    simulated::{Settings, SimulatedModel},
};

use crate::common::Desk;

/// Two sources that disagree, and one that is about something else.
fn disagreeing() -> Desk {
    let desk = Desk::empty();
    desk.write("in/one.md", "# Survey of 1920\n\nThe Elk Creek dam was 52 metres high when it was built.\n");
    desk.write("in/two.md", "# Survey of 1987\n\nThe Elk Creek dam was 41 metres high, by our measurement.\n");
    desk.write("in/three.md", "# Bread\n\nSourdough rises slowly at low temperatures.\n");
    desk
}

/// The text of the answer's JSON file.
fn written(desk: &Desk) -> String {
    let files: Vec<_> = fs::read_dir(desk.out()).unwrap().map(|file| file.unwrap().path()).collect();
    let file = files.iter().find(|file| file.to_string_lossy().ends_with(".answer.json"));
    fs::read_to_string(file.expect("an answer is written")).unwrap()
}

fn ask(desk: &Desk, question: &str) -> (Ended, Value) {
    let ended = desk.tributary().args(["ask", "in", "--question", question, "--out", "out"]).run().with(0);
    (ended, serde_json::from_str(&written(desk)).expect("it is JSON"))
}

/// A question over the usual corpus, asked of a model.
fn ask_model(desk: &Desk, model: &SimulatedModel) -> Tributary {
    let question = ["ask", "corpus.jsonl", "--question", "What do the trades have in common?", "--out", "out"];
    desk.tributary().args(question).args(["--concurrency", "4"]).asking(model)
}

#[test]
fn both_of_two_sources_that_disagree_are_quoted_at_their_places() {
    let desk = disagreeing();
    let (ended, answer) = ask(&desk, "How high was the Elk Creek dam?");
    assert_eq!(answer["answered"], true, "{ended}");
    let quotes = answer["quotes"].as_array().unwrap();
    let titles: Vec<_> = quotes.iter().map(|quote| quote["title"].as_str().unwrap()).collect();
    for (title, said) in [("Survey of 1920", "52 metres"), ("Survey of 1987", "41 metres")] {
        let quote = quotes.iter().find(|quote| quote["title"] == title).unwrap_or_else(|| panic!("{titles:?}"));
        assert!(quote["text"].as_str().unwrap().contains(said), "{quote}");
        assert!(ended.stdout.contains(said), "{ended}");
    }
    assert!(!titles.contains(&"Bread"), "{titles:?}");
}

#[test]
fn a_question_that_nothing_answers_is_said_to_be_unanswered() {
    let desk = disagreeing();
    let (ended, answer) = ask(&desk, "Who composed the Goldberg Variations?");
    assert_eq!((&answer["answered"], &answer["quotes"]), (&Value::Bool(false), &Value::Array(Vec::new())), "{ended}");
    assert_eq!(answer["silent_chunks"], answer["chunks"]);
    assert!(ended.stdout.contains("The sources don't say."), "{ended}");
}

#[test]
fn killed_and_asked_again_it_goes_on_to_the_same_answer() {
    let slow = || SimulatedModel::start(Settings { latency_mean: 0.02, ..Settings::default() });
    let (undisturbed, model) = (Desk::new(), slow());
    ask_model(&undisturbed, &model).run().with(0);
    let all = model.stats().answered;

    let (desk, model) = (Desk::new(), slow());
    let mut running = ask_model(&desk, &model).start();
    wait_until("half the calls are answered", || {
        assert!(running.is_running(), "it ended before");
        model.stats().answered >= all / 2
    });
    assert_eq!(running.kill().code, None);
    wait_until("the server has noticed that its caller is gone", || model.stats().in_flight == 0);
    ask_model(&desk, &model).run().with(0);
    assert_eq!(written(&desk), written(&undisturbed));
    let stats = model.stats();
    assert_eq!(stats.answered_distinct, all);
    assert!(stats.answered_again <= 4, "{} replies paid for twice", stats.answered_again);
}
