//! HTML: rendered to text with headings, lists and tables, without links.

use std::panic::{AssertUnwindSafe, catch_unwind};

use html2text::config;
use html2text::render::{TaggedLine, TextDecorator};

use super::intake::{Draft, one_line};
use super::{document::Error, intake::Intake, pdf::quietly, problem::Origin};

/// Wide enough that prose isn't wrapped: a paragraph is a line. Tables are drawn as wide as their cells.
const WIDTH: usize = 100_000;
/// The least bytes of a main element with content. A smaller element is filled by a script that doesn't run here, or
/// isn't the main part.
const LITTLE: usize = 1_000;

pub(super) fn read(html: &str, origin: &Origin, intake: &mut Intake) -> Result<Option<Draft>, Error> {
    let main = inner(html, "main").filter(|main| main.len() >= LITTLE);
    let text = match quietly(|| catch_unwind(AssertUnwindSafe(|| render(main.unwrap_or(html))))) {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            intake.problem(origin.dropped(format!("HTML that can't be read: {error}")))?;
            return Ok(None);
        }
        Err(_) => {
            intake.problem(origin.dropped("HTML that can't be read: the parser gave up"))?;
            return Ok(None);
        }
    };
    if main.is_some() {
        intake.problem(origin.changed("only its <main> element is read: menus and the like are left out"))?;
    }
    let mut draft = Draft::new(text, origin);
    draft.title = element(html, "title").or_else(|| element(html, "h1"));
    Ok(Some(draft))
}

fn render(html: &str) -> Result<String, html2text::Error> {
    config::with_decorator(Plain)
        .no_table_borders()
        .no_link_wrapping()
        .allow_width_overflow()
        .string_from_read(html.as_bytes(), WIDTH)
}

/// Returns the text of the first element called `name`.
fn element(html: &str, name: &str) -> Option<String> {
    // Wrapped in an element of its own, so that entities and markup are read as in the page.
    let html = format!("<p>{}</p>", inner(html, name)?);
    let text = quietly(|| catch_unwind(AssertUnwindSafe(|| render(&html)))).ok()?.ok()?;
    Some(one_line(&text)).filter(|text| !text.is_empty())
}

/// Returns the content of the first element called `name`.
fn inner<'h>(html: &'h str, name: &str) -> Option<&'h str> {
    let tag = &html[find_tag(html, &format!("<{name}"))?..];
    let inner = &tag[tag.find('>')? + 1..];
    Some(&inner[..find_tag(inner, &format!("</{name}"))?])
}

/// Finds the start of a tag, in upper or lower case.
fn find_tag(html: &str, tag: &str) -> Option<usize> {
    let ends = |after: Option<&u8>| after.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    let bytes = html.as_bytes();
    html.match_indices('<').map(|(at, _)| at).find(|&at| {
        let end = at + tag.len();
        bytes.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(tag.as_bytes())) && ends(bytes.get(end))
    })
}

/// Marks headings and lists as Markdown does, and nothing else: brackets around links would read as citations.
#[derive(Clone, Copy)]
struct Plain;

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, _: &str) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_link_end(&mut self) -> String {
        String::new()
    }
    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_em_end(&self) -> String {
        String::new()
    }
    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_strong_end(&self) -> String {
        String::new()
    }
    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }
    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_code_end(&self) -> String {
        String::new()
    }
    fn decorate_superscript_start(&self) -> (String, ()) {
        ("^".to_owned(), ())
    }
    fn decorate_superscript_end(&self) -> String {
        String::new()
    }
    fn decorate_preformat_first(&self) {}
    fn decorate_preformat_cont(&self) {}
    fn decorate_image(&mut self, _: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }
    fn header_prefix(&self, level: usize) -> String {
        "#".repeat(level) + " "
    }
    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }
    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }
    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }
    fn make_subblock_decorator(&self) -> Self {
        *self
    }
    fn finalise(&mut self, _: Vec<String>) -> Vec<TaggedLine<()>> {
        Vec::new()
    }
}
