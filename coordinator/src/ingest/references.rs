//! Finds the reference list at the end of a document: a list names works without describing them, and would be cited as
//! prose.

use std::ops::Range;

use super::heading::{Fences, atx, underline};

const NAMES: &[&str] = &[
    "references",
    "reference",
    "references and notes",
    "notes and references",
    "references cited",
    "bibliography",
    "works cited",
    "literature cited",
    "literature",
    "参考文献",
];
/// The beginnings of plain headings that follow a reference list.
const AFTER: &[&str] = &["appendi", "supplement", "supporting information", "acknowledg", "annex", "附录", "致谢"];
/// A reference list starts after this share of the text, in percent: appendices can be long.
const EARLIEST: usize = 40;
/// The least share of lines that look like references, in percent: an entry may be wrapped over three lines.
const EVIDENCE: usize = 30;

/// A line and its start.
type Line<'t> = (usize, &'t str);

/// Returns the range of the reference list, heading included, up to the document's end or to an appendix.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let lines = lines(text);
    let earliest = text.len() / 100 * EARLIEST;
    let start = lines.partition_point(|(at, _)| *at < earliest);
    (start..lines.len()).find_map(|index| {
        let level = heading_level(lines[index].1)?;
        let body = &lines[index + 1..];
        let end = body.iter().enumerate().position(|(nth, line)| ends(body, nth, line.1, level)).unwrap_or(body.len());
        let range = lines[index].0..body.get(end).map_or(text.len(), |line| line.0);
        is_list(&body[..end]).then_some(range)
    })
}

/// Returns the lines of a text. Lines of fenced code are emptied: no heading stands there.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut fences = Fences::default();
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            (start, if fences.covers(line) { "" } else { line.trim() })
        })
        .collect()
}

/// Returns the level of a heading that announces references; 0 for a heading without marks.
fn heading_level(line: &str) -> Option<usize> {
    if line.len() > 80 {
        return None;
    }
    let (level, words) = atx(line).unwrap_or((0, line));
    let words = words.trim_matches(['*', '_', ':', ' ']);
    NAMES.contains(&unnumbered(words).to_lowercase().as_str()).then_some(level)
}

/// Returns a heading's words without a number in front: `7.`, `7.1`, `VII.`, `§`.
fn unnumbered(words: &str) -> &str {
    let Some((first, rest)) = words.split_once([' ', '\t', '、']) else { return words };
    let number = first.trim_end_matches(['.', ')', ':']);
    let numeric = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let roman = !number.is_empty() && number.chars().all(|c| "IVXLC".contains(c));
    if numeric || roman || number == "§" { rest.trim_start() } else { words }
}

/// True if line number `nth` after a reference heading of `level` starts something else.
fn ends(body: &[Line], nth: usize, line: &str, level: usize) -> bool {
    match atx(line) {
        Some((other, words)) => other <= level || level == 0 || is_after(words),
        None => {
            let underlined = body.get(nth + 1).is_some_and(|next| underline(next.1).is_some());
            line.len() <= 80
                && (is_after(line) || (nth > 0 && underlined && !line.is_empty()) || is_lettered(body, nth))
        }
    }
}

fn is_after(words: &str) -> bool {
    let words = unnumbered(words.trim_matches(['*', '_', ' '])).to_lowercase();
    AFTER.iter().any(|start| words.starts_with(start)) && !words.ends_with('.')
}

/// True if a line of its own is a heading like `A Proofs` or `B.1 More results`, and no author's name.
fn is_lettered(body: &[Line], nth: usize) -> bool {
    let line = body[nth].1;
    let alone = nth > 0 && body[nth - 1].1.is_empty() && body.get(nth + 1).is_some_and(|next| next.1.is_empty());
    let Some((letter, words)) = line.split_once(' ') else { return false };
    let mut number = letter.chars();
    alone
        && number.next().is_some_and(|c| c.is_ascii_uppercase())
        && number.all(|c| c.is_ascii_digit() || c == '.')
        && words.starts_with(char::is_uppercase)
        && words.chars().all(|c| c.is_alphabetic() || c == ' ' || c == '-')
}

/// True if lines read as a list of references, not as prose under such a heading.
fn is_list(lines: &[Line]) -> bool {
    let filled = || lines.iter().map(|line| line.1).filter(|line| !line.is_empty() && underline(line).is_none());
    let all = filled().count();
    let evident = filled().filter(|line| is_evident(line)).count();
    all > 0 && evident * 100 >= all * EVIDENCE
}

/// True if a line has a sign that only a reference has: a label, a year set apart, a link, a page range.
fn is_evident(line: &str) -> bool {
    let lower = line.to_lowercase();
    let signs = ["http://", "https://", "doi", "arxiv", "et al", "isbn", "in proc", "[j]", "[m]", "[c]", "[d]"];
    is_labelled(line) || signs.iter().any(|sign| lower.contains(sign)) || has_year(line)
}

/// True for a line that begins with `[12]`, `[Knu74]`, `[^3]:`, `12.` or `(12)`.
fn is_labelled(line: &str) -> bool {
    let line = line.trim_start_matches(['-', '*', '\\', ' ']);
    if let Some(label) = line.strip_prefix('[') {
        return label.find(']').is_some_and(|end| (1..=12).contains(&end));
    }
    let digits = line.trim_start_matches('(');
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    (1..=4).contains(&(digits.len() - rest.len())) && rest.starts_with(['.', ')'])
}

/// True for a line with a year in the style of references: `(2017)`, `, 2017.`, `2017b`.
fn has_year(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.windows(4).enumerate().any(|(at, year)| {
        let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
        matches!(year, [b'1', b'6'..=b'9', _, _] | [b'2', b'0', _, _])
            && year.iter().all(u8::is_ascii_digit)
            && (at == 0 || !digit(at - 1))
            && !digit(at + 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> String {
        "A paragraph that says something.\n\n".repeat(10)
    }

    fn without(text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(range) = find(&text) {
            text.replace_range(range, "");
        }
        text
    }

    #[test]
    fn reference_lists_go_and_appendices_stay() {
        for heading in
            ["## References", "7. REFERENCES", "**Bibliography**", "Works cited\n---", "# 参考文献", "VII. References:"]
        {
            let list = "\n\n[1] A. Author. A title. In Proc. X, 2017.\n[2] B. Author, C. Author:\na title wrapped\nover lines.\n\n";
            assert_eq!(without(&format!("{}{heading}{list}", body())), body(), "{heading}");
            for appendix in ["# Appendix\n\nMore, of 2017.\n", "Appendix A: Proofs\n\nMore.\n", "A Proofs\n\nMore.\n"] {
                let kept = format!("{}{appendix}", body());
                assert_eq!(without(&format!("{}{heading}{list}{appendix}", body())), kept, "{heading} {appendix}");
            }
        }
    }

    #[test]
    fn prose_under_such_a_heading_stays() {
        let prose = format!("{}## References\n\nA reference borrows a value.\nIt may not outlive it.\n", body());
        assert_eq!(without(&prose), prose);
        let early = format!("## References\n\n[1] A. Author. 2017.\n\n## Text\n\n{}", body());
        assert_eq!(without(&early), early);
        let code = format!("{}```\n# References\n[1] 2017\n```\n", body());
        assert_eq!(without(&code), code);
    }
}
