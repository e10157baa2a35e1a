//! Questions that a cluster answers.

use std::{fs, path::Path};

use tributary_tests::{
    cluster::{CORPUS, Cluster},
    simulated::Settings,
};

use crate::common::{alone, corpus};

const QUESTION: &str = "What do the trades have in common?";

/// The text of the answer's JSON file in a folder.
fn answer(folder: &Path) -> String {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    let file = files.iter().find(|file| file.to_string_lossy().ends_with(".answer.json"));
    fs::read_to_string(file.expect("an answer is written")).unwrap()
}

#[test]
fn eight_workers_give_the_answer_of_one_process() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings::default());
    let _coordinator = cluster.coordinator();
    let _workers: Vec<_> = (0..8).map(|_| cluster.worker(2)).collect();
    let question = ["--question", QUESTION, "--model", "openai/simulated"];
    let submitted = cluster.tributary().args(["submit", CORPUS]).args(question).run().with(0);
    let job = submitted.stdout.trim();
    cluster.watch(job).with(0);
    cluster.tributary().args(["result", job, "--out", "fetched"]).run().with(0);

    let alone = cluster.tributary().env("TRIBUTARY_NATS_URL", "");
    alone.args(["ask", CORPUS, "--out", "alone"]).args(question).run().with(0);
    assert_eq!(answer(&cluster.path().join("fetched")), answer(&cluster.path().join("alone")));
}
