//! Answers without a language model: the passages that share the most telling words with the question.
//!
//! A passage that shares the question's words isn't known to answer it, so no confidence is above what follows from a text
//! with an assumption.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use tributary_protocol::answer::finding::{Answer, Confidence, Finding, Quote};
use unicode_segmentation::UnicodeSegmentation;

use super::heading::heading_before;
use crate::extractive::terms::terms;

/// The share of the question's words, weighted by how telling they are, that a passage has at least.
const LEAST_COVERAGE: f64 = 1.0 / 3.0;

/// A passage stands beside the best one where it covers at least this share of what the best covers.
const NEARLY_BEST: f64 = 0.75;

/// Words of a passage at most, and words that it shares with the passage before where a sentence is longer.
const PASSAGE: usize = 60;
const SHARED: usize = 15;

/// Words of a passage at the least: fewer say nothing by themselves.
const FEWEST_WORDS: usize = 3;

/// What a word counts that stands in the title or heading above a passage, of what it counts in the passage.
const OF_CONTEXT: f64 = 0.6;

/// Passages that an answer is made of, at most.
const MOST_PASSAGES: usize = 6;

/// A passage of a text that bears on a question.
#[derive(Debug, PartialEq)]
pub(super) struct Passage {
    pub bytes: Range<usize>,
    /// The share of the question's words that it has, weighted by how telling they are: from 0 to 1.
    pub coverage: f64,
}

/// The confidence of an answer whose passages cover so much of the question.
pub(super) fn confidence(coverage: f64) -> Confidence {
    Confidence::of(coverage * Confidence::UNQUOTED.mark())
}

/// The passages of a text that bear on a question, the one that does so most first. `about` is what the text is about: its
/// source's title, to which the headings in the text are added.
pub(super) fn find(text: &str, about: &str, question: &str, most: usize) -> Vec<Passage> {
    let passages = passages(text);
    let words: Vec<HashSet<String>> = passages.iter().map(|bytes| words_of(&text[bytes.clone()])).collect();
    let weights = WordWeights::of(question, &words);
    let title = words_of(about);
    let mut found = Vec::new();
    for (bytes, words) in passages.into_iter().zip(words) {
        // Only what has some of the words itself is worth a look at the heading above it.
        if weights.has_any(&words) {
            let heading = heading_before(text, bytes.start).unwrap_or_default();
            let coverage = weights.coverage(&words, &(&title | &words_of(&heading)));
            found.push(Passage { bytes, coverage });
        }
    }
    found.retain(|passage| passage.coverage >= LEAST_COVERAGE);
    found.sort_by(|a, b| b.coverage.total_cmp(&a.coverage).then(a.bytes.start.cmp(&b.bytes.start)));
    let best = found.first().map_or(0.0, |passage| passage.coverage);
    found.retain(|passage| passage.coverage >= best * NEARLY_BEST);
    without_overlaps(found, most)
}

/// Passages of one sentence overlap: of two that do, the first stands.
fn without_overlaps(found: Vec<Passage>, most: usize) -> Vec<Passage> {
    let mut kept: Vec<Passage> = Vec::new();
    for passage in found {
        let overlaps = |other: &Passage| passage.bytes.start < other.bytes.end && other.bytes.start < passage.bytes.end;
        if kept.len() < most && !kept.iter().any(overlaps) {
            kept.push(passage);
        }
    }
    kept
}

/// The sentences of a text; long ones in pieces that share some words, so that nothing is cut apart in all of them. Pieces
/// are whole clauses, or whole entries of a list, where these are short enough.
fn passages(text: &str) -> Vec<Range<usize>> {
    let mut passages = Vec::new();
    let flowing = flowing(text);
    // A heading says what the text is about, and nothing of it.
    let sentences = flowing.split_sentence_bound_indices().filter(|(_, sentence)| !sentence.starts_with('#'));
    for (start, sentence) in sentences {
        let words: Vec<(usize, &str)> = sentence.unicode_word_indices().collect();
        if words.len() < FEWEST_WORDS {
            continue;
        }
        let ends_clause = |word: usize| {
            let (at, text) = words[word];
            let next = words.get(word + 1).map_or(sentence.len(), |(next, _)| *next);
            sentence[at + text.len()..next].contains([',', ';', '，', '；', '、'])
        };
        let mut first = 0;
        loop {
            let end = (first + PASSAGE).min(words.len());
            let is_end = end == words.len();
            let last = match is_end {
                true => end - 1,
                false => (first + SHARED..end).rev().find(|word| ends_clause(*word)).unwrap_or(end - 1),
            };
            let lead = sentence.len() - sentence.trim_start().len();
            let from = if first == 0 { lead } else { words[first].0 };
            let to = if is_end { sentence.trim_end().len() } else { words[last].0 + words[last].1.len() };
            passages.push(start + from..start + to);
            if is_end {
                break;
            }
            let shared = last + 1 - SHARED;
            first = (shared..=last).find(|word| ends_clause(word - 1)).unwrap_or(shared);
        }
    }
    passages
}

/// The text, byte for byte as long, with blanks for the line ends within its paragraphs: a printed line ends no sentence.
fn flowing(text: &str) -> String {
    let mut flowing = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map_or("", |next| next.trim());
        let starts_anew = next.is_empty()
            || next.starts_with(['#', '-', '*', '+', '|', '>', '`', '~', '•'])
            || next.starts_with(|c: char| c.is_ascii_digit());
        let stands_alone = line.trim_start().starts_with(['#', '|', '`', '~']);
        match line.strip_suffix('\n') {
            Some(words) if !starts_anew && !stands_alone => {
                flowing.push_str(words);
                flowing.push(' ');
            }
            _ => flowing.push_str(line),
        }
    }
    flowing
}

/// The telling words of a text: terms, and whatever has a digit in it, such as keys and numbers.
fn words_of(text: &str) -> HashSet<String> {
    let keys = text.unicode_words().filter(|word| word.contains(|c: char| c.is_ascii_digit()));
    terms(text).into_iter().chain(keys.map(str::to_lowercase)).collect()
}

/// How telling each of a question's words is among some passages: the fewer have it, the more.
struct WordWeights(HashMap<String, f64>);

impl WordWeights {
    fn of(question: &str, passages: &[HashSet<String>]) -> Self {
        let weight = |word: &String| {
            let holders = passages.iter().filter(|words| words.contains(word)).count();
            (1.0 + passages.len() as f64 / (holders as f64 + 1.0)).ln()
        };
        Self(words_of(question).into_iter().map(|word| (word.clone(), weight(&word))).collect())
    }

    /// The share of the question that some words cover; words of their context count for less.
    fn coverage(&self, words: &HashSet<String>, context: &HashSet<String>) -> f64 {
        // In a fixed order, so that the sums round the same way in every process.
        let mut all: Vec<(&String, &f64)> = self.0.iter().collect();
        all.sort_by(|a, b| a.0.cmp(b.0));
        let total: f64 = all.iter().map(|(_, weight)| **weight).sum();
        let share = |word: &String| match (words.contains(word), context.contains(word)) {
            (true, _) => 1.0,
            (false, true) => OF_CONTEXT,
            (false, false) => 0.0,
        };
        let covered: f64 = all.iter().map(|(word, weight)| share(word) * **weight).sum();
        if total > 0.0 { covered / total } else { 0.0 }
    }

    fn has_any(&self, words: &HashSet<String>) -> bool {
        self.0.keys().any(|word| words.contains(word))
    }
}

/// The surest of some findings, as many as have room, and fewer than there were: else nothing would be gained.
pub(super) fn collapse(findings: &[Finding], room: u32) -> Vec<Finding> {
    Finding::surest(findings, findings.len().saturating_sub(1), room)
}

/// The passages of all findings that bear on the question most: those of sure findings first, and of these the ones that share
/// most words with it.
pub(super) fn conclude(findings: &[Finding], question: &str) -> Answer {
    let quotes: Vec<(&Finding, &Quote)> =
        findings.iter().flat_map(|finding| finding.quotes.iter().map(move |quote| (finding, quote))).collect();
    let words: Vec<HashSet<String>> = quotes.iter().map(|(_, quote)| words_of(&quote.text)).collect();
    let weights = WordWeights::of(question, &words);
    let weigh = |(place, words): (usize, &HashSet<String>)| {
        let (finding, quote) = quotes[place];
        let heading = quote.heading.as_deref().map(words_of).unwrap_or_default();
        let surest = finding.confidence.mark() / Confidence::UNQUOTED.mark();
        (weights.coverage(words, &heading) * surest, place)
    };
    let mut ranked: Vec<(f64, usize)> = words.iter().enumerate().map(weigh).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let best = ranked.first().map_or(0.0, |(weight, _)| *weight);
    let mut said = HashSet::new();
    let chosen: Vec<(&Finding, &Quote)> = ranked
        .into_iter()
        .filter(|(weight, _)| *weight > 0.0 && *weight >= best * NEARLY_BEST)
        .map(|(_, place)| quotes[place])
        .filter(|(_, quote)| said.insert(quote.text.to_lowercase()))
        .take(MOST_PASSAGES)
        .collect();
    let Some(confidence) = chosen.iter().map(|(finding, _)| finding.confidence).max() else {
        return Answer::nothing();
    };
    let text = chosen.iter().map(|(_, quote)| quote.text.as_str()).collect::<Vec<_>>().join(" ");
    let quotes = chosen.into_iter().map(|(_, quote)| quote.clone()).collect();
    Answer { text, confidence, quotes, against: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passage_that_has_the_question_s_rare_words_is_found_in_noise() {
        let noise = "The grass is green. The sky is blue. The sun is yellow. Here we go. ";
        let text = format!("{}The pass key is 71432. Remember it. {}", noise.repeat(50), noise.repeat(50));
        let found = find(&text, "", "What is the pass key?", 3);
        assert_eq!(&text[found[0].bytes.clone()], "The pass key is 71432.");
        assert_eq!(find(&noise.repeat(50), "", "What is the pass key?", 3), []);
    }

    #[test]
    fn a_sentence_goes_on_over_printed_lines_and_its_heading_counts() {
        let text = "# Costs of dredging\nAll agree that the\nyearly price is high.\n\n# Ducks\nThe yearly price of bread is low.\n";
        let found = find(text, "", "What is the yearly price of dredging?", 1);
        assert_eq!(&text[found[0].bytes.clone()], "All agree that the\nyearly price is high.");
    }

    #[test]
    fn a_pair_in_a_text_without_sentences_is_found_whole() {
        let pair = |i: u32| format!("\"{:08x}-{:04x}\": \"v{i:05}\"", i.wrapping_mul(2_654_435_761), i);
        let text = (0..2_000).map(pair).collect::<Vec<_>>().join(", ");
        for i in [0, 7, 60, 999, 1_999] {
            let key = pair(i).split('"').nth(1).unwrap().to_owned();
            let found = find(&text, "", &format!("Which value has the key \"{key}\"?"), 1);
            assert!(text[found[0].bytes.clone()].contains(&format!("v{i:05}")), "{key}");
        }
    }

    #[test]
    fn a_key_is_never_found_without_the_value_behind_it() {
        let number = |i: u32| i.wrapping_mul(2_654_435_761);
        let entry = |i| format!("{:08x}-{i:04x}-{:08x}-{i:04x}-{:08x}", number(i), number(i + 1), number(i + 2));
        let pairs = (0..400).map(|i| format!("\"{}\": \"{}\"", entry(i), entry(i + 10_000)));
        let text = pairs.collect::<Vec<_>>().join(", ");
        for i in 0..60 {
            let found = find(&text, "", &format!("Which value has the key \"{}\"?", entry(i)), 1);
            assert!(text[found[0].bytes.clone()].contains(&entry(i + 10_000)), "{i}");
        }
    }
}
