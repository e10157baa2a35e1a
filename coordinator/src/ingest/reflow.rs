//! Joins the lines of a printed page into paragraphs.

use std::collections::{HashMap, HashSet};

/// The text of a PDF's pages as running text.
pub(super) struct Reflowed {
    pub text: String,
    /// The byte of the text that each page begins at, from the second page on.
    pub pages: Vec<usize>,
    /// Lines left out because pages repeat them: running heads and page numbers.
    pub furniture: usize,
}

/// Lines at the top and at the bottom of a page that may be furniture.
const EDGE: usize = 2;
/// The least letters for a line to be recognizable by its words.
const LEAST_LETTERS: usize = 8;
/// A line shorter than this share of the text's width ends a paragraph, in percent.
const SHORT: usize = 75;

pub(super) fn reflow(pages: &[String]) -> Reflowed {
    let mut pages: Vec<Vec<String>> = pages.iter().map(|page| page.lines().map(tidy).collect()).collect();
    let furniture = strip_furniture(&mut pages);
    let lines: Vec<(usize, String)> = pages
        .into_iter()
        .enumerate()
        .flat_map(|(number, mut page)| {
            page.push(String::new());
            page.into_iter().map(move |line| (number, line))
        })
        .collect();
    let Joined { text, pages } = join(&lines);
    Reflowed { text, pages, furniture }
}

/// Returns a line with single spaces and with ligatures as letters.
fn tidy(line: &str) -> String {
    let mut tidy = String::with_capacity(line.len());
    for word in line.split_whitespace() {
        if !tidy.is_empty() {
            tidy.push(' ');
        }
        for c in word.chars() {
            match c {
                'ﬀ' => tidy.push_str("ff"),
                'ﬁ' => tidy.push_str("fi"),
                'ﬂ' => tidy.push_str("fl"),
                'ﬃ' => tidy.push_str("ffi"),
                'ﬄ' => tidy.push_str("ffl"),
                'ﬅ' | 'ﬆ' => tidy.push_str("st"),
                c => tidy.push(c),
            }
        }
    }
    tidy
}

fn strip_furniture(pages: &mut [Vec<String>]) -> usize {
    // The first occurrence stays: the first running head may be the title itself.
    let mut met = HashSet::new();
    strip_stamps(pages, &mut met) + strip_edges(pages, &mut met)
}

fn strip_edges(pages: &mut [Vec<String>], met: &mut HashSet<String>) -> usize {
    let mut seen = HashMap::<String, usize>::new();
    for page in pages.iter() {
        for index in edges(page) {
            *seen.entry(pattern(&page[index])).or_default() += 1;
        }
    }
    // Left and right pages may have heads of their own, and chapters too.
    let often = (pages.len() / 3).max(3);
    let mut stripped = 0;
    for page in pages.iter_mut() {
        for index in edges(page) {
            let pattern = pattern(&page[index]);
            let times = seen.get(&pattern).copied().unwrap_or(0);
            let head = times >= often && !met.insert(pattern.clone());
            if head || (times > 1 && pages_number(&pattern)) {
                page[index].clear();
                stripped += 1;
            }
        }
    }
    stripped
}

/// Strips lines that every second page repeats word for word, anywhere in the file's order of drawing, and keeps the
/// first occurrence.
fn strip_stamps(pages: &mut [Vec<String>], met: &mut HashSet<String>) -> usize {
    let has_words = |line: &str| line.chars().filter(|c| c.is_alphabetic()).count() >= LEAST_LETTERS;
    let mut seen = HashMap::<String, usize>::new();
    for page in pages.iter() {
        let patterns: HashSet<_> = page.iter().filter(|line| has_words(line)).map(|line| pattern(line)).collect();
        patterns.into_iter().for_each(|pattern| *seen.entry(pattern).or_default() += 1);
    }
    let often = pages.len().div_ceil(2).max(3);
    seen.retain(|_, times| *times >= often);
    let mut stripped = 0;
    for line in pages.iter_mut().flatten().filter(|line| has_words(line)) {
        let pattern = pattern(line);
        if seen.contains_key(&pattern) && !met.insert(pattern) {
            line.clear();
            stripped += 1;
        }
    }
    stripped
}

/// Returns the first and the last lines of a page that aren't blank.
fn edges(page: &[String]) -> Vec<usize> {
    let filled: Vec<usize> = (0..page.len()).filter(|index| !page[*index].is_empty()).collect();
    let last = filled.len().saturating_sub(EDGE).max(EDGE.min(filled.len()));
    filled.iter().take(EDGE).chain(&filled[last..]).copied().collect()
}

/// Replaces every number of a line by a zero, so that page numbers compare equal.
fn pattern(line: &str) -> String {
    let mut pattern = String::new();
    for c in line.chars() {
        match c {
            c if c.is_ascii_digit() && pattern.ends_with('0') => {}
            c if c.is_ascii_digit() => pattern.push('0'),
            c => pattern.extend(c.to_lowercase()),
        }
    }
    pattern
}

fn pages_number(pattern: &str) -> bool {
    matches!(
        pattern.trim_matches(['-', '–', '—', ' ', '|', '[', ']']),
        "0" | "page 0" | "page 0 of 0" | "0 / 0" | "0/0"
    )
}

/// Lines joined to a text, and the starts of its pages.
struct Joined {
    text: String,
    pages: Vec<usize>,
}

/// Joins lines that a page's width has broken. Each line has the number of its page, from 0.
fn join(lines: &[(usize, String)]) -> Joined {
    let width = width(lines.iter().map(|(_, line)| line.as_str()));
    let (mut text, mut pages) = (String::new(), Vec::new());
    let (mut previous, mut gap) = (0, false);
    for (page, line) in lines {
        if line.is_empty() {
            gap = true;
            continue;
        }
        if !text.is_empty() {
            let short = previous * 100 < width * SHORT;
            connect(&mut text, line, short, gap);
        }
        pages.resize(*page, text.len());
        text.push_str(line);
        (previous, gap) = (line.chars().count(), false);
    }
    pages.resize(lines.last().map_or(0, |(page, _)| *page), text.len());
    Joined { text, pages }
}

/// Puts the right separator between `text` and `line`: nothing after a hyphen, a space, or a paragraph's end.
fn connect(text: &mut String, line: &str, short: bool, gap: bool) {
    let continues = line.starts_with(char::is_lowercase);
    let before = |nth| text.chars().rev().nth(nth);
    if matches!(before(0), Some('-' | '\u{ad}' | '‐')) && before(1).is_some_and(char::is_alphabetic) && continues {
        text.pop();
        return;
    }
    let complete = before(0).is_some_and(|c| ".!?:;。！？…\"”)".contains(c));
    // A column or a page may end in the middle of a sentence; a paragraph doesn't.
    let new = if gap { complete || !continues || short } else { is_item(line) || (short && (complete || !continues)) };
    match new {
        true => text.push_str("\n\n"),
        false if before(0).is_some_and(is_wide) && line.starts_with(is_wide) => {}
        false => text.push(' '),
    }
}

/// True for Chinese and Japanese characters, written without spaces.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ff60}')
}

fn is_item(line: &str) -> bool {
    let label = line.strip_prefix('[').and_then(|label| label.split_once(']'));
    line.starts_with(['•', '◦', '▪', '–', '*'])
        || label.is_some_and(|(label, _)| label.bytes().all(|b| b.is_ascii_digit()))
}

/// Returns the width of a full line, in characters: most lines of prose are full, and few are longer.
fn width<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    let mut widths: Vec<usize> = lines.map(|line| line.chars().count()).filter(|width| *width > 20).collect();
    widths.sort_unstable();
    widths.get(widths.len() * 3 / 4).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_left_out_wherever_a_page_is_drawn_to_have_it() {
        let texts = ["Apes sleep", "Bears dream", "Cats nap often", "Dogs lie down", "Elks rest", "Fish don't blink"];
        let page = |(nth, text): (usize, &&str)| {
            format!(
                "{text}\n{text} long\nat night\nJournal of Sleep, Vol. 12, p. {nth}\nwhere {text}\n{text} too.\n{text} still."
            )
        };
        let pages: Vec<String> = texts.iter().enumerate().map(page).collect();
        let Reflowed { text, furniture, .. } = reflow(&pages);
        assert_eq!((furniture, text.matches("Journal of Sleep").count()), (5, 1), "{text}");
    }

    #[test]
    fn printed_lines_become_paragraphs_again() {
        let page = |number: usize, text: &str| format!("A Running Head\n\n{text}\n\n{number}\n");
        let pages = [
            page(
                1,
                "1 Introduction\n\nThe transformer is an archi-\ntecture for ﬁnding structure in\nlong sequences of any tokens.\nIt is used.\nA second paragraph begins here,",
            ),
            page(2, "and goes on over the page break\nuntil it ends here.\n• An item of a list of items."),
            page(3, "The last page has only one line."),
        ];
        let Reflowed { text, pages, furniture } = reflow(&pages);
        assert_eq!(furniture, 5);
        let second = text.find("and goes on over").unwrap();
        assert_eq!(pages, [second, text.find("The last page").unwrap()]);
        assert_eq!(
            text,
            "A Running Head\n\n1 Introduction\n\nThe transformer is an architecture for finding structure in long sequences of any tokens. \
             It is used.\n\nA second paragraph begins here, and goes on over the page break until it ends here.\n\n\
             • An item of a list of items.\n\nThe last page has only one line."
        );
    }
}
