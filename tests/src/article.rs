//! Reads an article back from the files, strictly.

use std::{collections::HashSet, fs, ops::Range, path::Path};

use serde_json::Value;

use crate::corpus::one_line;

/// The three files of an article.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    pub markdown: String,
    pub jsonl: String,
    /// The single line of `jsonl`, parsed.
    pub line: Value,
    pub report: Value,
}

impl Made {
    /// Reads the files of an article from a folder.
    ///
    /// # Panics
    /// Panics if a file is missing or malformed.
    pub fn read(out: &Path, slug: &str) -> Self {
        let text = |path: String| {
            fs::read_to_string(out.join(&path)).unwrap_or_else(|error| panic!("{}: {path}: {error}", out.display()))
        };
        let jsonl = text(format!("{slug}.jsonl"));
        assert_eq!(jsonl.matches('\n').count(), 1, "an article is a line");
        Self {
            markdown: text(format!("md/{slug}.md")),
            line: serde_json::from_str(&jsonl).expect("the line is JSON"),
            jsonl,
            report: serde_json::from_str(&text(format!("{slug}.report.json"))).expect("the report is JSON"),
        }
    }

    pub fn article(&self) -> Article {
        Article::parse(&self.markdown)
    }

    /// Returns the number at this place of the report, such as `/sources/coverage`.
    #[track_caller]
    pub fn number(&self, place: &str) -> f64 {
        self.report.pointer(place).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {place}"))
    }

    /// Returns the units that a fallback made, and the units without any result.
    pub fn degraded(&self) -> &[Value] {
        self.report["degraded"].as_array().expect("`degraded` is a list")
    }
}

/// A parsed article.
#[derive(Clone, Debug, Default)]
pub struct Article {
    pub title: String,
    pub headings: Vec<Heading>,
    /// The cited prose: a sentence each if every sentence is cited, else the text up to the next citation.
    pub cited: Vec<Cited>,
    /// The prose after the last citation of a paragraph.
    pub uncited: Vec<String>,
    /// The numbers cited by rows of tables and by diagrams.
    pub figures: Vec<Vec<usize>>,
    pub references: Vec<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    /// The depth of the heading; 1 for a chapter.
    pub depth: usize,
    pub number: String,
    pub title: String,
}

/// A text and the numbers of the following citation.
#[derive(Clone, Debug, PartialEq)]
pub struct Cited {
    pub text: String,
    pub numbers: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The title and the address.
    pub text: String,
}

impl Article {
    /// Parses an article.
    ///
    /// # Panics
    /// Panics if the layout is wrong: expected are a title, numbered chapters and sections, and references in order.
    pub fn parse(markdown: &str) -> Self {
        let (body, references) = ["\n\n## References", "\n\n## 参考文献"]
            .iter()
            .find_map(|heading| markdown.split_once(heading))
            .expect("there is a reference list");
        let mut article = Self { references: read_references(references), ..Self::default() };
        let mut counters: Vec<usize> = Vec::new();
        for block in body.split("\n\n") {
            if let Some(title) = block.strip_prefix("# ") {
                assert!(article.title.is_empty(), "a second title: {title}");
                article.title = title.to_owned();
            } else if block.starts_with("##") {
                article.headings.push(read_heading(block, &mut counters));
            } else if block.starts_with("```mermaid") {
                assert!(block.ends_with("```"), "a diagram that doesn't end: {block}");
            } else if ["|", "**Table ", "**Figure ", "**表 ", "**图 "].iter().any(|begin| block.starts_with(begin)) {
                article.figures.extend(block.lines().flat_map(marks).map(|(_, numbers)| numbers));
            } else if !block.trim().is_empty() {
                article.paragraph(block);
            }
        }
        assert!(!article.title.is_empty(), "an article has a title");
        article
    }

    fn paragraph(&mut self, block: &str) {
        assert!(!block.contains('\n'), "a paragraph is a line: {block}");
        let mut start = 0;
        for (place, numbers) in marks(block) {
            let stop = block[place.end..].chars().next().expect("a stop follows a citation");
            assert!(".!?。！？…".contains(stop), "no stop behind a citation: {block}");
            let text = format!("{}{stop}", block[start..place.start].trim());
            self.cited.push(Cited { text: plain(&text), numbers });
            start = place.end + stop.len_utf8();
        }
        let rest = block[start..].trim();
        if !rest.is_empty() {
            self.uncited.push(plain(rest));
        }
    }

    /// Returns every cited number.
    pub fn numbers(&self) -> HashSet<usize> {
        let cited = self.cited.iter().map(|cited| &cited.numbers);
        cited.chain(&self.figures).flatten().copied().collect()
    }

    /// Checks that citations and references match.
    ///
    /// # Panics
    /// Panics if a citation has no reference, if a reference has no citation, or if a mark names a source twice.
    #[track_caller]
    pub fn check_citations(&self) {
        let listed: HashSet<usize> = (1..=self.references.len()).collect();
        assert_eq!(self.numbers(), listed, "numbers cited and numbers listed");
        for numbers in self.cited.iter().map(|cited| &cited.numbers).chain(&self.figures) {
            assert!(numbers.is_sorted_by(|one, next| one < next), "in order, none twice: {numbers:?}");
        }
    }

    /// Returns all prose, cited or not.
    pub fn prose(&self) -> String {
        let cited = self.cited.iter().map(|cited| cited.text.as_str());
        cited.chain(self.uncited.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
    }
}

/// Reads a heading such as `## 1. Title` or `### 1.1 Title`, and checks that numbers are consecutive at each depth.
fn read_heading(line: &str, counters: &mut Vec<usize>) -> Heading {
    let (hashes, rest) = line.split_once(' ').expect("a heading has a title");
    let (number, title) = rest.split_once(' ').expect("a heading has a number");
    let depth = hashes.len() - 1;
    assert!(depth <= counters.len() + 1, "a section without a chapter: {line}");
    counters.resize(depth, 0);
    counters[depth - 1] += 1;
    let due = counters.iter().map(usize::to_string).collect::<Vec<_>>().join(".");
    let due = if depth == 1 { due + "." } else { due };
    assert_eq!(number, due, "{line}");
    assert!(!title.trim().is_empty(), "{line}");
    Heading { depth, number: number.to_owned(), title: title.to_owned() }
}

fn read_references(list: &str) -> Vec<Reference> {
    let entries = list.split("\n\n").map(str::trim).filter(|entry| !entry.is_empty());
    let entries = entries.enumerate().map(|(at, entry)| {
        let text = entry.strip_prefix(&format!("[{}] ", at + 1));
        Reference { text: text.unwrap_or_else(|| panic!("reference {} is {entry:?}", at + 1)).to_owned() }
    });
    entries.collect()
}

/// Finds the citations in a line, such as `[3,17]`, with their places and numbers.
fn marks(line: &str) -> Vec<(Range<usize>, Vec<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    for (nth, part) in line.split('`').enumerate() {
        let start = at;
        at += part.len() + 1;
        // Text between backticks is code.
        if nth % 2 == 1 {
            continue;
        }
        for (open, _) in part.match_indices('[') {
            let Some(close) = part[open..].find(']').map(|close| open + close) else { continue };
            let numbers: Result<Vec<usize>, _> = part[open + 1..close].split(',').map(str::parse).collect();
            if let Ok(numbers) = numbers {
                found.push((start + open..start + close + 1, numbers));
            }
        }
    }
    found
}

/// Returns the text without Markdown's escapes.
fn plain(text: &str) -> String {
    let text = one_line(text).replace("&#91;", "[").replace("&#93;", "]");
    text.strip_prefix('\\').map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_taken_apart() {
        let article = Article::parse(
            "# T\n\nAll in all.\n\n## 1. One\n\nIt is so [1]. It &#91;9&#93; isn't `a[3]` [1,2]! Nobody knows.\n\n\
             ### 1.1 Two\n\n| a | b |\n| --- | --- |\n| c | d [2] |\n\n## References\n\n[1] A https://a.org\n\n[2] B\n",
        );
        article.check_citations();
        assert_eq!(article.headings[1], Heading { depth: 2, number: "1.1".into(), title: "Two".into() });
        assert_eq!(article.cited[0], Cited { text: "It is so.".into(), numbers: vec![1] });
        assert_eq!(article.cited[1], Cited { text: "It [9] isn't `a[3]`!".into(), numbers: vec![1, 2] });
        assert_eq!(article.uncited, ["All in all.", "Nobody knows."]);
        assert_eq!(article.figures, [vec![2]]);
        assert_eq!(article.references[0].text, "A https://a.org");
    }
}
