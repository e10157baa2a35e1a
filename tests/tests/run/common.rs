//! What the tests share: a desk to work at, and a run that nothing disturbed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use tempfile::TempDir;
use tributary_tests::{
    article::Made,
    corpus::Corpus,
    process::{Ended, Tributary},
    simulated::{Settings, SimulatedModel, Stats},
};

pub const STAGES: [&str; 7] = ["group", "outline", "digest", "feedback", "convolution", "refine", "write"];

/// The corpus of most tests, its title and what its files are called.
pub const TITLE: &str = "Six Trades";
pub const SLUG: &str = "six-trades";

pub fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| Corpus::new(TITLE, 24, 400, 1))
}

/// A folder with a corpus in it.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    /// The corpus of most tests, as `corpus.jsonl`.
    pub fn new() -> Self {
        Self::with(corpus())
    }

    pub fn with(corpus: &Corpus) -> Self {
        let desk = Self::empty();
        corpus.write(desk.path(), "corpus.jsonl");
        desk
    }

    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder can be made") }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(&path, contents).expect("a file can be written");
        path
    }

    pub fn tributary(&self) -> Tributary {
        Tributary::in_folder(self.path())
    }

    /// `tributary run corpus.jsonl --out out`
    pub fn run(&self) -> Tributary {
        self.tributary().args(["run", "corpus.jsonl", "--out", "out"])
    }

    pub fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// The article that the run of the usual corpus has made.
    pub fn made(&self) -> Made {
        Made::read(&self.out(), SLUG)
    }
}

/// A run of the usual corpus that nothing disturbed.
pub struct Undisturbed {
    pub made: Made,
    pub stats: Stats,
    pub ended: Ended,
}

pub fn undisturbed() -> &'static Undisturbed {
    static RUN: OnceLock<Undisturbed> = OnceLock::new();
    RUN.get_or_init(|| {
        let (desk, model) = (Desk::new(), SimulatedModel::start(Settings::default()));
        let ended = desk.run().asking(&model).run().with(0);
        Undisturbed { made: desk.made(), stats: model.stats(), ended }
    })
}

/// # Panics
/// Where the articles differ, with the first place where they do.
#[track_caller]
pub fn check_same(made: &Made, expected: &Made) {
    let mut lines = made.markdown.lines().zip(expected.markdown.lines());
    if let Some((made, expected)) = lines.find(|(made, expected)| made != expected) {
        panic!("made: {made}\nexpected: {expected}");
    }
    assert!(made.markdown == expected.markdown, "one article is longer");
    assert!(made.jsonl == expected.jsonl, "the articles are the same, but not their lines");
}

/// Whether an article is whole whatever befell its making: well formed, every number one of its references, every
/// reference a source of the corpus, nothing in it that only a model can have made up, and nearly all sources cited.
#[track_caller]
pub fn check_sound(made: &Made, corpus: &Corpus) {
    let article = made.article();
    assert_eq!(article.title, corpus.title);
    article.check_citations();
    for reference in &article.references {
        let known = corpus.papers.iter().any(|paper| {
            let url = paper.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
            reference.text == format!("{}{url}", paper.title)
        });
        assert!(known, "a reference to nothing: {}", reference.text);
    }
    let prose = article.prose();
    let is_handle = |word: &&str| word.strip_prefix('S').is_some_and(|rest| rest.parse::<u32>().is_ok());
    let handle = prose.split(|c: char| !c.is_ascii_alphanumeric()).find(is_handle);
    assert_eq!(handle, None, "a handle stands in the prose");
    assert_eq!(made.number("/sources/given"), corpus.papers.len() as f64);
    assert_eq!(made.number("/sources/cited"), article.references.len() as f64);
    let coverage = made.number("/sources/coverage");
    assert!(coverage >= 0.95, "coverage is {coverage}");
    for unit in made.degraded() {
        for field in ["stage", "unit", "reason", "instead"] {
            assert!(unit[field].as_str().is_some_and(|text| !text.is_empty()), "no {field} in {unit}");
        }
        assert!(STAGES.contains(&unit["stage"].as_str().unwrap()), "{unit}");
    }
}
