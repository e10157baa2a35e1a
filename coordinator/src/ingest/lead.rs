//! Takes a lead from a text without an abstract.

use unicode_segmentation::UnicodeSegmentation;

use super::heading::{Fences, atx, underline};

/// The least words of a paragraph of prose: shorter ones are captions, bylines or fields.
const PROSE: usize = 8;
/// The most paragraphs examined: a lead is at the start, and a text may be 100 MB.
const FAR: usize = 400;

/// Returns the lead of a text: its first paragraphs of prose, at most `max_words` words, in whole sentences as far as
/// they fit.
///
/// Headings, front matter, lists of fields, tables, code and images are skipped. A text without prose gives its first
/// words. Each Chinese or Japanese character counts as a word. Only an empty text (or `max_words` of 0) has an empty
/// lead.
pub fn lead(text: &str, max_words: usize) -> String {
    let paragraphs = paragraphs(text);
    let first = paragraphs.iter().position(|paragraph| words(paragraph) >= PROSE);
    let mut lead = String::new();
    let mut left = max_words;
    for paragraph in &paragraphs[first.unwrap_or(0)..] {
        let fitting = fit(paragraph, left, lead.is_empty());
        if !lead.is_empty() && !fitting.is_empty() {
            lead.push(' ');
        }
        lead.push_str(fitting);
        left -= words(fitting).min(left);
        if fitting.len() < paragraph.len() || left < PROSE {
            break;
        }
    }
    if lead.is_empty() {
        let start: String = text.chars().take(max_words.saturating_mul(20)).collect();
        return cut(&start, max_words).split_whitespace().collect::<Vec<_>>().join(" ");
    }
    lead
}

/// Returns the paragraphs at the start of a text that may be prose, each on a single line.
fn paragraphs(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut fences = Fences::default();
    let (mut after_blank, mut in_item) = (true, false);
    for line in text.lines() {
        let code = fences.covers(line);
        let blank = line.trim().is_empty();
        // A list item goes on in the lines right after it, and in indented ones after a gap.
        in_item = is_item(line) || (in_item && (blank || !after_blank || line.starts_with("  ")));
        let indented_code = after_blank && line.starts_with("    ");
        after_blank = blank || indented_code;
        if !code && !blank && !in_item && !indented_code && is_prose(line) {
            append(&mut found, line.trim());
        } else if found.last().is_some_and(|last| !last.is_empty()) {
            if found.len() == FAR {
                break;
            }
            found.push(String::new());
        }
    }
    found.retain(|paragraph| !paragraph.is_empty());
    found
}

fn append(paragraphs: &mut [String], line: &str) {
    if let Some(last) = paragraphs.last_mut() {
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(line);
    }
}

/// True if a line may belong to a paragraph: no heading, table, image, comment, rule or link definition.
fn is_prose(line: &str) -> bool {
    let line = line.trim_start();
    let marked = ["|", "![", "[![", "<", "---", "***", "___", "+-", ".. ", ":"];
    let defines_link = line.starts_with('[') && line.contains("]: ");
    atx(line).is_none()
        && underline(line).is_none()
        && !defines_link
        && !marked.iter().any(|mark| line.starts_with(mark))
}

/// True if a line starts an item of a list, or a quotation.
fn is_item(line: &str) -> bool {
    ["- ", "* ", "+ ", "> ", "• "].iter().any(|mark| line.trim_start().starts_with(mark))
}

/// Returns as many whole sentences of `paragraph` as `left` words allow. With `must`, a part of the first sentence if
/// no whole one fits.
fn fit(paragraph: &str, left: usize, must: bool) -> &str {
    let (mut end, mut used) = (0, 0);
    for (at, sentence) in paragraph.split_sentence_bound_indices() {
        used += words(sentence);
        if used > left {
            break;
        }
        // The text that a colon announces is cut off, or not prose.
        if end == 0 || !sentence.trim_end().ends_with(':') {
            end = at + sentence.len();
        }
    }
    match paragraph[..end].trim_end() {
        "" if must => cut(paragraph, left),
        whole => whole,
    }
}

fn cut(text: &str, max_words: usize) -> &str {
    let mut words = text.unicode_word_indices().take(max_words + 1);
    match (words.by_ref().take(max_words).last(), words.next()) {
        (Some((at, last)), Some(_)) => &text[..at + last.len()],
        (None, Some(_)) => "",
        (_, None) => text.trim_end(),
    }
}

fn words(text: &str) -> usize {
    text.unicode_words().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_the_first_prose_in_whole_sentences() {
        let text = "# Title\n\n- Start Date: 2014\n- Issue: [x](y)\n\n```rust\nfn code() {}\n```\n\n![logo](a.png)\n\n## Summary\n\n\
            This is the first sentence\nof the summary, wrapped. And a second one follows it here.\n\nMore.";
        assert_eq!(lead(text, 12), "This is the first sentence of the summary, wrapped.");
        assert!(lead(text, 100).ends_with("wrapped. And a second one follows it here. More."));
        assert_eq!(lead(text, 3), "This is the");
    }

    #[test]
    fn a_text_without_prose_still_has_a_lead() {
        assert_eq!(lead("# Only\n\n- a list\n- of things", 3), "# Only - a list");
        assert_eq!(
            lead("本文研究了注意力机制在长文本中的应用。其余从略。", 19),
            "本文研究了注意力机制在长文本中的应用。"
        );
        assert_eq!(lead("", 10), "");
    }
}
