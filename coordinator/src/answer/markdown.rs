//! An answer as Markdown.

use std::fmt::Write;

use tributary_protocol::settings::Language;

use super::placed::{PlacedAnswer, PlacedQuote};

/// The fixed words of the page.
struct Words {
    unanswered: &'static str,
    confidence: &'static str,
    quotes: &'static str,
    against: &'static str,
    page: &'static str,
}

const ENGLISH: Words = Words {
    unanswered: "The sources don't say.",
    confidence: "Confidence",
    quotes: "Quotes",
    against: "Against it",
    page: "p.",
};

const CHINESE: Words =
    Words {
        unanswered: "来源中没有答案。", confidence: "置信度", quotes: "引文", against: "相反的内容", page: "第"
    };

/// Renders the question, the answer, its confidence and quotes, and the objections.
pub(super) fn page(answer: &PlacedAnswer<'_>, language: Language) -> String {
    let words = match language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    };
    let mut page = format!("# {}\n\n", inert(answer.question));
    if answer.answered {
        let _ = writeln!(page, "{}\n\n{}: {:.1} / 5", paragraphs(answer.answer), words.confidence, answer.confidence);
    } else {
        let PlacedAnswer { chunks, sources, .. } = answer;
        let read = match language {
            Language::En => format!("{sources} sources were read in {chunks} chunks."),
            Language::Zh => format!("共读了 {sources} 个来源，{chunks} 段。"),
        };
        let _ = writeln!(page, "{} {read}", words.unanswered);
    }
    if !answer.quotes.is_empty() {
        let _ = writeln!(page, "\n## {}", words.quotes);
        answer.quotes.iter().for_each(|quote| shown(&mut page, quote, words));
    }
    if !answer.against.is_empty() {
        let _ = writeln!(page, "\n## {}", words.against);
        for objection in &answer.against {
            let _ = writeln!(page, "\n{}", inert(objection.text));
            objection.quotes.iter().for_each(|quote| shown(&mut page, quote, words));
        }
    }
    page.truncate(page.trim_end().len());
    page
}

/// Writes a quote and its place: `— S3, Title, "Heading", p. 4, https://…`.
fn shown(page: &mut String, quote: &PlacedQuote<'_>, words: &Words) {
    let _ = write!(page, "\n> {}\n>\n> — {}, {}", inert(quote.text), quote.source, inert(quote.title));
    if let Some(heading) = quote.heading {
        let _ = write!(page, ", “{}”", inert(heading));
    }
    if let Some(number) = quote.page {
        let _ = write!(page, ", {} {number}", words.page);
    }
    if let Some(url) = &quote.url {
        let _ = write!(page, ", {}", inert(url));
    }
    page.push('\n');
}

fn paragraphs(text: &str) -> String {
    text.split("\n\n").map(inert).filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Escapes a text into a single line without markup: a Markdown reader shows the same characters.
fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for c in word.chars() {
            if matches!(c, '\\' | '`' | '*' | '_' | '<' | '>' | '|' | '[' | ']' | '#' | '~' | '&' | '!') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    // Characters that would begin a list or a rule at the start of a line.
    match out.chars().next() {
        Some('-' | '+' | '=') => out.insert(0, '\\'),
        Some(c) if c.is_ascii_digit() => {
            let digits = out.len() - out.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if out[digits..].starts_with(['.', ')']) {
                out.insert(digits, '\\');
            }
        }
        _ => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(inert("a *b* <img> [3]\n`x_y`"), r"a \*b\* \<img\> \[3\] \`x\_y\`");
        assert_eq!((inert("1. one").as_str(), inert("- two").as_str()), (r"1\. one", r"\- two"));
        assert_eq!(inert("1987"), "1987");
    }
}
