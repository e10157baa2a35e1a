//! Markdown and plain text: finds the title and the front matter.

use serde_json::Value;

use super::{
    heading::{Fences, atx, underline},
    intake::Draft,
    problem::Origin,
};

/// The number of lines searched for headings: a title stands at the top.
const TOP: usize = 200;

/// Reads a text with an optional title in front matter or in a first-level heading. The front matter is moved unchanged
/// from the text to `extra`.
pub(super) fn read(text: String, origin: &Origin) -> Draft {
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let mut draft = Draft::new(String::new(), origin);
    let body = match front_matter(&text) {
        Some((matter, body)) => {
            draft.title = scalar(matter, &["title"]);
            draft.abstract_text = scalar(matter, &["abstract", "summary", "description"]);
            draft.url = scalar(matter, &["url", "link", "permalink"]).filter(|url| url.starts_with("http"));
            draft.extra.insert("front_matter".to_owned(), Value::from(matter.trim_end()));
            body
        }
        None => text.as_str(),
    };
    draft.title = draft.title.or_else(|| first_heading(body));
    draft.text = body.to_owned();
    draft
}

/// Splits off YAML between `---` or TOML between `+++` at the very start of a text.
fn front_matter(text: &str) -> Option<(&str, &str)> {
    let mark = text.get(..3).filter(|mark| matches!(*mark, "---" | "+++"))?;
    let start = text.find('\n')? + 1;
    if !text[..start].trim_end().eq(mark) {
        return None;
    }
    let mut at = start;
    for line in text[start..].split_inclusive('\n').take(TOP) {
        if line.trim_end() == mark || (mark == "---" && line.trim_end() == "...") {
            let matter = &text[start..at];
            // Prose may also stand between two rules: front matter has keys.
            return matter.contains([':', '=']).then_some((matter, &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

/// Returns the value of the first of `keys` that is a plain string on a single line.
fn scalar(matter: &str, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| {
        let value = matter.lines().find_map(|line| {
            let value = line.strip_prefix(key)?.trim_start();
            value.strip_prefix([':', '='])
        })?;
        let value = value.trim();
        let bare = |quote| value.strip_prefix(quote).and_then(|value: &str| value.strip_suffix(quote));
        let value = bare('"').or_else(|| bare('\'')).unwrap_or(value);
        (!value.is_empty() && !value.starts_with(['|', '>', '[', '{'])).then(|| value.to_owned())
    })
}

/// Returns the words of the first first-level heading, written `# so` or underlined with `=`.
fn first_heading(text: &str) -> Option<String> {
    let mut fences = Fences::default();
    let mut previous = "";
    for line in text.lines().take(TOP) {
        if fences.covers(line) {
            previous = "";
            continue;
        }
        match atx(line) {
            Some((1, words)) => return Some(plain(words)),
            _ if underline(line) == Some('=') && previous.chars().any(char::is_alphanumeric) => {
                return Some(plain(previous));
            }
            _ => previous = line,
        }
    }
    None
}

/// Removes emphasis and code marks from a heading.
fn plain(words: &str) -> String {
    words.replace(['`', '*'], "").trim().to_owned()
}
