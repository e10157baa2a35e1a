//! JSON Lines: a survey per line, `{"title", "papers": [{"title", "abstract"?, "txt", "url"?, ...}]}`, or a paper per
//! line.
//!
//! A line may be larger than memory, so its papers are handed out during parsing, one at a time. Each paper is parsed
//! on its own, so a bad paper costs no other. A line that breaks off keeps the papers before the break.

use std::fmt;
use std::io::BufRead;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Map;
use serde_json::value::RawValue;

use super::intake::{Intake, Open, one_line};
use super::line::Lines;
use super::record::{self, Fields};
use super::{
    document::{Error, Survey},
    problem::Origin,
    slug::stem,
};

/// Hands out everything in `input`, the contents of the file at `path`.
pub(super) fn read(input: impl BufRead, path: &Path, intake: &mut Intake) -> Result<(), Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let mut lines = Lines::new(input);
    while lines.advance().map_err(unreadable)? {
        let mut line = Line {
            origin: Origin::line(path, lines.number()),
            intake: &mut *intake,
            open: Open::default(),
            fields: Vec::new(),
            has_papers: false,
            failure: None,
        };
        let mut parser = serde_json::Deserializer::from_reader(&mut lines);
        let parsed = line.deserialize_with(&mut parser).and_then(|()| parser.end());
        let broken = match parsed {
            Err(error) if error.is_io() => return Err(unreadable(error.into())),
            Err(error) => Some(error),
            Ok(()) => None,
        };
        line.finish(broken, lines.mends())?;
    }
    if lines.number() == 0 {
        intake.problem(Origin::file(path).dropped("the file is empty"))?;
    }
    Ok(())
}

/// A line during parsing.
struct Line<'i, 's> {
    origin: Origin,
    intake: &'i mut Intake<'s>,
    open: Open,
    /// All fields but the papers.
    fields: Vec<(String, Box<RawValue>)>,
    has_papers: bool,
    /// An error of ingestion, on its way through the parser.
    failure: Option<Error>,
}

impl Line<'_, '_> {
    fn deserialize_with<'de, D: Deserializer<'de>>(&mut self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_map(LineVisitor(self))
    }

    /// Passes an error of ingestion through the parser, unchanged.
    fn through<E: serde::de::Error>(&mut self, outcome: Result<(), Error>) -> Result<(), E> {
        outcome.map_err(|error| {
            self.failure = Some(error);
            E::custom("stopped")
        })
    }

    fn paper(&mut self, index: usize, raw: &RawValue) -> Result<(), Error> {
        let origin = self.origin.field(format_args!("papers[{index}]"));
        match record::fields(raw) {
            Ok(fields) => {
                let draft = record::draft(fields, &origin, self.intake)?;
                self.intake.document(&mut self.open, draft)
            }
            Err(error) => self.intake.problem(origin.dropped(record::reason(&error))),
        }
    }

    fn finish(mut self, broken: Option<serde_json::Error>, mends: super::line::Mends) -> Result<(), Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if let Some(at) = mends.bad_utf8 {
            let message = format!("not UTF-8: bad bytes, the first at byte {at} of the file, replaced with \u{fffd}");
            self.intake.problem(self.origin.changed(message))?;
        }
        if mends.controls > 0 {
            let message = format!("{} control character(s) replaced with spaces", mends.controls);
            self.intake.problem(self.origin.changed(message))?;
        }
        if let Some(error) = &broken {
            self.report(error)?;
        }
        if self.has_papers {
            self.survey()
        } else if self.is_source(broken.is_some()) {
            let draft = record::draft(Fields(self.fields), &self.origin, self.intake)?;
            self.intake.loose(draft)
        } else if broken.is_none() {
            self.intake.problem(self.origin.dropped("has neither papers, as a survey has, nor txt, as a source has"))
        } else {
            Ok(())
        }
    }

    /// True if the line is a paper. A broken line counts as a paper only beyond doubt: the rest might have made a
    /// survey.
    fn is_source(&self, broken: bool) -> bool {
        let has = |wanted: &str| self.fields.iter().any(|(name, _)| name == wanted);
        let has_text = record::TEXT.into_iter().any(has);
        if broken { has_text && self.intake.title().is_some() } else { has_text || has("abstract") }
    }

    fn report(&mut self, error: &serde_json::Error) -> Result<(), Error> {
        let mut message = format!("broken JSON at column {}: {}", error.column(), record::reason(error));
        if !self.open.is_empty() || self.is_source(true) {
            message.push_str("; what comes before it is kept");
        } else if error.is_eof() {
            message.push_str("; a survey must be on one line: is the file laid out over several?");
        }
        self.intake.problem(self.origin.dropped(message))
    }

    fn survey(self) -> Result<(), Error> {
        let Self { origin, intake, open, fields, .. } = self;
        let mut extra = Map::new();
        let mut title = None;
        for (name, raw) in fields {
            let at = origin.field(&name);
            if name == "title" {
                title = record::text_or_kept(name, &raw, &at, &mut extra, intake)?;
            } else {
                record::keep(name, &raw, &at, &mut extra, intake)?;
            }
        }
        let title = title_of(title, &origin, intake)?;
        intake.close(open, Survey { title, extra, origin })
    }
}

/// Returns the survey's own title, else the user's, else the file's name.
fn title_of(own: Option<String>, origin: &Origin, intake: &mut Intake) -> Result<String, Error> {
    let own = one_line(own.as_deref().unwrap_or_default());
    let given = intake.title();
    if own.is_empty() {
        let title = given.map(one_line).unwrap_or_else(|| stem(&origin.file));
        intake.problem(origin.field("title").changed(format!("the survey has no title: called \"{title}\"")))?;
        return Ok(title);
    }
    if intake.tells_of_titles() && given.is_some_and(|given| one_line(given) != own) {
        let message = format!("the survey keeps its own title, \"{own}\", not the one given for other sources");
        intake.problem(origin.field("title").warning(message))?;
    }
    Ok(own)
}

struct LineVisitor<'l, 'i, 's>(&'l mut Line<'i, 's>);

impl<'de> Visitor<'de> for LineVisitor<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a survey, which is an object with title and papers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "papers" {
                map.next_value_seed(Papers(&mut *self.0))?;
            } else {
                self.0.fields.push((name, map.next_value()?));
            }
        }
        Ok(())
    }
}

/// The papers of a survey, each handed out as soon as read.
struct Papers<'l, 'i, 's>(&'l mut Line<'i, 's>);

impl Papers<'_, '_, '_> {
    fn are<E: serde::de::Error>(self, kind: &str) -> Result<(), E> {
        self.0.has_papers = true;
        let problem = self.0.origin.field("papers").dropped(format!("should be a list of sources, but is {kind}"));
        let outcome = self.0.intake.problem(problem);
        self.0.through(outcome)
    }
}

impl<'de> DeserializeSeed<'de> for Papers<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Papers<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of sources")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut papers: A) -> Result<(), A::Error> {
        self.0.has_papers = true;
        let mut index = 0;
        while let Some(raw) = papers.next_element::<Box<RawValue>>()? {
            let outcome = self.0.paper(index, &raw);
            self.0.through::<A::Error>(outcome)?;
            index += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.are("an object")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.are("null")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.are("a boolean")
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.are("a number")
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.are("a number")
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.are("a number")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.are("a string")
    }
}
