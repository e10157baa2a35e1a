use std::cell::Cell;
use std::io::{BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use pdf_extract::{Dictionary, Document as Pdf, Object, Stream, dictionary};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Keeps everything, in order.
#[derive(Default)]
struct Kept {
    documents: Vec<(usize, Document)>,
    surveys: Vec<(usize, Survey)>,
    problems: Vec<Problem>,
}

impl Sink for Kept {
    fn document(&mut self, survey: usize, document: Document) -> Result<(), BoxError> {
        self.documents.push((survey, document));
        Ok(())
    }
    fn survey(&mut self, number: usize, survey: Survey) -> Result<(), BoxError> {
        self.surveys.push((number, survey));
        Ok(())
    }
    fn problem(&mut self, problem: Problem) -> Result<(), BoxError> {
        self.problems.push(problem);
        Ok(())
    }
}

impl Kept {
    fn titles(&self) -> Vec<&str> {
        self.documents.iter().map(|(_, document)| document.title.as_str()).collect()
    }

    /// The problems as a user sees them, without the folder that the test made up.
    fn lines(&self, folder: &Path) -> Vec<String> {
        let folder = format!("{}/", folder.display());
        self.problems.iter().map(|problem| problem.to_string().replace(&folder, "")).collect()
    }

    fn says(&self, folder: &Path, line: &str) {
        let lines = self.lines(folder);
        assert!(lines.iter().any(|found| found.starts_with(line)), "no \"{line}\" in {lines:#?}");
    }
}

fn jsonl(input: &[u8], title: Option<&str>) -> (Kept, Result<Summary, Error>) {
    let mut kept = Kept::default();
    let mut intake = Intake::new(&mut kept, title, false);
    let outcome = jsonl::read(input, Path::new("dir/a.jsonl"), &mut intake).and_then(|()| intake.finish());
    (kept, outcome)
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn titled(title: &str) -> Options {
    Options { title: Some(title.to_owned()), ..Options::default() }
}

#[test]
fn each_line_is_a_survey_wherever_its_title_stands_and_unknown_fields_are_kept() {
    let input = br#"{"year": 2024, "papers": [{"title": "A", "txt": "a", "url": "u", "bib": [1]}], "title": "One"}

{"title": "Two", "papers": [{"title": "A", "abstract": " s ", "txt": "b\r\nc"}, {"title": "B", "text": "d"}]}"#;
    let (kept, summary) = jsonl(input, None);
    assert_eq!(summary.unwrap(), Summary { surveys: 2, documents: 3, problems: 0 });
    let [(0, one), (1, two)] = &kept.surveys[..] else { panic!("{:?}", kept.surveys) };
    assert_eq!((one.title.as_str(), &one.extra["year"]), ("One", &Value::from(2024)));
    assert_eq!((two.title.as_str(), two.origin.line), ("Two", Some(3)));
    assert_eq!(kept.documents.iter().map(|(survey, _)| *survey).collect::<Vec<_>>(), [0, 1, 1]);
    let first = &kept.documents[0].1;
    assert_eq!((first.url.as_deref(), &first.extra["bib"]), (Some("u"), &serde_json::json!([1])));
    let second = &kept.documents[1].1;
    assert_eq!((second.abstract_text.as_deref(), second.text.as_str()), (Some("s"), "b\nc"));
    assert_eq!(second.origin.to_string(), "dir/a.jsonl:3: papers[0]");
}

#[test]
fn bad_lines_sources_and_fields_cost_only_themselves_and_are_named() {
    let input = [
        &br#"{"title": "S", "papers": [
{"title": "S", "papers": [{"title": "A", "txt": "a"}, {"title": "B", "txt": "b" "url": 1}]}
{"title": "T", "papers": [{"txt": "First words here.\nMore."}, {"title": "N"}, {"title": "Q", "abstract": "q"}, 7]}
{"title": "U", "papers": [{"title": "A", "txt": "a"}, {"title": "A", "txt": "b"}, {"title": "A", "txt": "a"}]}
{"title": "V", "papers": [{"title": 5, "txt": ["a", "b"], "url": {"x": 1}}, {"title": "\ud835 W", "txt": "w"}]}
{"papers": "none"}
{"x": 1}
"#[..],
        b"{\"title\": \"B\xe9\", \"papers\": [{\"title\": \"A\", \"txt\": \"a\x01\"}]}\n",
    ]
    .concat();
    let (kept, summary) = jsonl(&input, None);
    assert_eq!(kept.titles(), ["A", "First words here.", "Q", "A", "A (2)", "5", "\u{fffd}\u{fffd}\u{fffd} W", "A"]);
    assert_eq!(summary.unwrap().surveys, 5);
    let expected = [
        "a.jsonl:1: dropped: broken JSON at column ",
        "a.jsonl:1: dropped: the survey \"S\" has no source",
        "a.jsonl:2: dropped: broken JSON at column 81: expected `,` or `}`; what comes before it is kept",
        "a.jsonl:3: papers[0]: changed: no title: called \"First words here.\"",
        "a.jsonl:3: papers[1]: dropped: no text (\"N\")",
        "a.jsonl:3: papers[2]: changed: no text (\"Q\"): its abstract",
        "a.jsonl:3: papers[3]: dropped: should be an object",
        "a.jsonl:4: papers[1]: changed: another source has the title \"A\": called \"A (2)\"",
        "a.jsonl:4: papers[2]: dropped: its text is that of an earlier source, \"A\"",
        "a.jsonl:5: papers[0].title: changed: a number",
        "a.jsonl:5: papers[0].txt: changed: a list of strings",
        "a.jsonl:5: papers[0].url: dropped: should be a string, but is an object",
        "a.jsonl:5: papers[1].title: changed: escapes",
        "a.jsonl:6: papers: dropped: should be a list of sources, but is a string",
        "a.jsonl:6: title: changed: the survey has no title: called \"a\"",
        "a.jsonl:7: dropped: has neither papers",
        "a.jsonl:8: changed: not UTF-8: bad bytes, the first at byte ",
        "a.jsonl:8: changed: 1 control character",
    ];
    for line in expected {
        kept.says(Path::new("dir"), line);
    }
    let url = &kept.documents.iter().find(|(_, document)| document.title == "5").unwrap().1;
    assert_eq!((url.text.as_str(), &url.extra["url"]), ("a\n\nb", &serde_json::json!({"x": 1})));
}

#[test]
fn lines_that_are_papers_make_one_survey_with_the_given_title() {
    let input =
        b"{\"title\": \"A\", \"txt\": \"a\"}\n{\"title\": \"S\", \"papers\": [{\"title\": \"X\", \"txt\": \"x\"}]}\n\
        {\"title\": \"B\", \"text\": \"b\"}\n";
    let (kept, summary) = jsonl(input, Some("Mine"));
    assert_eq!(summary.unwrap().surveys, 2);
    assert_eq!(kept.documents.iter().map(|(survey, _)| *survey).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(kept.surveys.last().unwrap().1.title, "Mine");
    let error = jsonl(input, None).1.unwrap_err();
    assert!(matches!(error, Error::NoTitle { .. }));
    assert!(error.to_string().starts_with("dir/a.jsonl:1: ") && error.to_string().contains("--title"), "{error}");
}

#[test]
fn a_survey_larger_than_memory_is_handed_out_while_it_is_read() {
    const PAPER: usize = 10_000;
    /// Papers without end, each with a title and a text of its own.
    struct Endless {
        read: Rc<Cell<usize>>,
        paper: Vec<u8>,
    }
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let at = self.read.get() % PAPER;
            if at == 0 {
                let number = self.read.get();
                self.paper = format!("{{\"title\": \"{number}\", \"txt\": \"{number}").into_bytes();
                self.paper.resize(PAPER - 3, b'x');
                self.paper.extend(b"\"},");
            }
            let length = buffer.len().min(PAPER - at);
            buffer[..length].copy_from_slice(&self.paper[at..at + length]);
            self.read.set(self.read.get() + length);
            Ok(length)
        }
    }
    struct Watch(Rc<Cell<usize>>, usize);
    impl Sink for Watch {
        fn document(&mut self, _: usize, _: Document) -> Result<(), BoxError> {
            self.1 += 1;
            assert!(self.0.get() <= (self.1 + 1) * PAPER + 2 * 8192, "more was read than was handed out");
            if self.1 == 200 { Err("enough".into()) } else { Ok(()) }
        }
        fn survey(&mut self, _: usize, _: Survey) -> Result<(), BoxError> {
            Ok(())
        }
        fn problem(&mut self, _: Problem) -> Result<(), BoxError> {
            Ok(())
        }
    }
    let read = Rc::new(Cell::new(0));
    let papers = Endless { read: read.clone(), paper: Vec::new() };
    let input = (&br#"{"papers": ["#[..]).chain(papers);
    let mut watch = Watch(read, 0);
    let mut intake = Intake::new(&mut watch, None, false);
    let outcome = jsonl::read(BufReader::new(input), Path::new("a.jsonl"), &mut intake);
    assert!(matches!(outcome, Err(Error::Sink(error)) if error.to_string() == "enough"));
}

#[test]
fn a_folder_is_read_in_order_and_what_is_passed_over_is_said() {
    let pdf = pdf("A study of pages", &["The first page says\nsomething that matters.", "The second says more."]);
    let folder = folder(&[
        ("b/page.html", b"<html><head><title>Fish &amp; Chips</title></head><body><h1>X</h1><p>See <a href=u>this</a>.</p><script>no()</script></body>"),
        ("a.md", b"---\ntitle: \"Front\"\nurl: https://x.org\n---\n\n# Heading\n\nText.\n"),
        ("b/deep/c.txt", b"plain text\0 with a NUL"),
        ("c.pdf", &pdf),
        ("d.md", b"```\n# no\n```\n\n# The `first` heading\n\ntext"),
        ("d2.md", b"caf\xe9 is not UTF-8 but text all the same"),
        ("e.pdf", b"%PDF-1.4 nonsense"),
        ("e_scan.pdf", &self::pdf("", &["", ""])),
        ("f.txt", b""),
        ("g.bin.txt", &[0, 159, 146, 150, 1, 2, 3]),
        ("h.xyz", b"?"),
        ("i.png", b"?"),
        (".hidden.md", b"hidden"),
        ("j copy of d2.md", b"caf\xe9 is not UTF-8 but text all the same"),
        ("k.md", b"Na\xc3\xafve and damaged \xff text"),
        ("out/.tributary/state", b""),
        ("out/md/all.md", b"# All\n\nWhat was made of it."),
    ]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let mut kept = Kept::default();
    let inputs = [folder.path().to_owned(), folder.path().join("empty"), folder.path().join("h.xyz")];
    let summary = read(&inputs, &titled("All"), &mut kept).unwrap();
    assert_eq!((summary.surveys, summary.documents), (1, 8));
    let titles = ["Front", "c", "Fish & Chips", "A study of pages", "The first heading", "d2", "k", "h"];
    assert_eq!(kept.titles(), titles);
    let text = |nth: usize| kept.documents[nth].1.text.as_str();
    assert_eq!(text(0), "# Heading\n\nText.");
    assert_eq!(text(2), "# X\n\nSee this.");
    assert!(text(3).contains("The first page says something that matters.") && text(3).contains("The second"));
    assert_eq!(kept.documents[0].1.url.as_deref(), Some("https://x.org"));
    assert!(kept.documents[1].1.url.as_deref().unwrap().ends_with("b/deep/c.txt"), "else the path is where it is");
    assert!(text(5).starts_with("café"));
    for line in [
        "b/deep/c.txt: changed: 1 control character(s)",
        "d2.md: changed: not UTF-8: taken for Windows-1252",
        "k.md: changed: not UTF-8: bad bytes, the first 0xff at byte 19",
        "j copy of d2.md: dropped: its text is that of an earlier source",
        "out: skipped: what an earlier run made",
        ".hidden.md: skipped: hidden",
        "e.pdf: dropped: a PDF that can't be read",
        "e_scan.pdf: dropped: a PDF without text: scanned?",
        "f.txt: dropped: the file is empty",
        "g.bin.txt: dropped: no text in UTF-8",
        "h.xyz: skipped: not Markdown",
        "empty: dropped: no document in the folder",
    ] {
        kept.says(folder.path(), line);
    }
    assert!(kept.lines(folder.path()).iter().any(|line| line.ends_with("skipped: no documents: .png (1)")));
}

#[test]
fn what_can_not_be_read_at_all_is_an_error_that_tells_what_to_do() {
    let folder = folder(&[("a.md", b"text"), ("b.jsonl", b"{\"title\": \"T\", \"papers\": []}\n")]);
    let attempt = |name: &str, options: &Options| {
        read(&[folder.path().join(name)], options, &mut Kept::default()).unwrap_err().to_string()
    };
    assert!(attempt("none.md", &titled("T")).ends_with("none.md: no such file or folder"));
    assert!(attempt("a.md", &Options::default()).contains("a.md: an article is to be made of this"));
    assert!(attempt("b.jsonl", &Options::default()).starts_with("no source with any text in"));
    assert!(read(&[], &titled("T"), &mut Kept::default()).is_err());
}

/// A PDF with a page for each of `pages`, a line of text for each of its lines.
fn pdf(title: &str, pages: &[&str]) -> Vec<u8> {
    let mut pdf = Pdf::with_version("1.5");
    let parent = pdf.new_object_id();
    let font = pdf.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" });
    let resources = pdf.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let kids: Vec<Object> = pages
        .iter()
        .map(|page| {
            let lines: String = page.lines().map(|line| format!("({line}) Tj 0 -14 Td ")).collect();
            let content = format!("BT /F1 12 Tf 72 720 Td {lines} ET");
            let content = pdf.add_object(Stream::new(Dictionary::new(), content.into_bytes()));
            pdf.add_object(dictionary! { "Type" => "Page", "Parent" => parent, "Contents" => content }).into()
        })
        .collect();
    let count = kids.len() as i64;
    let pages = dictionary! {
        "Type" => "Pages", "Kids" => kids, "Count" => count, "Resources" => resources,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    };
    pdf.objects.insert(parent, Object::Dictionary(pages));
    let catalogue = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => parent });
    let info = pdf.add_object(dictionary! { "Title" => Object::string_literal(title) });
    pdf.trailer.set("Root", catalogue);
    pdf.trailer.set("Info", info);
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).unwrap();
    bytes
}

/// Lines that are surveys, papers, or nothing good, and broken ones of each.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let good = prop_oneof![
        Just(r#"{"title": "T", "papers": [{"title": "A", "txt": "a"}, {"abstract": "b"}]}"#.to_owned()),
        Just(r#"{"papers": [{"title": ["\u00e9", 1], "txt": "a \ud83d"}], "n": 1e3, "title": null}"#.to_owned()),
        "[\\[\\]{}\",:a-z0-9\\\\ ]{1,40}",
        "\\{\"(txt|text|title|papers|x)\": (1|\"\"|\"a\"|\\[\\]|\\[\\{\\}\\]|null|true)\\}",
    ];
    (good, prop::option::of((any::<prop::sample::Index>(), any::<u8>()))).prop_map(|(line, harm)| {
        let mut line = line.into_bytes();
        if let Some((at, byte)) = harm {
            let at = at.index(line.len());
            line[at] = byte;
        }
        line.retain(|byte| *byte != b'\n');
        line
    })
}

proptest! {
    #[test]
    fn no_line_is_lost(lines in prop::collection::vec(line(), 0..8)) {
        let (kept, summary) = jsonl(&lines.join(&b'\n'), Some("Mine"));
        let summary = summary.unwrap();
        prop_assert_eq!(summary.documents, kept.documents.len());
        for (nth, line) in lines.iter().enumerate() {
            let number = Some(nth as u64 + 1);
            let blank = line.iter().all(|byte| *byte <= b' ');
            let seen = kept.documents.iter().any(|(_, document)| document.origin.line == number)
                || kept.problems.iter().any(|problem| problem.line == number);
            prop_assert!(blank || seen, "line {} left no trace", nth + 1);
        }
        let good = r#"{"title": "T", "papers": [{"title": "A", "txt": "a"}, {"abstract": "b"}]}"#;
        let surveys = lines.iter().filter(|line| *line == good.as_bytes()).count();
        prop_assert!(kept.surveys.len() >= surveys, "a good line suffered from a bad one");
    }
}

#[test]
fn a_title_that_no_prompt_would_have_room_for_is_cut_and_reported() {
    let title = "tidal ".repeat(1_000);
    let input = format!(r#"{{"title": "S", "papers": [{{"title": "{title}", "txt": "a"}}]}}"#);
    let (kept, summary) = jsonl(input.as_bytes(), None);
    assert_eq!(summary.unwrap().problems, 1);
    let [title] = kept.titles()[..] else { panic!("one source") };
    assert!(title.ends_with("tidal…") && title.chars().count() <= 401, "{title}");
    assert!(kept.problems[0].to_string().contains("changed: a title of 5999 characters: cut to \"tidal tidal"));
}
