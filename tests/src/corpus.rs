//! Generates small corpora for tests: a few topics with separate vocabularies, and no repeated sentence.

use std::{
    collections::HashSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::{RngExt, SeedableRng, seq::IteratorRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// A corpus for a survey.
#[derive(Clone, Debug)]
pub struct Corpus {
    pub title: String,
    pub papers: Vec<Paper>,
}

/// A source.
#[derive(Clone, Debug)]
pub struct Paper {
    pub title: String,
    /// The abstract, present in every other source.
    pub abstract_text: Option<String>,
    pub text: String,
    pub url: Option<String>,
}

impl Corpus {
    /// Generates a corpus of `sources` sources with about `words` words each. Equal arguments give equal corpora.
    pub fn new(title: &str, sources: usize, words: usize, seed: u64) -> Self {
        let mut author = Author { rng: ChaCha8Rng::seed_from_u64(seed), said: HashSet::new() };
        let papers = (0..sources).map(|nth| author.paper(nth, words)).collect();
        Self { title: title.to_owned(), papers }
    }

    /// Writes a generated corpus as a line of JSONL. Keeps no source in memory, so any number of sources is possible. A
    /// sentence may occur in several sources.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub fn stream(title: &str, sources: usize, words: usize, seed: u64, mut out: impl Write) -> io::Result<()> {
        let mut author = Author { rng: ChaCha8Rng::seed_from_u64(seed), said: HashSet::new() };
        write!(out, "{{\"title\":{},\"papers\":[", json!(title))?;
        for nth in 0..sources {
            let mut paper = author.paper(nth, words);
            author.said.clear();
            // A number makes the title unique, because there are fewer names than sources.
            paper.title.push_str(&format!(", part {}", nth + 1));
            write!(out, "{}{}", if nth == 0 { "" } else { "," }, paper.json())?;
        }
        writeln!(out, "]}}")
    }

    /// Reads the first survey of a JSONL file.
    ///
    /// # Panics
    /// Panics if the file has no survey.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let line = text.lines().next().expect("a survey is a line");
        let line: Value = serde_json::from_str(line).expect("the line is JSON");
        let field = |of: &Value, name: &str| of[name].as_str().map(str::to_owned);
        let paper = |paper: &Value| Paper {
            title: field(paper, "title").unwrap_or_default(),
            abstract_text: field(paper, "abstract"),
            text: field(paper, "txt").unwrap_or_default(),
            url: field(paper, "url"),
        };
        let papers = line["papers"].as_array().expect("a survey has papers").iter().map(paper).collect();
        Self { title: field(&line, "title").expect("a survey has a title"), papers }
    }

    /// Returns the corpus as a line of JSONL.
    pub fn line(&self) -> String {
        let papers: Vec<Value> = self.papers.iter().map(Paper::json).collect();
        json!({ "title": self.title, "papers": papers }).to_string()
    }

    /// Writes a JSONL file with only this survey.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, self.line() + "\n").expect("a corpus can be written");
        path
    }

    /// Returns the source with this title.
    pub fn paper(&self, title: &str) -> &Paper {
        self.papers
            .iter()
            .find(|paper| paper.title == title)
            .unwrap_or_else(|| panic!("no source has the title {title:?}"))
    }
}

impl Paper {
    pub fn json(&self) -> Value {
        let mut fields = json!({ "title": self.title, "txt": self.text });
        if let Some(text) = &self.abstract_text {
            fields["abstract"] = json!(text);
        }
        if let Some(url) = &self.url {
            fields["url"] = json!(url);
        }
        fields
    }

    /// Returns true if the source contains the sentence, apart from white space.
    pub fn says(&self, sentence: &str) -> bool {
        one_line(&self.text).contains(&one_line(sentence))
    }
}

/// Replaces all runs of white space by single spaces.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The vocabulary of a topic. Words in a list are separated by commas.
struct Topic {
    name: &'static str,
    things: &'static str,
    qualities: &'static str,
    deeds: &'static str,
}

const TOPICS: [Topic; 6] = [
    Topic {
        name: "Harbour Dredging",
        things: "channel, silt layer, dredger, quay wall, tidal basin, spoil ground, breakwater, berth, turbidity \
            plume, survey vessel, dock gate, sand bar",
        qualities: "shallow, muddy, sheltered, busy, tidal, contaminated, dredged, narrow",
        deeds: "deepens, erodes, shelters, fills, narrows, clears, buries, widens",
    },
    Topic {
        name: "Bee Keeping",
        things: "colony, queen, brood comb, nectar flow, hive entrance, swarm, honey frame, drone, mite treatment, \
            forager, wax foundation, apiary",
        qualities: "strong, queenless, overwintered, mite-ridden, docile, populous, hungry, sealed",
        deeds: "feeds, weakens, replaces, supersedes, guards, crowds, splits, stimulates",
    },
    Topic {
        name: "Compiler Passes",
        things: "register allocator, parser, type checker, basic block, loop invariant, syntax tree, linker, \
            constant folder, call graph, inliner, live range, symbol table",
        qualities: "incremental, greedy, speculative, redundant, typed, unreachable, nested, static",
        deeds: "rewrites, hoists, spills, folds, inlines, annotates, prunes, verifies",
    },
    Topic {
        name: "Glacier Mapping",
        things: "ice tongue, moraine, crevasse field, snow line, accumulation zone, meltwater stream, icefall, \
            bedrock step, radar profile, calving front, firn layer, proglacial lake",
        qualities: "retreating, debris-covered, steep, stagnant, polythermal, surging, thin, frozen",
        deeds: "drains, dams, carves, exposes, thickens, undercuts, feeds, displaces",
    },
    Topic {
        name: "Bread Baking",
        things: "sourdough starter, gluten network, oven spring, rye flour, proofing basket, crumb, crust, \
            hydration, lamination, baking stone, autolyse, wild yeast",
        qualities: "sour, slack, overproofed, wholemeal, enriched, dense, open, chilled",
        deeds: "leavens, strengthens, softens, browns, tightens, acidifies, traps, dries",
    },
    Topic {
        name: "Railway Signalling",
        things: "block section, interlocking, track circuit, axle counter, signal box, route table, points motor, \
            level crossing, train describer, braking curve, overlap, token machine",
        qualities: "occupied, bidirectional, mechanical, fail-safe, electronic, protected, single-line, locked",
        deeds: "releases, locks, detects, protects, delays, clears, signals, overrides",
    },
];

struct Author {
    rng: ChaCha8Rng,
    said: HashSet<String>,
}

impl Author {
    fn paper(&mut self, nth: usize, words: usize) -> Paper {
        let topic = &TOPICS[nth % TOPICS.len()];
        let place = self.name();
        let (thing, quality) = (self.one_of(topic.things), self.one_of(topic.qualities));
        let title = format!("{} at {place}: the {quality} {thing}", topic.name);
        let abstract_text =
            nth.is_multiple_of(2).then(|| format!("{} {}", self.sentence(topic, &place), self.sentence(topic, &place)));
        let mut text = String::new();
        let mut written = 0;
        while written < words {
            let heading = format!("## The {} {}\n\n", self.one_of(topic.qualities), self.one_of(topic.things));
            text.push_str(&heading);
            for _ in 0..3 {
                let sentences: Vec<String> =
                    (0..self.rng.random_range(3..=6)).map(|_| self.sentence(topic, &place)).collect();
                written += sentences.iter().map(|sentence| sentence.split(' ').count()).sum::<usize>();
                // Lines may break anywhere, as in plain text.
                text.push_str(&sentences.join(if self.rng.random_bool(0.3) { "\n" } else { " " }));
                text.push_str("\n\n");
            }
        }
        let url = (!nth.is_multiple_of(3)).then(|| format!("https://example.org/{nth}"));
        Paper { title, abstract_text, text, url }
    }

    /// Returns a sentence that is unique in the corpus.
    fn sentence(&mut self, topic: &Topic, place: &str) -> String {
        loop {
            let sentence = self.try_sentence(topic, place);
            if self.said.insert(sentence.clone()) {
                return sentence;
            }
        }
    }

    fn try_sentence(&mut self, topic: &Topic, place: &str) -> String {
        let [a, b, c] = [(); 3].map(|()| self.one_of(topic.things));
        let [p, q] = [(); 2].map(|()| self.one_of(topic.qualities));
        let (does, did) = (self.one_of(topic.deeds), self.one_of(topic.deeds));
        let number = self.rng.random_range(11..98);
        match self.rng.random_range(0..9) {
            0 => format!("A {p} {a} {does} the {b} of {place} whenever the {c} is {q}."),
            1 => format!("At {place} the {a} {does} every {q} {b}, and the {c} {did} it in turn."),
            2 => format!("Engineers in {place} found that the {p} {a} {does} its {b} before the {c} turns {q}."),
            3 => format!("No {a} near {place} {does} a {q} {b} without a {p} {c} beside it."),
            4 => format!("The {p} {a} of {place} {does} {number}.5 per cent of each {b}, e.g. where the {c} is {q}."),
            5 => format!("Most reports on {place} agree [{number}] that a {q} {a} {does} the {b}."),
            6 => format!("Dr. Aldous measured at {place} how a {a} (often {p}) {does} the {q} {b}."),
            7 => format!("Where the {a} of {place} stays {p}, the {b} {does} what the {q} {c} leaves."),
            _ => format!("Between the {a} and the {b}, {place} keeps a {q} {c} that {did} the {p} remainder."),
        }
    }

    /// Returns an invented place name.
    fn name(&mut self) -> String {
        let one = "Ar, Bel, Cor, Dun, Esk, Fal, Gor, Hal, Ith, Kel, Lor, Mar, Nor, Tor";
        let two = "ber, dan, gar, len, mor, nia, ras, ste, tho, vin, wen, zel";
        let three = "by, dale, ford, ham, ley, mouth, stead, ton, wick, worth";
        [one, two, three].map(|parts| self.one_of(parts)).concat()
    }

    /// Returns a random word of a list.
    fn one_of(&mut self, list: &'static str) -> &'static str {
        list.split(", ").choose(&mut self.rng).expect("a list has words")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streamed_corpus_is_one_of_any_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("corpus.jsonl");
        Corpus::stream("T", 30, 100, 7, fs::File::create(&path).unwrap()).unwrap();
        let corpus = Corpus::read(&path);
        let titles: HashSet<_> = corpus.papers.iter().map(|paper| &paper.title).collect();
        assert_eq!((corpus.title.as_str(), titles.len()), ("T", 30));
        assert!(corpus.papers.iter().all(|paper| (100..450).contains(&paper.text.split_whitespace().count())));
    }

    #[test]
    fn equal_seeds_give_equal_corpora_and_every_source_is_its_own() {
        let corpus = Corpus::new("T", 24, 300, 7);
        assert_eq!(corpus.line(), Corpus::new("T", 24, 300, 7).line());
        assert_ne!(corpus.line(), Corpus::new("T", 24, 300, 8).line());
        let titles: HashSet<_> = corpus.papers.iter().map(|paper| &paper.title).collect();
        assert_eq!(titles.len(), 24);
        assert!(corpus.papers.iter().all(|paper| (300..650).contains(&paper.text.split_whitespace().count())));
    }
}
