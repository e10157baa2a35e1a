//! Input of every kind, good and bad.

use std::fs;

use serde_json::{Value, json};
use tributary_tests::{
    article::Made,
    corpus::{Corpus, Paper},
};

use crate::common::{Desk, SLUG, check_sound, corpus};

/// The line that is printed of a problem, made of the report's entry.
fn shown(problem: &Value) -> String {
    let text = |field: &str| problem[field].as_str().unwrap_or_default();
    let line = problem["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
    let field = problem["field"].as_str().map(|field| format!(": {field}")).unwrap_or_default();
    format!("{}{line}{field}: {}: {}", text("file"), text("severity"), text("message"))
}

#[test]
fn bad_input_costs_only_itself_and_is_named_by_file_line_and_field() {
    let desk = Desk::empty();
    let mut papers: Vec<Value> = corpus().papers.iter().map(Paper::json).collect();
    papers[4]["title"] = papers[3]["title"].clone();
    papers.push(papers[0].clone());
    papers.push(json!({ "title": "All Talk" }));
    papers.push(json!("no object"));
    papers.push(json!({ "title": "Odd", "txt": 7, "url": { "href": "?" }, "year": 2020 }));
    let survey = json!({ "title": corpus().title, "papers": papers, "venue": "X" }).to_string();
    let mut file = b"{\"title\": \"Broken off\", \"papers\": [\n\n".to_vec();
    let at = survey.find("Beekeeping").or(survey.find("colony")).expect("there are bees");
    file.extend(&survey.as_bytes()[..at]);
    file.extend(b"caf\xe9 ");
    file.extend(&survey.as_bytes()[at..]);
    desk.write("corpus.jsonl", file);
    let ended = desk.run().run().with(0);
    let title = &corpus().papers[3].title;
    let expected = [
        "corpus.jsonl:1: dropped: broken JSON".to_owned(),
        "corpus.jsonl:3: changed: not UTF-8".to_owned(),
        format!("corpus.jsonl:3: papers[4]: changed: another source has the title \"{title}\""),
        "corpus.jsonl:3: papers[24]: dropped: its text is that of an earlier source".to_owned(),
        "corpus.jsonl:3: papers[25]: dropped: no text (\"All Talk\")".to_owned(),
        "corpus.jsonl:3: papers[26]: dropped: should be an object".to_owned(),
        "corpus.jsonl:3: papers[27].txt: changed: a number".to_owned(),
        "corpus.jsonl:3: papers[27].url: dropped: should be a string, but is an object".to_owned(),
    ];
    let made = desk.made();
    let reported: Vec<String> = made.report["input_problems"].as_array().unwrap().iter().map(shown).collect();
    for start in &expected {
        assert!(ended.stderr.lines().any(|line| line.starts_with(start)), "stderr has no {start}: {ended}");
        assert!(reported.iter().any(|line| line.starts_with(start)), "the report has no {start}: {reported:#?}");
    }
    assert!(reported.iter().all(|line| ended.stderr.contains(line.as_str())), "{reported:#?} {ended}");
    assert_eq!(made.number("/sources/given"), 25.0);
    assert!(made.number("/sources/coverage") >= 0.95);
    made.article().check_citations();
    assert_eq!(made.line["venue"], "X", "unknown fields are kept");
    let odd = made.line["papers"].as_array().unwrap().iter().find(|paper| paper["title"] == "Odd").unwrap();
    assert_eq!((&odd["year"], &odd["url"]), (&json!(2020), &json!({ "href": "?" })));
}

#[test]
fn a_folder_of_markdown_text_html_and_pdf_makes_one_article() {
    let desk = Desk::empty();
    let kinds = ["md", "txt", "html", "pdf"];
    for (nth, paper) in corpus().papers.iter().take(12).enumerate() {
        let (title, text) = (&paper.title, &paper.text);
        let kind = kinds[nth % 4];
        let contents = match kind {
            "md" => format!("# {title}\n\n{text}").into_bytes(),
            "html" => html(title, text).into_bytes(),
            "pdf" => pdf(title, text),
            _ => text.clone().into_bytes(),
        };
        desk.write(&format!("papers/{kind}/source-{nth}.{kind}"), contents);
    }
    desk.write("papers/scan.pdf", pdf("Scan", ""));
    desk.write("papers/empty.md", "");
    desk.write("papers/photo.png", [0x89]);
    let run = desk.tributary().args(["run", "papers", "--title", "A Folder: of \"things\" / 物", "--out", "out"]);
    let ended = run.run().with(0);
    ended.tells("papers/scan.pdf: dropped: a PDF without text");
    ended.tells("papers/empty.md: dropped: the file is empty");
    ended.tells("papers: skipped: no documents: .png (1)");
    let made = Made::read(&desk.out(), "a-folder-of-things-wu");
    let article = made.article();
    article.check_citations();
    assert_eq!(article.title, "A Folder: of \"things\" / 物");
    assert_eq!((made.number("/sources/given"), made.number("/sources/cited")), (12.0, 12.0));
    for (nth, paper) in corpus().papers.iter().take(12).enumerate() {
        // A text file has no title but its name.
        let title = if nth % 4 == 1 { format!("source-{nth}") } else { paper.title.clone() };
        let kind = kinds[nth % 4];
        let reference = format!("{title} papers/{kind}/source-{nth}.{kind}");
        let all: Vec<_> = article.references.iter().map(|reference| &reference.text).collect();
        assert!(all.contains(&&reference), "{reference} is not among {all:#?}");
    }
    for sentence in &article.cited {
        let said = corpus().papers.iter().any(|paper| paper.says(&sentence.text));
        assert!(said, "no source says: {}", sentence.text);
    }
}

#[test]
fn each_line_makes_an_article_whose_file_has_a_safe_name_of_its_own() {
    let desk = Desk::empty();
    let titles = [("../../etc/passwd", "etc-passwd"), ("C'est l'été?", "cest-lete"), ("CEST LETE", "cest-lete-2")];
    let corpora: Vec<Corpus> = (0..).zip(titles).map(|(nth, (title, _))| Corpus::new(title, 6, 200, nth)).collect();
    let lines: Vec<String> = corpora.iter().map(Corpus::line).collect();
    desk.write("corpus.jsonl", lines.join("\n"));
    let ended = desk.run().run().with(0);
    for (corpus, (_, slug)) in corpora.iter().zip(titles) {
        check_sound(&Made::read(&desk.out(), slug), corpus);
        assert!(ended.stdout.contains(&format!("out/md/{slug}.md\n")), "{ended}");
    }
    assert_eq!(ended.stdout.lines().count(), 9);
    assert_eq!(fs::read_dir(desk.out().join("md")).unwrap().count(), 3);
    ended.tells("only ").tells("in one prompt");
}

#[test]
fn a_corpus_of_one_sentence_makes_an_article() {
    let desk = Desk::empty();
    desk.write(
        "corpus.jsonl",
        r#"{"title": "Six trades", "papers": [{"title": "A", "txt": "The sea is deep and cold."}]}"#,
    );
    desk.run().run().with(0);
    let made = Made::read(&desk.out(), SLUG);
    made.article().check_citations();
    assert_eq!(made.number("/sources/coverage"), 1.0);
}

fn html(title: &str, text: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| match paragraph.strip_prefix("## ") {
            Some(heading) => format!("<h2>{heading}</h2>"),
            None => format!("<p>{paragraph}</p>"),
        })
        .collect();
    let body = paragraphs.join("\n");
    format!("<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>")
}

/// A PDF of one page, a line of text for each line, broken after eight words.
fn pdf(title: &str, text: &str) -> Vec<u8> {
    let mut shown = String::new();
    for paragraph in text.split("\n\n") {
        for line in paragraph.split_whitespace().collect::<Vec<_>>().chunks(8) {
            let line = line.join(" ").replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
            shown.push_str(&format!("({line}) Tj 0 -10 Td "));
        }
        shown.push_str("0 -10 Td ");
    }
    let content = format!("BT /F1 8 Tf 40 1960 Td {shown}ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 2000] /Contents 5 0 R \
         /Resources << /Font << /F1 4 0 R >> >> >>"
            .to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        format!("<< /Title ({title}) >>"),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (at, object) in objects.iter().enumerate() {
        places.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let (start, count) = (file.len(), objects.len() + 1);
    file.push_str(&format!("xref\n0 {count}\n0000000000 65535 f \n{places}"));
    file.push_str(&format!("trailer\n<< /Size {count} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{start}\n%%EOF\n"));
    file.into_bytes()
}
