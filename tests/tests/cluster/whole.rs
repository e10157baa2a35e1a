//! Jobs that nothing disturbs.

use tributary_tests::{cluster::Cluster, simulated::Settings};

use crate::common::{SLUG, alone, check_nothing_left, corpus};

#[test]
fn a_cluster_makes_the_same_article_as_one_process_and_leaves_nothing_behind() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings { latency_mean: 0.02, ..Settings::default() });
    let single = cluster.alone("corpus.jsonl", SLUG);
    let mut roles = vec![cluster.coordinator()];
    roles.extend((0..3).map(|_| cluster.worker(4)));
    let job = cluster.submit("corpus.jsonl");
    cluster.watch(&job).with(0).tells("digest: 24/24 done");
    let made = cluster.result(&job, SLUG);
    assert_eq!(made.markdown, single.markdown);
    assert_eq!(made.jsonl, single.jsonl);
    assert_eq!(made.report["article"], single.report["article"]);
    assert_eq!(cluster.model.stats().answered_again, 0, "no call is paid for twice");
    check_nothing_left(&cluster);

    assert!(cluster.status(&job)["status"]["done"].is_object());
    let again = cluster.tributary().args(["submit", "corpus.jsonl", "--model", "openai/simulated"]).run().with(0);
    again.tells("done already");
    let listed = cluster.tributary().args(["list"]).run().with(0).stdout;
    assert!(listed.contains(&job) && listed.contains("done"), "{listed}");
    check_nothing_left(&cluster);
}
