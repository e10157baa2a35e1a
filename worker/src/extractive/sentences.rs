//! Sentences of a text, word for word but for white space.

use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation;

use super::{
    blocks::{self, BlockPlace, TextBlock},
    quotable::flaw,
    terms::is_unspaced,
};

/// A sentence of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSentence {
    /// The words of the text, white space collapsed.
    pub text: String,
    /// The relative place: 0 for the text's beginning, towards 1 for its end.
    pub depth: f64,
    pub place: BlockPlace,
    /// The flaw as a quotation: 0 for none, from 1 on only for want of better sentences.
    pub flaw: f64,
}

/// The most words of a cut sentence, in text without full stops.
const CUT: usize = 40;

/// All sentences of a text in order, each but once. Empty only where the text holds no word.
pub fn sentences(text: &str) -> Vec<SourceSentence> {
    let blocks = blocks::prose(text);
    let mut seen = HashSet::new();
    let mut sentences: Vec<SourceSentence> = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        let depth = i as f64 / blocks.len() as f64;
        let mut first = true;
        for text in split(&block.text) {
            let flaw = flaw(&text) + blemish(block, std::mem::take(&mut first));
            if seen.insert(text.clone()) {
                sentences.push(SourceSentence { text, depth, place: block.place, flaw });
            }
        }
    }
    if sentences.is_empty() {
        sentences.extend(last_resort(text));
    }
    sentences
}

/// The flaw of a sentence for its place.
fn blemish(block: &TextBlock, first: bool) -> f64 {
    let aside = if block.place == BlockPlace::Aside { 0.3 } else { 0.0 };
    let item = if block.is_item { 0.12 } else { 0.0 };
    // A paragraph's first sentence leans least on earlier sentences.
    let inner = if first { 0.0 } else { 0.04 };
    aside + item + inner
}

/// The first line with a word, in a text without any prose.
fn last_resort(text: &str) -> Option<SourceSentence> {
    let wordy = |line: &&str| line.chars().any(char::is_alphabetic);
    let line = text.lines().map(|line| line.trim().trim_start_matches(['#', '>', '|', '-', '*']).trim()).find(wordy)?;
    Some(SourceSentence { text: cut(line), depth: 0.0, place: BlockPlace::Body, flaw: 9.0 })
}

/// The sentences of a block: Unicode's boundaries (UAX 29), without boundaries within abbreviations, code, brackets,
/// and names in lower case.
fn split(block: &str) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut open = String::new();
    for piece in block.split_sentence_bounds().flat_map(parts) {
        if !open.is_empty() && ends_here(&open, piece) {
            finish(&mut sentences, &mut open);
        }
        open.push_str(piece);
    }
    finish(&mut sentences, &mut open);
    sentences
}

/// The parts of a piece: opening marks belong to the sentence before, and code after a full stop begins a new sentence.
/// Unicode's rules miss the boundary before a name in lower case.
fn parts(piece: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(piece);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let marks = text.len() - text.trim_start_matches(['*', '_', '"', ')']).len();
        let cut = match text.find(". `") {
            _ if marks > 0 && text[marks..].starts_with(' ') => marks + 1,
            Some(at) => at + 2,
            None => return Some(text),
        };
        rest = Some(&text[cut..]).filter(|rest| !rest.is_empty());
        Some(&text[..cut])
    })
}

fn finish(sentences: &mut Vec<String>, open: &mut String) {
    let text = open.trim();
    if text.chars().any(char::is_alphabetic) {
        sentences.push(cut(text));
    }
    open.clear();
}

/// The longest text searched for open brackets, in bytes.
const LONG: usize = 900;

/// Tells whether the open sentence ends before the next piece.
fn ends_here(open: &str, next: &str) -> bool {
    if open.len() > LONG {
        return true;
    }
    let spaced = open.ends_with(char::is_whitespace) || open.ends_with(['。', '！', '？', '”', '」', '』', '）']);
    let starts_low = next.trim_start().chars().next().is_some_and(|c| c.is_lowercase() || ",;:.)".contains(c));
    let in_code = open.matches('`').count() % 2 == 1;
    let in_brackets = open.matches(['(', '（']).count() > open.matches([')', '）']).count();
    spaced && !starts_low && !in_code && !in_brackets && !ends_abbreviated(open)
}

const ABBREVIATIONS: [&str; 27] = [
    "e.g.", "i.e.", "etc.", "cf.", "vs.", "al.", "fig.", "figs.", "eq.", "eqs.", "sec.", "no.", "dr.", "mr.", "mrs.",
    "ms.", "prof.", "st.", "vol.", "pp.", "ca.", "approx.", "resp.", "inc.", "w.r.t.", "a.k.a.", "viz.",
];

fn ends_abbreviated(text: &str) -> bool {
    let last = text.trim_end().rsplit(|c: char| c.is_whitespace() || "([{\"“".contains(c)).next().unwrap_or_default();
    let lower = last.to_lowercase();
    let initial = last.chars().count() == 2 && last.starts_with(char::is_uppercase) && last.ends_with('.');
    // `etc.` and `no.` do end sentences; then a capital follows, and one sentence too long is better than two halves.
    initial || ABBREVIATIONS.contains(&lower.as_str())
}

/// Cuts overlong text at a word: such text is a list, a table or code without its form.
fn cut(text: &str) -> String {
    let mut length = 0;
    for (at, word) in text.split_word_bound_indices() {
        if word.chars().next().is_some_and(char::is_whitespace) && length >= 2 * CUT {
            return text[..at].split_whitespace().take(CUT).collect::<Vec<_>>().join(" ");
        }
        if length >= 6 * CUT && word.chars().next().is_some_and(|c| !is_unspaced(c) || length >= 8 * CUT) {
            return text[..at].to_owned();
        }
        length += usize::from(word.chars().next().is_some_and(char::is_alphanumeric));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        sentences(text).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn boundaries_are_not_seen_in_code_brackets_and_abbreviations() {
        assert_eq!(
            texts("Use `a! b. C` here (see this. And that), e.g. Foo.\nThen\ngo on. 第一句。第二句！"),
            ["Use `a! b. C` here (see this. And that), e.g. Foo.", "Then go on.", "第一句。", "第二句！"]
        );
        assert_eq!(texts("It uses `a`. `b` is next."), ["It uses `a`.", "`b` is next."]);
        assert_eq!(texts("It is a **guard.** Like others."), ["It is a **guard.**", "Like others."]);
        assert_eq!(texts("## Only a heading"), ["Only a heading"]);
        assert!(texts("```\n```\n").len() <= 1);
    }

    proptest! {
        #[test]
        fn sentences_are_in_the_text(text in "([A-Za-z`(.)*>#|\\[\\]:!?。，汉字 -]|\n|Foo bar\\. |    ){0,120}") {
            let whole = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for sentence in texts(&text) {
                prop_assert!(whole.contains(&sentence), "{sentence:?} is not in {whole:?}");
            }
            prop_assert_eq!(texts(&text).is_empty(), !text.chars().any(char::is_alphabetic));
        }
    }
}
