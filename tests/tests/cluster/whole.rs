//! Jobs that nothing disturbs.

use tributary_tests::{
    cluster::{CORPUS, Cluster},
    simulated::Settings,
};

use crate::common::{alone, check_nothing_left, corpus, number};

#[test]
fn a_cluster_makes_the_same_article_as_one_process_and_leaves_nothing_behind() {
    let _alone = alone();
    let corpus = corpus();
    let cluster = Cluster::new(&corpus, Settings { latency_mean: 0.02, ..Settings::default() });
    let single = cluster.alone();
    let mut roles = vec![cluster.coordinator()];
    roles.extend((0..number("TRIBUTARY_TEST_WORKERS", 3)).map(|_| cluster.worker(4)));
    let job = cluster.submit(CORPUS);
    cluster.watch(&job).with(0).tells(&format!("digest: {0}/{0} done", corpus.papers.len()));
    let made = cluster.result(&job);
    assert_eq!(made.markdown, single.markdown);
    assert_eq!(made.jsonl, single.jsonl);
    assert_eq!(made.report["article"], single.report["article"]);
    assert_eq!(cluster.model.stats().answered_again, 0, "no call is paid for twice");
    check_nothing_left(&cluster);

    let status = cluster.status(&job);
    assert_eq!(status["status"], "done");
    assert!(status["result"]["words"].as_u64() > Some(0), "{status}");
    let again = cluster.tributary().args(["submit", CORPUS, "--model", "openai/simulated"]).run().with(0);
    again.tells("done already");
    let listed = cluster.tributary().args(["list"]).run().with(0).stdout;
    assert!(listed.contains(&job) && listed.contains("done"), "{listed}");
    check_nothing_left(&cluster);
}
