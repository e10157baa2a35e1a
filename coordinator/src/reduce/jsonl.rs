//! The article as LLM×MapReduce-V2 writes it, so that its evaluation scripts read it unchanged: the fields `title`,
//! `outline`, `content`, `ref_str`, `papers` and `cite_ratio`, and `[n]` in the content meaning the n-th of `papers`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use tributary_protocol::source::Card;

/// A survey's line up to its papers.
pub struct Head<'a> {
    pub title: &'a str,
    pub outline: &'a str,
    pub content: &'a str,
    pub ref_str: &'a str,
    /// Cited sources of all, 0 to 1.
    pub cite_ratio: f64,
    /// Fields of the input's line that mean nothing here.
    pub extra: &'a Map<String, Value>,
}

/// Writes the line, a paper at a time: a corpus is never in memory.
pub struct Line<W> {
    out: W,
    papers: usize,
}

impl<W: Write> Line<W> {
    pub fn begin(mut out: W, head: &Head<'_>) -> io::Result<Self> {
        let mut fields = head.extra.clone();
        for (name, value) in [
            ("title", json!(head.title)),
            ("outline", json!(head.outline)),
            ("content", json!(head.content)),
            ("ref_str", json!(head.ref_str)),
            ("cite_ratio", json!(head.cite_ratio)),
        ] {
            fields.insert(name.to_owned(), value);
        }
        fields.remove("papers");
        let fields = serde_json::to_string(&fields)?;
        // The papers come last, inside the same object.
        write!(out, "{},\"papers\":[", &fields[..fields.len() - 1])?;
        Ok(Self { out, papers: 0 })
    }

    /// `number` is the paper's number in the reference list, where it is cited.
    pub fn paper(&mut self, card: &Card, text: &str, number: Option<usize>) -> io::Result<()> {
        let mut paper = card.extra.clone();
        paper.insert("title".to_owned(), json!(card.title));
        paper.entry("abstract").or_insert_with(|| json!(card.lead));
        paper.insert("txt".to_owned(), json!(text));
        if let Some(url) = &card.url {
            paper.insert("url".to_owned(), json!(url));
        }
        paper.insert("cited_as".to_owned(), json!(number));
        if self.papers > 0 {
            self.out.write_all(b",")?;
        }
        self.papers += 1;
        serde_json::to_writer(&mut self.out, &paper)?;
        Ok(())
    }

    pub fn end(mut self) -> io::Result<()> {
        self.out.write_all(b"]}\n")?;
        self.out.flush()
    }
}
