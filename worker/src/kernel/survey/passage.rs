//! Prose in replies: sentences with their sources.

use std::collections::{BTreeSet, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    budget::count,
    settings::Language,
    source::SourceId,
    survey::article::{Paragraph, Passage, Sentence},
};

use crate::{
    kernel::reply::{citations, lenient, schema::SchemaBuilder},
    prompt::line,
};

/// The sources offered in a call, and the count of invented citations in the reply.
pub(super) struct CitationCheck {
    offered: BTreeSet<SourceId>,
    /// Citations of anything else.
    pub removed: u32,
}

impl CitationCheck {
    pub fn offering(sources: impl IntoIterator<Item = SourceId>) -> Self {
        Self { offered: sources.into_iter().collect(), removed: 0 }
    }

    pub fn offered(&self) -> impl Iterator<Item = SourceId> + '_ {
        self.offered.iter().copied()
    }

    /// The offered sources among these handles, ascending.
    pub fn read(&mut self, handles: &[String]) -> Vec<SourceId> {
        self.keep(handles.iter().map(|handle| handle.parse().ok()))
    }

    fn keep(&mut self, sources: impl IntoIterator<Item = Option<SourceId>>) -> Vec<SourceId> {
        let mut kept = BTreeSet::new();
        for source in sources {
            match source.filter(|source| self.offered.contains(source)) {
                Some(source) => _ = kept.insert(source),
                None => self.removed += 1,
            }
        }
        kept.into_iter().collect()
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct PassageReply {
    pub paragraphs: Vec<ReplyParagraph>,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct ReplyParagraph {
    sentences: Vec<ReplySentence>,
}

#[derive(Deserialize, JsonSchema)]
struct ReplySentence {
    #[serde(deserialize_with = "lenient::text")]
    text: String,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

pub(super) fn passage_schema(sources: Vec<SourceId>) -> SchemaBuilder {
    SchemaBuilder::of::<PassageReply>()
        .least("paragraphs", 1)
        .least("paragraphs[].sentences", 1)
        .words("paragraphs[].sentences[].text", 40)
        .offer("paragraphs[].sentences[].sources[]", sources)
}

/// The passage in a reply: citations only as sources, no sentence twice, no empty part.
pub(super) fn passage(reply: PassageReply, cited: &mut CitationCheck, language: Language) -> Passage {
    let mut told = HashSet::new();
    let mut paragraphs = Vec::new();
    for written in reply.paragraphs {
        let sentences = written.sentences.into_iter().filter_map(|said| sentence(said, &mut told, cited, language));
        let sentences: Vec<_> = sentences.collect();
        if !sentences.is_empty() {
            paragraphs.push(Paragraph { sentences });
        }
    }
    Passage { paragraphs }
}

/// The sentence, if it says anything new.
fn sentence(
    said: ReplySentence,
    told: &mut HashSet<String>,
    cited: &mut CitationCheck,
    language: Language,
) -> Option<Sentence> {
    let mut sources = cited.read(&said.sources);
    let text = line(&said.text);
    let stripped = if sources.is_empty() { citations::strip(&text) } else { citations::strip_known(&text, &sources) };
    sources.extend(cited.keep(stripped.named.into_iter().map(Some)));
    cited.removed += stripped.nameless;
    sources.sort_unstable();
    sources.dedup();
    let text = stripped.text.trim_start_matches(['#', '*', '-', ' ']);
    let says = text.chars().any(char::is_alphanumeric) && told.insert(text.to_lowercase());
    says.then(|| Sentence { text: citations::unname(text, &sources, language), sources })
}

/// The passage without the sentences beyond its room.
pub(super) fn within(mut passage: Passage, room: u32) -> Passage {
    let mut left = room;
    for paragraph in &mut passage.paragraphs {
        paragraph.sentences.retain(|sentence| {
            let tokens = count(&sentence.text);
            let fits = tokens <= left;
            left = if fits { left - tokens } else { 0 };
            fits
        });
    }
    passage.paragraphs.retain(|paragraph| !paragraph.sentences.is_empty());
    passage
}

pub(super) fn tokens(passage: &Passage) -> u32 {
    passage.sentences().map(|sentence| count(&sentence.text)).sum()
}
