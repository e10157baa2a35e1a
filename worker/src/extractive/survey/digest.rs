//! Digests: a source's best sentences, each for its section.

use tributary_protocol::{
    source::TitledSource,
    survey::{
        SurveyBrief,
        digest::{Digest, Note},
        outline::{Outline, SectionId},
    },
};

use super::amend::{self, OutlineLeaf};
use crate::extractive::{
    blocks::BlockPlace,
    phrases::overlap,
    phrasing::PhrasedSuggestion,
    quotable::UNFIT,
    rank::{centrality, choose, textrank},
    sentences::{SourceSentence, sentences},
    terms::terms,
    titles,
    vectors::{TermSpace, TermVector, descending, greatest},
};

/// The most sentences ranked pair by pair; of longer texts the most central.
const RANKED: usize = 200;

/// The greatest flaw of a good quotation. Worse sentences are quoted only for want of good ones.
const GOOD: f64 = 0.3;

/// The number of leaves open to all sentences of a source.
const OWN_LEAVES: usize = 3;
/// The least similarity of a sentence to any further leaf.
const OUTRIGHT: f64 = 0.3;
/// The bonus of a leaf with the source already named below.
const NAMED: f64 = 0.2;

/// Terms of a suggestion.
const WANTED: usize = 3;

/// Quotes (a chunk of) a source for an outline's leaves, or for `only` these.
pub fn digest(
    source: &TitledSource,
    text: &str,
    part: (u32, u32),
    outline: &Outline,
    only: &[SectionId],
    brief: &SurveyBrief,
) -> Digest {
    let leaves = amend::leaves(outline);
    if leaves.is_empty() {
        return Digest::default();
    }
    let reading = SourceReading::of(source, text, part, leaves);
    let picked = reading.pick(only, brief.limits.digest);
    let notes = picked.iter().map(|&i| (reading.leaves[reading.home[i]].id, reading.note(i))).collect();
    let suggestion = reading.suggest(text, outline, &picked);
    Digest::new(notes, suggestion.text(brief.language, brief.limits.suggestion))
}

/// A source's ranked sentences before an outline's leaves.
struct SourceReading<'a> {
    source: &'a TitledSource,
    leaves: Vec<OutlineLeaf<'a>>,
    sentences: Vec<SourceSentence>,
    vectors: Vec<TermVector>,
    /// The best leaf for each sentence.
    home: Vec<usize>,
    relevance: Vec<f64>,
}

impl<'a> SourceReading<'a> {
    fn of(source: &'a TitledSource, text: &str, part: (u32, u32), leaves: Vec<OutlineLeaf<'a>>) -> Self {
        let mut sentences = sentences(text);
        let mut words: Vec<Vec<String>> = sentences.iter().map(|sentence| terms(&sentence.text)).collect();
        keep_central(&mut sentences, &mut words);
        let wanted = wanted(&leaves);
        let documents: Vec<_> = words.iter().chain(&wanted).cloned().collect();
        let (_, mut vectors) = TermSpace::with_vectors(&documents);
        let targets = vectors.split_off(sentences.len());
        let (home, affinity) = homes(source, &leaves, &targets, &vectors);
        let title = terms(&source.title);
        let rank = textrank(&vectors);
        let relevance = (0..sentences.len())
            .map(|i| {
                let named = words[i].iter().any(|word| title.contains(word));
                0.4 * rank[i] + 0.35 * affinity[i] + standing(&sentences[i], part) + if named { 0.08 } else { 0.0 }
                    - sentences[i].flaw
            })
            .collect();
        Self { source, leaves, sentences, vectors, home, relevance }
    }

    /// The sentences to quote, in the source's order. Never none, unless only some leaves are asked for and no sentence
    /// fits them.
    fn pick(&self, only: &[SectionId], room: u32) -> Vec<usize> {
        let asked = |i: &usize| only.is_empty() || only.contains(&self.leaves[self.home[*i]].id);
        let open: Vec<usize> = (0..self.sentences.len()).filter(asked).collect();
        let below = |flaw: f64| open.iter().copied().filter(|&i| self.sentences[i].flaw < flaw).collect::<Vec<_>>();
        let cost = |own: &[usize]| own.iter().map(|&i| self.note(i).tokens + 4).sum::<u32>();
        let (good, fit) = (below(GOOD), below(UNFIT));
        let open = if cost(&good) >= room / 3 {
            good
        } else if fit.is_empty() {
            open
        } else {
            fit
        };
        let of = |values: &[f64]| -> Vec<f64> { open.iter().map(|&i| values[i]).collect() };
        let vectors: Vec<_> = open.iter().map(|&i| self.vectors[i].clone()).collect();
        let costs: Vec<u32> = open.iter().map(|&i| self.note(i).tokens + 4).collect();
        let relevance = of(&self.relevance);
        let mut picked = Vec::new();
        choose(&relevance, &vectors, &costs, room, &mut picked);
        // An overlong sentence is still better than a source without a word.
        let unfit = self.sentences.iter().all(|sentence| sentence.flaw >= UNFIT);
        if unfit || picked.is_empty() {
            picked.truncate(1);
            picked.extend(greatest(relevance).filter(|_| picked.is_empty()));
        }
        let mut picked: Vec<usize> = picked.into_iter().map(|at| open[at]).collect();
        picked.sort_unstable();
        picked
    }

    fn note(&self, i: usize) -> Note {
        Note::new(self.sentences[i].text.clone(), vec![self.source.id])
    }

    /// Suggests the source's main phrases missing in the outline, for the leaf with most of its notes.
    fn suggest(&self, text: &str, outline: &Outline, picked: &[usize]) -> PhrasedSuggestion {
        let mut suggestion = PhrasedSuggestion::default();
        let Some(most) = greatest(
            (0..self.leaves.len()).map(|leaf| picked.iter().filter(|&&i| self.home[i] == leaf).count() as f64),
        ) else {
            return suggestion;
        };
        let known = amend::vocabulary(outline);
        let said = self.sentences.iter().map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join("\n");
        let missing = titles::phrases(if said.is_empty() { text } else { &said })
            .into_iter()
            .filter(|(key, _, weight)| {
                *weight >= if key.contains(' ') { 2.0 } else { 5.0 } && key.split(' ').any(|word| !known.contains(word))
            })
            .filter(|(key, ..)| terms(key).iter().any(|term| !known.contains(term)));
        let mut keys: Vec<String> = Vec::new();
        let mut wanted = Vec::new();
        for (key, surface, _) in missing {
            if wanted.len() < WANTED && !keys.iter().any(|other| overlap(other, &key)) {
                keys.push(key);
                wanted.push(surface);
            }
        }
        suggestion.want(&self.leaves[most].section.title, wanted);
        suggestion
    }
}

/// Keeps the most central sentences of a long text: the ranking compares every pair.
fn keep_central(sentences: &mut Vec<SourceSentence>, words: &mut Vec<Vec<String>>) {
    if sentences.len() <= RANKED {
        return;
    }
    let (_, vectors) = TermSpace::with_vectors(words);
    let worth: Vec<f64> = centrality(&vectors)
        .into_iter()
        .zip(sentences.iter())
        .map(|(central, sentence)| central + standing(sentence, (1, 1)) - sentence.flaw)
        .collect();
    let mut kept = descending(&worth);
    kept.truncate(RANKED);
    kept.sort_unstable();
    *sentences = kept.iter().map(|&i| sentences[i].clone()).collect();
    *words = kept.iter().map(|&i| std::mem::take(&mut words[i])).collect();
}

/// The worth of a sentence's place in its source (Edmundson 1969): the gist comes first, or under a telling heading.
fn standing(sentence: &SourceSentence, part: (u32, u32)) -> f64 {
    let gist = if sentence.place == BlockPlace::Gist { 0.3 } else { 0.0 };
    let early = if part.0 <= 1 { 0.15 * (1.0 - sentence.depth).powi(3) } else { 0.0 };
    gist + early
}

/// The terms of each leaf, without terms common to most leaves.
fn wanted(leaves: &[OutlineLeaf<'_>]) -> Vec<Vec<String>> {
    let holders = |term: &String| leaves.iter().filter(|leaf| leaf.terms.contains(term)).count();
    let tells = |term: &&String| leaves.len() < 4 || holders(term) * 2 <= leaves.len();
    leaves.iter().map(|leaf| leaf.terms.iter().filter(tells).cloned().collect()).collect()
}

/// The best leaf for each sentence, and the sentence's affinity to the leaf.
fn homes(
    source: &TitledSource,
    leaves: &[OutlineLeaf<'_>],
    targets: &[TermVector],
    vectors: &[TermVector],
) -> (Vec<usize>, Vec<f64>) {
    let middle = TermVector::mean(vectors.iter().map(|vector| (vector, 1.0)));
    let prior: Vec<f64> = leaves
        .iter()
        .zip(targets)
        .map(|(leaf, target)| {
            let named = leaf.section.sources.contains(&source.id);
            0.5 * middle.cosine(target) + if named { NAMED } else { 0.0 }
        })
        .collect();
    let own = &descending(&prior)[..leaves.len().min(OWN_LEAVES)];
    vectors
        .iter()
        .map(|vector| {
            let alike: Vec<f64> = targets.iter().map(|target| vector.cosine(target)).collect();
            let open = |leaf: usize| own.contains(&leaf) || alike[leaf] >= OUTRIGHT;
            let worth = |leaf: usize| if open(leaf) { alike[leaf] + prior[leaf] } else { f64::NAN };
            let home = greatest((0..leaves.len()).map(worth)).unwrap_or(own[0]);
            (home, (alike[home] + prior[home]).min(1.0))
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{
        budget::Window,
        settings::Language,
        source::SourceId,
        survey::{Genre, SurveyLimits, outline::Section},
    };

    use super::*;

    fn brief(digest: u32) -> SurveyBrief {
        let limits = SurveyLimits { sections: 20, outline: 2000, suggestion: 100, digest, passage: 200 };
        let (title, language, genre) = ("On tides".to_owned(), Language::En, Genre::Survey);
        SurveyBrief { title, language, genre, window: Window(16_000), limits }
    }

    fn outline() -> Outline {
        let leaf = |title: &str, extract: &str| Section {
            origin: None,
            title: title.to_owned(),
            extract: extract.to_owned(),
            analyse: String::new(),
            sources: Vec::new(),
            children: Vec::new(),
        };
        let moon = leaf("Moon", "What the sources say of the moon, orbit and gravity.");
        Outline { sections: vec![moon, leaf("Harbours", "What the sources say of harbours and ships.")] }.numbered()
    }

    const TEXT: &str = "# Summary\n\nThe gravity of the moon pulls at the waters of the sea. Harbours are deep \
        enough for ships at high water alone. However, this is not always so, as we will see below.\n\n```\nlet x = 1;\n```\n";

    fn read(text: &str, only: &[SectionId], room: u32) -> Vec<(u32, String)> {
        let source = TitledSource { id: SourceId(7), title: "Tides".to_owned(), tokens: 2 };
        let digest = digest(&source, text, (1, 1), &outline(), only, &brief(room));
        digest.notes.into_iter().map(|(id, note)| (id.0, note.text.clone())).collect()
    }

    #[test]
    fn sentences_that_stand_alone_go_where_they_bear() {
        let moon = (1, "The gravity of the moon pulls at the waters of the sea.".to_owned());
        let ships = (2, "Harbours are deep enough for ships at high water alone.".to_owned());
        assert_eq!(read(TEXT, &[], 60), [moon, ships.clone()]);
        assert_eq!(read(TEXT, &[SectionId(2)], 60), [ships]);
    }

    #[test]
    fn every_source_with_a_word_is_quoted() {
        for text in
            ["no sentence", "```\nlet x = 1;\n```", "# Title", "See [this](http://a.b) for all that is said of it."]
        {
            assert_eq!(read(text, &[], 80).len(), 1, "{text}");
        }
        assert_eq!(read(TEXT, &[], 1).len(), 1);
        assert!(read("... 1 2 3", &[], 80).is_empty());
    }
}
