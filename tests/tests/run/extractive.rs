//! Runs without a model: no key, no server.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tributary_tests::article::Made;

use crate::common::{Desk, SLUG, STAGES, check_sound, corpus};

#[test]
fn without_key_or_server_an_article_is_quoted_from_its_sources() {
    let desk = Desk::new();
    let ended = desk.run().run().with(0);
    ended.tells("no model is set");
    let written: Vec<_> = ended.stdout.lines().collect();
    let files = [format!("out/md/{SLUG}.md"), format!("out/{SLUG}.jsonl"), format!("out/{SLUG}.report.json")];
    assert_eq!(written, files, "the files are named on stdout");
    let made = desk.made();
    check_sound(&made, corpus());
    every_sentence_is_said_by_each_source_that_it_cites(&made);
    no_sentence_stands_twice(&made);
    chapters_have_sections_and_text(&made);
    the_line_is_laid_out_as_evaluations_read_it(&made);
    the_report_adds_up(&made);
}

fn every_sentence_is_said_by_each_source_that_it_cites(made: &Made) {
    let article = made.article();
    assert_eq!(article.uncited, [""; 0], "every sentence is cited");
    assert!(article.cited.len() > 100, "only {} sentences", article.cited.len());
    for sentence in &article.cited {
        for &number in &sentence.numbers {
            let paper = made.line["papers"][number - 1]["title"].as_str().unwrap();
            assert!(corpus().paper(paper).says(&sentence.text), "{paper} doesn't say: {}", sentence.text);
        }
    }
}

fn no_sentence_stands_twice(made: &Made) {
    let mut said = HashSet::new();
    for sentence in &made.article().cited {
        assert!(said.insert(sentence.text.to_lowercase()), "said twice: {}", sentence.text);
    }
}

fn chapters_have_sections_and_text(made: &Made) {
    let headings = made.article().headings;
    let chapters = headings.iter().filter(|heading| heading.depth == 1).count();
    assert!(chapters >= 3, "{headings:#?}");
    assert!(headings.len() > chapters, "no sections: {headings:#?}");
    let titles: HashSet<_> = headings.iter().map(|heading| &heading.title).collect();
    assert_eq!(titles.len(), headings.len(), "no heading stands twice: {headings:#?}");
}

/// The fields of LLM×MapReduce-V2, and `[n]` in the content meaning the n-th paper.
fn the_line_is_laid_out_as_evaluations_read_it(made: &Made) {
    let text = |field: &str| made.line[field].as_str().unwrap_or_else(|| panic!("no {field}"));
    assert_eq!(text("title"), corpus().title);
    assert_eq!(format!("{}\n\n{}\n", text("content"), text("ref_str")), made.markdown);
    let headings: Vec<_> = made.markdown.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(text("outline").lines().collect::<Vec<_>>(), headings[..headings.len() - 1]);
    assert_eq!(made.line["cite_ratio"], made.report["sources"]["coverage"]);
    let papers = made.line["papers"].as_array().unwrap();
    assert_eq!(papers.len(), corpus().papers.len(), "no paper is lost");
    for (at, reference) in made.article().references.iter().enumerate() {
        assert!(reference.text.starts_with(papers[at]["title"].as_str().unwrap()), "{}", reference.text);
        assert_eq!(papers[at]["cited_as"], at + 1);
    }
    let given: HashMap<_, _> = corpus().papers.iter().map(|paper| (paper.title.as_str(), paper)).collect();
    for paper in papers {
        let given = given[paper["title"].as_str().unwrap()];
        assert_eq!(paper["txt"].as_str().unwrap().trim(), given.text.trim());
        assert_eq!(paper["url"].as_str(), given.url.as_deref());
        assert!(paper["abstract"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

fn the_report_adds_up(made: &Made) {
    let article = made.article();
    let citations: usize = article.cited.iter().map(|sentence| sentence.numbers.len()).sum();
    let drawn: usize = article.figures.iter().map(Vec::len).sum();
    assert_eq!(made.number("/citations/made"), (citations + drawn) as f64);
    assert_eq!(made.number("/citations/removed"), 0.0);
    assert_eq!(made.number("/article/sections"), article.headings.len() as f64);
    assert_eq!(made.number("/sources/used"), corpus().papers.len() as f64);
    assert_eq!(made.number("/total/calls"), 0.0);
    assert_eq!(made.degraded(), [Value::Null; 0]);
    let stages = made.report["stages"].as_object().unwrap();
    assert_eq!(stages.keys().map(String::as_str).collect::<HashSet<_>>(), HashSet::from(STAGES));
    let tasks: f64 = STAGES.iter().map(|stage| made.number(&format!("/stages/{stage}/tasks"))).sum();
    assert_eq!(made.number("/total/tasks"), tasks);
}
