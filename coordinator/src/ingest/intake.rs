//! The intake of drafts from all readers: cleans and names documents, drops repetitions, and passes the rest on.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::{Map, Value};

use super::{
    document::{BoxError, Document, Error, Sink, Summary, Survey},
    normalise,
    problem::{Origin, Problem},
    references,
};

/// The most characters of a title: every prompt that lists sources has to have room for titles.
const LONGEST_TITLE: usize = 400;

/// A document as a reader found it.
pub(super) struct Draft {
    pub title: Option<String>,
    pub abstract_text: Option<String>,
    pub text: String,
    /// The byte of the text that each page begins at, from the second page on.
    pub pages: Vec<usize>,
    pub url: Option<String>,
    pub extra: Map<String, Value>,
    pub origin: Origin,
}

impl Draft {
    pub fn new(text: String, origin: &Origin) -> Self {
        Self {
            title: None,
            abstract_text: None,
            text,
            pages: Vec::new(),
            url: None,
            extra: Map::new(),
            origin: origin.clone(),
        }
    }
}

/// A survey whose documents are being read. The first document assigns its number.
#[derive(Default)]
pub(super) struct Open {
    number: Option<usize>,
    /// Titles so far, each with the number of sources of that title.
    titles: HashMap<String, usize>,
    /// Hashes of the texts so far, each with the title of its source.
    texts: HashMap<u64, String>,
}

impl Open {
    pub fn is_empty(&self) -> bool {
        self.number.is_none()
    }
}

pub(super) struct Intake<'a> {
    sink: &'a mut dyn Sink,
    title: Option<&'a str>,
    is_stand_in: bool,
    loose: Open,
    loose_origin: Option<Origin>,
    numbered: usize,
    summary: Summary,
}

impl<'a> Intake<'a> {
    pub fn new(sink: &'a mut dyn Sink, title: Option<&'a str>, is_stand_in: bool) -> Self {
        Self {
            sink,
            title,
            is_stand_in,
            loose: Open::default(),
            loose_origin: None,
            numbered: 0,
            summary: Summary::default(),
        }
    }

    /// Returns the title that the user gave.
    pub fn title(&self) -> Option<&'a str> {
        self.title
    }

    /// True if the user is to be warned of surveys that keep a title other than the given one.
    pub fn tells_of_titles(&self) -> bool {
        !self.is_stand_in
    }

    pub fn problem(&mut self, problem: Problem) -> Result<(), Error> {
        self.summary.problems += 1;
        self.sink.problem(problem).map_err(Error::Sink)
    }

    /// Takes a source that belongs to no survey.
    pub fn loose(&mut self, draft: Draft) -> Result<(), Error> {
        if self.title.is_none() {
            // Other surveys will become articles, so the source alone is dropped.
            return match self.numbered {
                0 => Err(Error::NoTitle { origin: draft.origin }),
                _ => self.problem(draft.origin.dropped("a source outside of any survey: --title makes one of such")),
            };
        }
        self.loose_origin.get_or_insert_with(|| draft.origin.clone());
        let mut open = std::mem::take(&mut self.loose);
        let outcome = self.document(&mut open, draft);
        self.loose = open;
        outcome
    }

    /// Takes a source of the survey `open`.
    pub fn document(&mut self, open: &mut Open, draft: Draft) -> Result<(), Error> {
        let Draft { title, abstract_text, text, pages, url, extra, origin } = draft;
        let abstract_text = abstract_text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let Some((text, pages)) = self.text(text, &pages, abstract_text.as_deref(), title.as_deref(), &origin)? else {
            return Ok(());
        };
        let title = self.named(title, &text, &origin)?;
        let Some(title) = self.distinct(open, title, &text, &origin)? else {
            return Ok(());
        };
        let number = *open.number.get_or_insert_with(|| {
            self.numbered += 1;
            self.numbered - 1
        });
        self.summary.documents += 1;
        let document = Document { title, abstract_text, text, pages, url, extra, origin };
        self.hand(|sink| sink.document(number, document))
    }

    /// Ends a survey. A survey without documents is dropped and reported.
    pub fn close(&mut self, open: Open, survey: Survey) -> Result<(), Error> {
        let Some(number) = open.number else {
            let message = format!("the survey \"{}\" has no source with any text", survey.title);
            return self.problem(survey.origin.dropped(message));
        };
        self.summary.surveys += 1;
        self.hand(|sink| sink.survey(number, survey))
    }

    /// Ends the survey of loose sources, and the reading.
    pub fn finish(mut self) -> Result<Summary, Error> {
        let open = std::mem::take(&mut self.loose);
        if let (Some(title), Some(origin), false) = (self.title, self.loose_origin.take(), open.is_empty()) {
            self.close(open, Survey { title: title.to_owned(), extra: Map::new(), origin })?;
        }
        Ok(self.summary)
    }

    fn hand(&mut self, give: impl FnOnce(&mut dyn Sink) -> Result<(), BoxError>) -> Result<(), Error> {
        give(self.sink).map_err(Error::Sink)
    }

    /// Returns the cleaned text without its reference list, and the starts of its pages; the abstract if the text is
    /// empty.
    fn text(
        &mut self,
        text: String,
        pages: &[usize],
        abstract_text: Option<&str>,
        title: Option<&str>,
        origin: &Origin,
    ) -> Result<Option<(String, Vec<usize>)>, Error> {
        let clean = normalise::normalise(text, pages);
        if clean.controls > 0 {
            self.problem(origin.changed(format!("{} control character(s) removed", clean.controls)))?;
        }
        let (mut text, mut pages) = (clean.text, clean.marks);
        if let Some(list) = references::find(&text) {
            let lines = text[list.clone()].lines().count();
            self.problem(origin.changed(format!("its reference list left out ({lines} lines)")))?;
            for page in &mut pages {
                *page -= (*page).clamp(list.start, list.end) - list.start;
            }
            text.replace_range(list, "");
            text.truncate(text.trim_end().len());
        }
        if !text.trim().is_empty() {
            return Ok(Some((text, pages)));
        }
        let name = title.map(|title| format!(" (\"{}\")", title.trim())).unwrap_or_default();
        match abstract_text {
            Some(abstract_text) => {
                self.problem(origin.changed(format!("no text{name}: its abstract stands in for it")))?;
                Ok(Some((abstract_text.to_owned(), Vec::new())))
            }
            None => {
                self.problem(origin.dropped(format!("no text{name}")))?;
                Ok(None)
            }
        }
    }

    /// Returns the title on a single line. A source without a title is named by its first words.
    fn named(&mut self, title: Option<String>, text: &str, origin: &Origin) -> Result<String, Error> {
        let title = one_line(title.as_deref().unwrap_or_default());
        let length = title.chars().count();
        if length > LONGEST_TITLE {
            let title = first_chars(&title, LONGEST_TITLE);
            self.problem(origin.changed(format!("a title of {length} characters: cut to \"{title}\"")))?;
            return Ok(title);
        }
        if !title.is_empty() {
            return Ok(title);
        }
        let title = first_words(text);
        self.problem(origin.changed(format!("no title: called \"{title}\" after its first words")))?;
        Ok(title)
    }

    /// Returns a title unique within the survey, or `None` for a source that the survey already has.
    fn distinct(
        &mut self,
        open: &mut Open,
        title: String,
        text: &str,
        origin: &Origin,
    ) -> Result<Option<String>, Error> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(earlier) = open.texts.get(&hash) {
            self.problem(origin.dropped(format!("its text is that of an earlier source, \"{earlier}\"")))?;
            return Ok(None);
        }
        let nth = open.titles.entry(title.clone()).or_default();
        *nth += 1;
        if *nth == 1 {
            open.texts.insert(hash, title.clone());
            return Ok(Some(title));
        }
        let mut nth = *nth;
        let mut other = format!("{title} ({nth})");
        while open.titles.contains_key(&other) {
            nth += 1;
            other = format!("{title} ({nth})");
        }
        open.titles.insert(other.clone(), 1);
        open.texts.insert(hash, other.clone());
        self.problem(origin.changed(format!("another source has the title \"{title}\": called \"{other}\"")))?;
        Ok(Some(other))
    }
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().filter(|word| word.chars().any(|c| !c.is_control())).collect::<Vec<_>>().join(" ")
}

/// Returns the whole words in the first characters, with an ellipsis for the rest.
fn first_chars(text: &str, most: usize) -> String {
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    let whole = text[..end].rfind(' ').filter(|at| *at > end / 2).unwrap_or(end);
    format!("{}…", text[..whole].trim_end())
}

fn first_words(text: &str) -> String {
    let line = text
        .lines()
        .map(|line| line.trim_start_matches(['#', '-', '*', '>', ' ']))
        .find(|line| line.chars().any(char::is_alphanumeric));
    let mut title = String::new();
    for word in line.unwrap_or("Untitled").split_whitespace() {
        if !title.is_empty() && title.chars().count() + word.chars().count() >= 80 {
            title.push('…');
            break;
        }
        if !title.is_empty() {
            title.push(' ');
        }
        title.extend(word.chars().take(80));
    }
    title
}
