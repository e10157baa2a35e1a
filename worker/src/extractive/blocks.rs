//! Blocks: the prose of a Markdown or plain text.
//!
//! Code, tables, quotations, definitions of links, HTML and front matter are left out: none can be quoted as a
//! sentence. The rest is kept word for word, only its white space collapsed.

/// A paragraph, or an item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct TextBlock {
    pub text: String,
    pub place: BlockPlace,
    pub is_item: bool,
}

/// The kind of heading above a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockPlace {
    /// An abstract, a summary, an introduction: the gist of a source.
    Gist,
    Body,
    /// References, open questions, thanks: beside the point.
    Aside,
}

const GIST: [&str; 12] = [
    "abstract",
    "summary",
    "overview",
    "tl;dr",
    "introduction",
    "conclusion",
    "摘要",
    "概述",
    "引言",
    "简介",
    "总结",
    "结论",
];
const ASIDE: [&str; 19] = [
    "reference",
    "bibliograph",
    "question",
    "acknowledg",
    "appendix",
    "appendices",
    "future",
    "licen",
    "copyright",
    "changelog",
    "contents",
    "unresolved",
    "errata",
    "revision",
    "参考",
    "致谢",
    "附录",
    "目录",
    "版权",
];

impl BlockPlace {
    fn under(heading: &str) -> Self {
        let heading = heading.to_lowercase();
        if GIST.iter().any(|word| heading.contains(word)) {
            Self::Gist
        } else if ASIDE.iter().any(|word| heading.contains(word)) {
            Self::Aside
        } else {
            Self::Body
        }
    }
}

/// The blocks of prose in a text, in order.
pub fn prose(text: &str) -> Vec<TextBlock> {
    let mut reader = BlockReader::default();
    let mut lines = body(text).lines().peekable();
    while let Some(line) = lines.next() {
        let underline = lines.peek().is_some_and(|next| is_underline(next));
        if reader.read(line, underline) {
            lines.next();
        }
    }
    reader.flush();
    reader.blocks
}

/// A text without its YAML front matter.
fn body(text: &str) -> &str {
    let Some(rest) = text.trim_start().strip_prefix("---\n") else { return text };
    match rest.find("\n---\n") {
        Some(end) if end < 4_000 => &rest[end + 5..],
        _ => text,
    }
}

#[derive(Default)]
struct BlockReader {
    blocks: Vec<TextBlock>,
    /// Lines of the open block.
    open: Vec<String>,
    is_item: bool,
    place: Option<BlockPlace>,
    fence: Option<String>,
    in_comment: bool,
    /// The reader is within a list. Later paragraphs of list items are indented like code.
    in_list: bool,
    after_blank: bool,
    in_code: bool,
}

impl BlockReader {
    /// Reads a line. True where the next line was its underline, and is read too.
    fn read(&mut self, line: &str, underline: bool) -> bool {
        let trimmed = line.trim();
        if self.skip_fenced(trimmed) || self.skip_comment(trimmed) {
            return false;
        }
        let was_blank = std::mem::replace(&mut self.after_blank, trimmed.is_empty());
        if trimmed.is_empty() {
            self.flush();
            return false;
        }
        if self.skip_indented(line, was_blank) {
            return false;
        }
        if let Some(heading) = heading(trimmed) {
            self.head(heading);
        } else if underline && self.open.is_empty() && !is_rule(trimmed) && trimmed.chars().count() < 100 {
            self.head(trimmed);
            return true;
        } else if is_apart(trimmed) || is_rule(trimmed) {
            self.flush();
        } else if let Some(item) = item(trimmed) {
            self.flush();
            self.in_list = true;
            self.is_item = true;
            self.open.push(item.to_owned());
        } else {
            if self.open.is_empty() && !line.starts_with([' ', '\t']) {
                self.in_list = false;
            }
            self.is_item |= self.open.is_empty() && self.in_list;
            self.open.push(trimmed.to_owned());
        }
        false
    }

    fn head(&mut self, heading: &str) {
        self.flush();
        self.in_list = false;
        // A list before the first heading describes the document, not its subject.
        if self.place.is_none() && self.blocks.iter().all(|block| block.is_item) {
            self.blocks.clear();
        }
        self.place = Some(BlockPlace::under(heading));
    }

    fn skip_fenced(&mut self, line: &str) -> bool {
        match &self.fence {
            Some(fence) => {
                if line.starts_with(fence.as_str()) && line.trim_start_matches(['`', '~']).is_empty() {
                    self.fence = None;
                }
                true
            }
            None => {
                let line = line.trim_start_matches(['>', ' ']);
                let fence = ["```", "~~~"].into_iter().find(|fence| line.starts_with(fence));
                // A line such as ```code``` is code within the line, not a fence.
                let Some(fence) = fence.filter(|_| !line[3..].contains("```")) else { return false };
                self.flush();
                self.fence = Some(fence.to_owned());
                true
            }
        }
    }

    fn skip_comment(&mut self, line: &str) -> bool {
        if self.in_comment || line.starts_with("<!--") {
            self.flush();
            self.in_comment = !line.contains("-->");
            return true;
        }
        false
    }

    /// Skips indented code: deeply indented lines after a blank line, unlike prose.
    fn skip_indented(&mut self, line: &str, was_blank: bool) -> bool {
        let indented = line.starts_with("    ") || line.starts_with('\t');
        let begins = was_blank && !self.in_list && !reads_like_prose(line);
        self.in_code = indented && self.open.is_empty() && (self.in_code || begins);
        self.in_code
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.open);
        let is_item = std::mem::take(&mut self.is_item);
        let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
        if !words.is_empty() {
            self.blocks.push(TextBlock {
                text: words.join(" "),
                place: self.place.unwrap_or(BlockPlace::Body),
                is_item,
            });
        }
    }
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

fn is_underline(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && (line.bytes().all(|b| b == b'=') || line.bytes().all(|b| b == b'-'))
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3 && line.chars().all(|c| "-=*_+~ ".contains(c))
}

/// Tables, quotations, HTML, images, and definitions of links and footnotes.
fn is_apart(line: &str) -> bool {
    let definition = line.starts_with('[') && line.contains("]:");
    let html = line.starts_with('<') && line[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let table = line.starts_with('|') || (line.len() < 2_000 && line.matches(" | ").count() >= 2);
    line.starts_with('>') || line.starts_with("![") || definition || html || table
}

/// The text of a list's item, without its mark.
fn item(line: &str) -> Option<&str> {
    let rest = match line.strip_prefix(['-', '*', '+', '•']) {
        Some(rest) => rest,
        None => {
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = line.len() - rest.len();
            rest.strip_prefix(['.', ')']).filter(|_| (1..=3).contains(&digits))?
        }
    };
    rest.starts_with([' ', '\t']).then(|| rest.trim().trim_start_matches("[ ] ").trim_start_matches("[x] "))
}

fn reads_like_prose(line: &str) -> bool {
    let plain = line.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace() || ",.'’".contains(*c)).count();
    line.split_whitespace().count() >= 5 && plain * 100 >= line.chars().count() * 95
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prose_is_kept() {
        let text = "- Start Date: 2014\n- PR: none.\n\n# Summary\n\nOne line\nand another.\n\n```rust\nfn code() {}\n```\n\
                    | a | b |\n|---|---|\n\n* An item\n  goes on.\n* Next\n\nOpen questions\n---\n\n> Said.\n\nNone.\n\n    let x = 1;\n\n[x]: http://y";
        let blocks: Vec<_> = prose(text).into_iter().map(|block| (block.text, block.place, block.is_item)).collect();
        let block = |text: &str, place, is_item| (text.to_owned(), place, is_item);
        assert_eq!(
            blocks,
            [
                block("One line and another.", BlockPlace::Gist, false),
                block("An item goes on.", BlockPlace::Gist, true),
                block("Next", BlockPlace::Gist, true),
                block("None.", BlockPlace::Aside, false)
            ]
        );
    }
}
