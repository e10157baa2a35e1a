//! Prose in replies: sentences, each with the sources that it rests on.

use std::collections::{BTreeSet, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    budget::count,
    settings::Language,
    source::SourceId,
    survey::article::{Paragraph, Passage, Sentence},
};

use super::{citations, lenient, schema::SchemaBuilder};
use crate::prompt::line;

/// The sources that a call offers, and what its reply made of them.
pub(super) struct Cited {
    offered: BTreeSet<SourceId>,
    /// Citations of anything else.
    pub removed: u32,
}

impl Cited {
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
pub(super) struct Reply {
    pub paragraphs: Vec<Written>,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Written {
    sentences: Vec<Said>,
}

#[derive(Deserialize, JsonSchema)]
struct Said {
    #[serde(deserialize_with = "lenient::text")]
    text: String,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "Vec<String>")]
    sources: Vec<String>,
}

pub(super) fn form(sources: Vec<SourceId>) -> SchemaBuilder {
    SchemaBuilder::of::<Reply>()
        .least("paragraphs", 1)
        .least("paragraphs[].sentences", 1)
        .words("paragraphs[].sentences[].text", 40)
        .offer("paragraphs[].sentences[].sources[]", sources)
}

/// The passage that a reply makes: citations only as sources, no sentence twice, nothing empty.
pub(super) fn passage(reply: Reply, cited: &mut Cited, language: Language) -> Passage {
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

/// None where nothing is said, or what was told before.
fn sentence(said: Said, told: &mut HashSet<String>, cited: &mut Cited, language: Language) -> Option<Sentence> {
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

/// The passage without the sentences that outgrow its room.
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
