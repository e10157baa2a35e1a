//! The article as Markdown: `## 1. Title`, `### 1.1 Title`, citations `[3,17]` before a sentence's last stop.

use std::fmt::Write;

use tributary_protocol::{
    settings::Language,
    source::SourceId,
    survey::article::{Article, Edge, Figure, Passage, Row, Sentence, WrittenSection},
};

use super::number::Numbering;

/// A reference as the list shows it.
pub struct Reference<'a> {
    pub title: &'a str,
    pub url: Option<&'a str>,
}

/// Renders title, text and figures, without references.
pub fn content(article: &Article, numbering: &Numbering, language: Language) -> String {
    let mut page =
        Page { text: format!("# {}\n\n", heading(&article.title)), numbering, language, tables: 0, diagrams: 0 };
    page.passage(&article.summary);
    for (i, chapter) in article.sections.iter().enumerate() {
        page.section(chapter, &format!("{}", i + 1), 0);
    }
    page.text.trim_end().to_owned()
}

/// Renders a heading, then `[n] Title URL`, a paragraph each.
pub fn references<'a>(cited: impl IntoIterator<Item = Reference<'a>>, language: Language) -> String {
    let heading_of_all = match language {
        Language::En => "## References",
        Language::Zh => "## 参考文献",
    };
    let mut text = heading_of_all.to_owned();
    for (i, reference) in cited.into_iter().enumerate() {
        let _ = write!(text, "\n\n[{}] {}", i + 1, heading(reference.title));
        if let Some(url) = reference.url {
            let _ = write!(text, " {}", url.trim());
        }
    }
    text
}

/// Renders the numbered headings alone, a line each.
pub fn outline(article: &Article) -> String {
    fn lines(section: &WrittenSection, number: &str, depth: usize, text: &mut String) {
        let _ = writeln!(text, "{}", heading_line(section, number, depth));
        for (i, child) in section.children.iter().enumerate() {
            lines(child, &format!("{number}.{}", i + 1), depth + 1, text);
        }
    }
    let mut text = format!("# {}\n", heading(&article.title));
    for (i, chapter) in article.sections.iter().enumerate() {
        lines(chapter, &(i + 1).to_string(), 0, &mut text);
    }
    text.trim_end().to_owned()
}

fn heading_line(section: &WrittenSection, number: &str, depth: usize) -> String {
    // Only a chapter's number has a full stop.
    let stop = if depth == 0 { "." } else { "" };
    format!("{} {number}{stop} {}", "#".repeat((depth + 2).min(6)), heading(&section.title))
}

struct Page<'a> {
    text: String,
    numbering: &'a Numbering,
    language: Language,
    tables: usize,
    diagrams: usize,
}

impl Page<'_> {
    fn section(&mut self, section: &WrittenSection, number: &str, depth: usize) {
        let _ = write!(self.text, "{}\n\n", heading_line(section, number, depth));
        self.passage(&section.passage);
        match &section.figure {
            Some(Figure::Table { caption, header, rows }) => self.table(caption, header, rows),
            Some(Figure::Diagram { caption, nodes, edges, sources }) => self.diagram(caption, nodes, edges, sources),
            None => {}
        }
        for (i, child) in section.children.iter().enumerate() {
            self.section(child, &format!("{number}.{}", i + 1), depth + 1);
        }
    }

    fn passage(&mut self, passage: &Passage) {
        for paragraph in &passage.paragraphs {
            let sentences: Vec<String> = paragraph.sentences.iter().map(|sentence| self.sentence(sentence)).collect();
            let space = if self.language == Language::Zh { "" } else { " " };
            let _ = write!(self.text, "{}\n\n", paragraph_start(&sentences.join(space)));
        }
    }

    fn sentence(&self, sentence: &Sentence) -> String {
        let text = prose(&sentence.text);
        let mark = self.numbering.mark(&sentence.sources);
        if mark.is_empty() {
            return text;
        }
        match text.char_indices().next_back() {
            Some((i, stop)) if ".!?。！？…".contains(stop) => format!("{} {mark}{stop}", text[..i].trim_end()),
            _ => format!("{text} {mark}."),
        }
    }

    fn table(&mut self, caption: &str, header: &[String], rows: &[Row]) {
        self.tables += 1;
        let label = match self.language {
            Language::En => format!("Table {}: ", self.tables),
            Language::Zh => format!("表 {}：", self.tables),
        };
        let _ = write!(self.text, "**{label}{}**\n\n", prose(caption));
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        self.text.push_str(&line(&mut header.iter().map(|name| cell(name))));
        self.text.push_str(&line(&mut header.iter().map(|_| "---".to_owned())));
        for row in rows {
            let mark = self.numbering.mark(&row.sources);
            let last = row.cells.len().saturating_sub(1);
            let cited = row.cells.iter().enumerate().map(|(i, text)| match (i == last, mark.is_empty()) {
                (true, false) => format!("{} {mark}", cell(text)),
                _ => cell(text),
            });
            self.text.push_str(&line(&mut cited.into_iter()));
        }
        self.text.push('\n');
    }

    fn diagram(&mut self, caption: &str, nodes: &[String], edges: &[Edge], sources: &[SourceId]) {
        self.diagrams += 1;
        self.text.push_str("```mermaid\nflowchart LR\n");
        for (i, node) in nodes.iter().enumerate() {
            let _ = writeln!(self.text, "  n{i}[\"{}\"]", label(node));
        }
        for edge in edges {
            let arrow =
                if edge.label.trim().is_empty() { String::new() } else { format!("|\"{}\"|", label(&edge.label)) };
            let _ = writeln!(self.text, "  n{} -->{arrow} n{}", edge.from, edge.to);
        }
        let name = match self.language {
            Language::En => format!("Figure {}: ", self.diagrams),
            Language::Zh => format!("图 {}：", self.diagrams),
        };
        let mark = self.numbering.mark(sources);
        let _ = write!(self.text, "```\n\n**{name}{}** {mark}\n\n", prose(caption));
    }
}

/// Returns the text on a single line, without brackets that a reader (or a program) could take for a citation: foreign
/// numbers in brackets are written with entities, except in code between two backticks.
fn prose(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len());
    let mut parts = line.split('`').enumerate().peekable();
    while let Some((i, part)) = parts.next() {
        if i > 0 {
            out.push('`');
        }
        // A backtick without a partner begins no code.
        let is_code = i % 2 == 1 && parts.peek().is_some();
        if is_code { out.push_str(part) } else { out.push_str(&without_false_marks(part)) }
    }
    out
}

fn without_false_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']').map(|i| open + i) else { break };
        let inside = &rest[open + 1..close];
        if inside.chars().any(|c| c.is_ascii_digit()) {
            out.push_str(&rest[..open]);
            let _ = write!(out, "&#91;{inside}&#93;");
        } else {
            out.push_str(&rest[..=close]);
        }
        rest = &rest[close + 1..];
    }
    out + rest
}

/// Returns a title on a single line, without heading marks. Numbers stay: a source may be called 1984.
fn heading(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_start_matches('#').trim().to_owned()
}

/// Escapes a paragraph that would begin like a heading, a list or a quotation.
fn paragraph_start(text: &str) -> String {
    let (number, rest) = text.split_at(text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    let numbered = !number.is_empty() && [". ", ") "].iter().any(|mark| rest.starts_with(mark));
    let marked =
        text.starts_with(['#', '>', '|', '=']) || ["- ", "* ", "+ ", "---"].iter().any(|m| text.starts_with(m));
    if marked {
        format!("\\{text}")
    } else if numbered {
        format!("{number}\\{rest}")
    } else {
        text.to_owned()
    }
}

fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|")
}

/// Escapes characters that would end a label, in Mermaid's own way.
fn label(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "#quot;").replace('`', "'")
}

#[cfg(test)]
mod tests {
    use tributary_protocol::survey::article::Paragraph;

    use super::*;

    #[test]
    fn only_our_own_numbers_stand_in_brackets() {
        assert_eq!(
            prose("Rows [1] and `a[0]` of [u8; 4] or [this]"),
            "Rows &#91;1&#93; and `a[0]` of &#91;u8; 4&#93; or [this]"
        );
    }

    #[test]
    fn a_backtick_without_another_begins_no_code() {
        assert_eq!(prose("Use `cargo build for releases [3]."), "Use `cargo build for releases &#91;3&#93;.");
        assert_eq!(prose("`a[0]` and `b [3]"), "`a[0]` and `b &#91;3&#93;");
    }

    #[test]
    fn a_paragraph_that_begins_like_a_list_keeps_its_words_and_marks() {
        for (text, start) in [
            ("2) Foo", "2\\) Foo"),
            ("1984. A novel (1949) here", "1984\\. A novel (1949) here"),
            ("- Foo", "\\- Foo"),
            ("1.5 times", "1.5 times"),
            ("Foo. Bar", "Foo. Bar"),
        ] {
            assert_eq!(paragraph_start(text), start);
        }
    }

    #[test]
    fn a_title_keeps_its_number_and_loses_its_heading_marks() {
        assert_eq!(heading("## 1984:\n a reading"), "1984: a reading");
    }

    #[test]
    fn a_citation_stands_before_the_stop_and_paragraphs_begin_as_prose() {
        let sentence = Sentence { text: "# 1 is\n a claim!".into(), sources: vec![SourceId(7), SourceId(2)] };
        let passage = Passage { paragraphs: vec![Paragraph { sentences: vec![sentence] }] };
        let article = Article { title: "T".into(), summary: passage, sections: vec![] };
        let text = content(&article, &Numbering::of(&article), Language::En);
        assert_eq!(text, "# T\n\n\\# 1 is a claim [1,2]!");
    }
}
