//! Models with little room.

use tributary_tests::{
    corpus::Corpus,
    simulated::{Settings, SimulatedModel},
};

use crate::common::{Desk, SLUG, TITLE, check_sound, corpus};

#[test]
fn a_window_of_4096_tokens_is_never_overrun_and_no_source_is_lost() {
    let mut corpus = Corpus { title: TITLE.to_owned(), papers: corpus().papers[..12].to_vec() };
    // Longer than the whole window, each.
    corpus.papers.extend(Corpus::new(TITLE, 3, 6_000, 5).papers);
    let desk = Desk::with(&corpus);
    let model = SimulatedModel::start(Settings { window: Some(4_096), ..Settings::default() });
    desk.run().args(["--window", "4096"]).asking(&model).run().with(0);
    let (made, stats) = (tributary_tests::article::Made::read(&desk.out(), SLUG), model.stats());
    assert_eq!(stats.failed.get("window"), None, "prompts that the server refuses");
    check_sound(&made, &corpus);
    assert_eq!(made.number("/economies/sources_split"), 3.0);
    assert_eq!(made.number("/sources/used"), 15.0);
}
