//! The article in the format of LLM×MapReduce-V2, so that its evaluation scripts read the file unchanged: the fields
//! `title`, `outline`, `content`, `ref_str`, `papers` and `cite_ratio`, with `[n]` in the content for the n-th of
//! `papers`.

use serde_json::{Map, Value, json};
use tributary_protocol::{id::BlobId, source::Card};

use crate::artifact::{ArtifactError, ArtifactSink};

/// A survey's line up to its papers.
pub struct Head<'a> {
    pub title: &'a str,
    pub outline: &'a str,
    pub content: &'a str,
    pub ref_str: &'a str,
    /// The share of sources that are cited, 0 to 1.
    pub cite_ratio: f64,
    /// Fields of the input's line that mean nothing here.
    pub extra: &'a Map<String, Value>,
}

/// Writes the line, a paper at a time: a corpus is never in memory.
pub struct Line<'a> {
    sink: &'a mut dyn ArtifactSink,
    papers: usize,
}

impl<'a> Line<'a> {
    pub async fn begin(sink: &'a mut dyn ArtifactSink, head: &Head<'_>) -> Result<Self, ArtifactError> {
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
        let fields = Value::from(fields).to_string();
        // The papers come last, inside the same object.
        sink.write(format!("{},\"papers\":[", &fields[..fields.len() - 1]).as_bytes()).await?;
        Ok(Self { sink, papers: 0 })
    }

    /// Adds a paper with its text in these blobs. `number` is the number in the reference list, if the paper is cited.
    pub async fn paper(&mut self, card: &Card, texts: &[BlobId], number: Option<usize>) -> Result<(), ArtifactError> {
        /// The field of the text, which is written apart.
        const TEXT: &str = "txt";
        let mut paper = card.extra.clone();
        paper.insert("title".to_owned(), json!(card.title));
        paper.entry("abstract").or_insert_with(|| json!(card.lead));
        paper.insert(TEXT.to_owned(), Value::Null);
        if let Some(url) = &card.url {
            paper.insert("url".to_owned(), json!(url));
        }
        paper.insert("cited_as".to_owned(), json!(number));
        let mut before = if self.papers > 0 { "," } else { "" }.to_owned();
        self.papers += 1;
        for (place, (name, value)) in paper.iter().enumerate() {
            let opening = if place == 0 { '{' } else { ',' };
            before.push_str(&format!("{opening}{}:", json!(name)));
            if name == TEXT {
                self.sink.write(format!("{before}\"").as_bytes()).await?;
                self.sink.write_json_text(texts).await?;
                before = "\"".to_owned();
            } else {
                before.push_str(&value.to_string());
            }
        }
        self.sink.write(format!("{before}}}").as_bytes()).await
    }

    pub async fn end(self) -> Result<(), ArtifactError> {
        self.sink.write(b"]}\n").await
    }
}
