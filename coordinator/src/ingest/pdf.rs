//! PDF: text page by page, so that a bad page doesn't cost the others.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use pdf_extract::{Dictionary, Document, Object, PlainTextOutput};

use super::intake::{Draft, Intake, one_line};
use super::{document::Error, problem::Origin, reflow};

/// The least letters and digits of a PDF with text: a scan may carry a stamp or a page number.
const SCARCE: usize = 20;

pub(super) fn read(bytes: &[u8], origin: &Origin, intake: &mut Intake) -> Result<Option<Draft>, Error> {
    let document = match open(bytes) {
        Ok(document) => document,
        Err(reason) => {
            intake.problem(origin.dropped(format!("a PDF that can't be read: {reason}")))?;
            return Ok(None);
        }
    };
    let Pages { texts, bad } = pages(&document);
    if let Some((page, reason)) = bad.first() {
        let message =
            format!("{} of {} pages can't be read, the first is page {page}: {reason}", bad.len(), texts.len());
        intake.problem(origin.dropped(message))?;
    }
    let letters: usize = texts.iter().map(|page| page.chars().filter(|c| c.is_alphanumeric()).count()).sum();
    if letters < SCARCE {
        if bad.is_empty() {
            intake.problem(origin.dropped("a PDF without text: scanned? Run OCR first, for example with ocrmypdf"))?;
        }
        return Ok(None);
    }
    let reflow::Reflowed { text, pages, furniture } = reflow::reflow(&texts);
    if furniture > 0 {
        intake.problem(origin.changed(format!("{furniture} running heads and page numbers left out")))?;
    }
    let mut draft = Draft { pages, ..Draft::new(text, origin) };
    draft.title = quietly(|| catch_unwind(AssertUnwindSafe(|| metadata_title(&document)))).unwrap_or_default();
    draft.title = draft.title.or_else(|| first_line(&draft.text));
    Ok(Some(draft))
}

fn open(bytes: &[u8]) -> Result<Document, String> {
    let parsed = quietly(|| {
        catch_unwind(|| {
            let mut document = Document::load_mem(bytes).map_err(|error| error.to_string())?;
            if document.is_encrypted() && document.decrypt("").is_err() {
                return Err("it is locked with a password".to_owned());
            }
            Ok(document)
        })
    });
    parsed.unwrap_or_else(|_| Err("it is malformed".to_owned()))
}

struct Pages {
    /// The text of each page, empty if unreadable.
    texts: Vec<String>,
    /// The numbers of unreadable pages, and the reasons.
    bad: Vec<(u32, String)>,
}

fn pages(document: &Document) -> Pages {
    let numbers = quietly(|| catch_unwind(AssertUnwindSafe(|| document.get_pages()))).unwrap_or_default();
    let mut pages = Pages { texts: Vec::new(), bad: Vec::new() };
    for number in numbers.into_keys() {
        let read = quietly(|| catch_unwind(AssertUnwindSafe(|| page(document, number))));
        match read.unwrap_or_else(|_| Err("it is malformed".to_owned())) {
            Ok(text) => pages.texts.push(text),
            Err(reason) => {
                pages.texts.push(String::new());
                pages.bad.push((number, reason));
            }
        }
    }
    pages
}

fn page(document: &Document, number: u32) -> Result<String, String> {
    let mut text = String::new();
    let mut output = PlainTextOutput::new(&mut text);
    pdf_extract::output_doc_page(document, &mut output, number).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Returns the title from the file's metadata, unless a program left it there.
fn metadata_title(document: &Document) -> Option<String> {
    let info = document.trailer.get(b"Info").ok()?;
    let info: &Dictionary = match info {
        Object::Reference(id) => document.get_dictionary(*id).ok()?,
        info => info.as_dict().ok()?,
    };
    let title = info.get(b"Title").ok()?;
    let title = match title {
        Object::Reference(id) => document.get_object(*id).ok()?,
        title => title,
    };
    let title = one_line(&pdf_extract::decode_text_string(title).ok()?);
    is_title(&title).then_some(title)
}

fn is_title(title: &str) -> bool {
    let lower = title.to_lowercase();
    let file_name = [".doc", ".docx", ".pdf", ".dvi", ".tex", ".ps", ".indd", ".qxd", ".rtf", ".html"];
    let leftover = ["untitled", "microsoft word", "microsoft powerpoint", "title", "slide 1", "arxiv:", "doi:"];
    (4..=300).contains(&title.chars().count())
        && title.chars().filter(|c| c.is_alphabetic()).count() * 2 > title.chars().count()
        && (title.contains(' ') || !title.is_ascii())
        && !file_name.iter().any(|end| lower.ends_with(end))
        && !leftover.iter().any(|start| lower.starts_with(start))
}

/// The most lines above a title.
const MOST_STAMPS: usize = 3;

/// Returns the first line of the text that isn't a stamp, if the line reads as a title.
fn first_line(text: &str) -> Option<String> {
    let paragraphs = text.split("\n\n").map(one_line);
    let line = paragraphs.filter(|line| !line.is_empty()).take(MOST_STAMPS + 1).find(|line| !is_stamp(line))?;
    let plausible = (2..=25).contains(&line.split(' ').count()) && line.chars().count() <= 200;
    (plausible && !line.ends_with(['.', ',', ';', ':']) && is_title(&line)).then_some(line)
}

/// True for lines that publishers and archives put above a title.
fn is_stamp(line: &str) -> bool {
    let lower = line.to_lowercase();
    let begins = ["arxiv:", "doi:", "doi ", "http", "issn", "preprint", "published in", "accepted", "©", "copyright"];
    let has = [" vol.", " no. ", "issn ", "doi.org/", "all rights reserved", "proceedings of"];
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    letters < 4 || begins.iter().any(|words| lower.starts_with(words)) || has.iter().any(|words| lower.contains(words))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs a function that may panic on foreign files, without the panic's report on the terminal. The outcome is reported
/// instead.
pub(super) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
    QUIET.set(true);
    let outcome = run();
    QUIET.set(false);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_below_what_archives_and_journals_put_above_it() {
        let title = |text: &str| first_line(text);
        let found = Some("Attention Mechanisms for Sleep Stage Classification".to_owned());
        let page = "arXiv:2101.01234v2 [cs.LG] 4 Jan 2021\n\nJournal of Sleep, Vol. 12, 2021\n\n17\n\n\
            Attention Mechanisms for Sleep\nStage Classification\n\nAnna Smith";
        assert_eq!(title(page), found);
        assert_eq!(title("doi: 10.1/2\n\nThis is a sentence, and no title."), None);
    }
}
