//! Cuts a text that outgrows a window into pieces that fit.
//!
//! The crate `text-splitter` isn't used: it fills each chunk to the brim, so that the last may be a line long, and
//! searches for each end by measuring candidates that overlap. Here each stretch is counted about once, sums choose the
//! cuts, and each piece is counted once more to be sure.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::heading::{Fences, atx};

/// Ranks of a piece's start, best first. Headings come before, ranked by their levels, 1 to 6.
const PARAGRAPH: usize = 7;
const SENTENCE: usize = 8;
const LINE: usize = 9;
const CLAUSE: usize = 10;
const WORD: usize = 11;
const CHARACTER: usize = 12;
/// The cost of starting a piece at each rank, as a share of the ideal length: a piece may end farther off by the
/// difference to start the next at a better place.
const RELUCTANCE: [f64; 13] = [0.0, 0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 1.0];

/// Splits `text` into pieces of at most `max_tokens` tokens, as `count` counts them, and of about the same size.
///
/// Cuts are made before headings and between paragraphs; if pieces are still too long, between sentences, then after
/// commas, then between words, and at last characters. Nothing is lost: the pieces together are the text. An empty text
/// has no pieces. A single character of more than `max_tokens` tokens is a piece of its own.
///
/// Takes time in proportion to the text; `count` sees every part two or three times.
pub fn split(text: &str, max_tokens: usize, count: impl Fn(&str) -> usize) -> Vec<&str> {
    let max = max_tokens.max(1);
    let mut pieces = Vec::new();
    if !text.is_empty() {
        Splitter { text, max, count: &count }.cut(0..text.len(), max, &mut pieces);
    }
    pieces
}

/// A stretch of text that isn't cut.
struct Atom {
    start: usize,
    tokens: usize,
    /// The quality of the atom's start as a place for a cut.
    rank: usize,
}

struct Splitter<'t, 'c> {
    text: &'t str,
    max: usize,
    count: &'c dyn Fn(&str) -> usize,
}

impl<'t> Splitter<'t, '_> {
    /// Cuts `range` into pieces whose atoms sum up to `target` tokens, and again if the sum was too low.
    fn cut(&self, range: Range<usize>, target: usize, pieces: &mut Vec<&'t str>) {
        let atoms = self.atoms(range.clone(), target);
        let total: usize = atoms.iter().map(|atom| atom.tokens).sum();
        // Atoms sum up to more tokens than the joined text has: a text slightly too long may fit.
        if total > target && total <= target.saturating_add(target / 4) && self.fits(&self.text[range.clone()]) {
            pieces.push(&self.text[range]);
            return;
        }
        let mut starts = partition(&atoms, total, target);
        starts.push(range.end);
        for piece in starts.windows(2) {
            let text = &self.text[piece[0]..piece[1]];
            if text.chars().nth(1).is_none() || self.fits(text) {
                pieces.push(text);
            } else if target > 1 {
                self.cut(piece[0]..piece[1], target - target.div_ceil(10), pieces);
            } else {
                pieces.extend(text.split_inclusive(|_| true));
            }
        }
    }

    fn fits(&self, text: &str) -> bool {
        (self.count)(text) <= self.max
    }

    fn atoms(&self, range: Range<usize>, target: usize) -> Vec<Atom> {
        // Fine enough for pieces of even length, coarse enough to leave most paragraphs whole.
        let fine = (target / 8).max(1);
        let mut atoms = Vec::new();
        for (start, end, rank) in blocks(self.text, range) {
            self.refine(start..end, rank, &CUTTERS, fine, &mut atoms);
        }
        atoms
    }

    /// Adds a stretch. A stretch of more than `fine` tokens is cut with the first of `cutters`, and its parts with the
    /// rest.
    fn refine(&self, range: Range<usize>, rank: usize, cutters: &[Cutter], fine: usize, atoms: &mut Vec<Atom>) {
        let stretch = &self.text[range.clone()];
        // A stretch of such length has too many tokens for sure, so counting would be waste.
        let long = stretch.len() / 64 > fine;
        let tokens = if long && !cutters.is_empty() { usize::MAX } else { (self.count)(stretch) };
        match cutters {
            [cutter, finer @ ..] if tokens > fine => {
                let mut start = range.start;
                let mut rank = rank;
                for (part, next_rank) in cutter(stretch, fine) {
                    let end = start + part.len();
                    self.refine(start..end, rank, finer, fine, atoms);
                    (start, rank) = (end, next_rank);
                }
            }
            _ => atoms.push(Atom { start: range.start, tokens, rank }),
        }
    }
}

/// Cuts a stretch into parts, each with the rank of its end.
type Cutter = fn(&str, usize) -> Vec<(&str, usize)>;

const CUTTERS: [Cutter; 5] = [sentences, clauses, words, runs_of_characters, characters];

fn sentences(text: &str, _: usize) -> Vec<(&str, usize)> {
    let rank = |sentence: &str| {
        let complete = sentence.trim_end().ends_with(['.', '!', '?', '。', '！', '？', ':', ';', '"', '”', ')']);
        if complete || !sentence.ends_with('\n') { SENTENCE } else { LINE }
    };
    text.split_sentence_bounds().map(|sentence| (sentence, rank(sentence))).collect()
}

/// Groups clauses, and entries of a list or an object, up to the size of groups of words.
fn clauses(text: &str, fine: usize) -> Vec<(&str, usize)> {
    let ends_clause = |before: &str| match before.trim_end_matches([' ', '\n']) {
        clause if clause.len() < before.len() => clause.ends_with([',', ';']),
        clause => clause.ends_with(['，', '；', '、']),
    };
    let starts = text.char_indices().filter(|(at, c)| !c.is_whitespace() && ends_clause(&text[..*at]));
    runs(text, starts.map(|(at, _)| at), fine, CLAUSE)
}

/// Groups words as long as they surely have at most `fine` tokens: no token is shorter than a byte.
fn words(text: &str, fine: usize) -> Vec<(&str, usize)> {
    runs(text, text.split_word_bound_indices().map(|(at, _)| at), fine, WORD)
}

fn runs_of_characters(text: &str, fine: usize) -> Vec<(&str, usize)> {
    runs(text, text.grapheme_indices(true).map(|(at, _)| at), fine, CHARACTER)
}

fn characters(text: &str, _: usize) -> Vec<(&str, usize)> {
    text.split_inclusive(|_| true).map(|character| (character, CHARACTER)).collect()
}

/// Returns parts of at most `length` bytes, or more if no start lies between.
fn runs(text: &str, starts: impl Iterator<Item = usize>, length: usize, rank: usize) -> Vec<(&str, usize)> {
    let mut runs = Vec::new();
    let (mut start, mut last) = (0, 0);
    for at in starts.chain([text.len()]) {
        if at - start > length && last > start {
            runs.push((&text[start..last], rank));
            start = last;
        }
        last = at;
    }
    runs.push((&text[start..], rank));
    runs
}

/// Returns start, end and rank of every paragraph, including the blank lines after it. A heading belongs to the text
/// below.
fn blocks(text: &str, range: Range<usize>) -> Vec<(usize, usize, usize)> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut fences = Fences::default();
    let mut at = range.start;
    let (mut after_blank, mut only_headings) = (true, false);
    for line in text[range.clone()].split_inclusive('\n') {
        let in_code = fences.is_open();
        let code = fences.covers(line);
        let level = atx(line.trim_end()).map(|(level, _)| level).filter(|_| !code);
        let blank = line.trim().is_empty();
        let rank = match level {
            Some(level) => level,
            None if in_code => LINE,
            None => PARAGRAPH,
        };
        let new = level.is_some() || (after_blank && !blank);
        if starts.is_empty() || (new && !only_headings) {
            starts.push((at, rank));
        }
        only_headings = level.is_some() || (only_headings && blank);
        after_blank = blank;
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([range.end]);
    starts.iter().zip(ends).map(|((start, rank), end)| (*start, end, *rank)).collect()
}

/// Returns the starts of pieces of at most `target` tokens, all about as long, each at the best place nearby.
fn partition(atoms: &[Atom], total: usize, target: usize) -> Vec<usize> {
    let mut starts = Vec::new();
    let (mut next, mut left) = (0, total);
    while next < atoms.len() {
        starts.push(atoms[next].start);
        if left <= target {
            break;
        }
        let (end, tokens) = piece(&atoms[next..], left, target);
        next += end;
        left -= tokens;
    }
    starts
}

/// Returns the number of atoms in the next piece, and their tokens. `left` tokens are still to be cut.
fn piece(atoms: &[Atom], left: usize, target: usize) -> (usize, usize) {
    let pieces = left.div_ceil(target);
    let ideal = left as f64 / pieces as f64;
    let mut best = (1, atoms[0].tokens);
    let mut least = f64::INFINITY;
    let mut sum = 0;
    for (index, pair) in atoms.windows(2).enumerate() {
        sum += pair[0].tokens;
        if sum > target {
            break;
        }
        let off = (sum as f64 / ideal - 1.0).abs();
        let overflow = if left - sum > (pieces - 1) * target { 0.3 } else { 0.0 };
        let cost = off + RELUCTANCE[pair[1].rank] + overflow;
        // Prefers the longest of the pieces that are too short, then the cheapest of the others.
        if (sum as f64) < ideal / 2.0 || cost < least {
            best = (index + 1, sum);
            least = if (sum as f64) < ideal / 2.0 { f64::INFINITY } else { cost };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    #[test]
    fn cuts_fall_on_headings_first_and_leave_no_tiny_tail() {
        let section = |n: usize| format!("## Section {n}\n\n{}\n\n", "A few words to read. ".repeat(10).trim_end());
        let text: String = (0..8).map(section).collect();
        let pieces = split(&text, 120, words);
        assert_eq!(pieces.concat(), text);
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| piece.starts_with("## Section") && words(piece) == 106));
    }

    #[test]
    fn a_heading_in_code_is_none_and_a_paragraph_is_cut_between_sentences() {
        let code = format!("```sh\n{}```\n", "# no heading\nmake all\n".repeat(3));
        assert_eq!(split(&code, 1000, words).len(), 1);
        let prose = "One two three four. ".repeat(20);
        let pieces = split(&prose, 30, words);
        assert!(pieces.len() <= 4 && pieces.iter().all(|piece| piece.ends_with(". ")), "{pieces:?}");
    }

    #[test]
    fn an_object_is_cut_between_its_entries_and_no_number_within() {
        let object: String = (0..300).map(|i| format!("\"key {i}\": \"value {i} of 1,000\", ")).collect();
        let pieces = split(&object, 60, words);
        assert_eq!(pieces.concat(), object);
        assert!(pieces.len() > 20 && pieces.iter().all(|piece| piece.starts_with("\"key") && piece.ends_with("\", ")));
    }

    #[test]
    fn megabytes_are_counted_a_few_times_only() {
        let paragraph = "Some words of a paragraph that is not too long. ".repeat(8) + "\n\n";
        let long_line = "word ".repeat(200_000);
        for text in [paragraph.repeat(2_000), long_line.clone(), long_line.replace(' ', "")] {
            let seen = std::cell::Cell::new(0);
            let pieces = split(&text, 2_000, |piece| {
                seen.set(seen.get() + piece.len());
                piece.len().div_ceil(4)
            });
            assert_eq!(pieces.concat(), text);
            assert!(seen.get() <= 4 * text.len(), "{} bytes counted of {}", seen.get(), text.len());
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_piece_fits(
            text in "([a-z]{1,9}[ .\n]{1,3}|#{1,3} [a-z]{1,5}\n|\n\n|```\n|[^a]|文。){0,200}",
            max in 1_usize..60,
        ) {
            let tokens = |text: &str| text.chars().count();
            let pieces = split(&text, max, tokens);
            prop_assert_eq!(pieces.concat(), text.as_str());
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty() && tokens(piece) <= max));
            // No tail that a neighbour could have taken.
            prop_assert!(pieces.windows(2).all(|pair| tokens(pair[0]) + tokens(pair[1]) > max / 4));
            // Even where the parts of a text count for less than the whole.
            let odd = |text: &str| text.len().pow(2) / 8 + 1;
            let pieces = split(&text, max, odd);
            prop_assert_eq!(pieces.concat(), text.as_str());
            prop_assert!(pieces.iter().all(|piece| odd(piece) <= max || piece.chars().count() == 1));
        }
    }
}
