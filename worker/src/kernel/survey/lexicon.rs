//! Similarity of texts, by their shared words.

use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

/// Texts to choose from.
pub(super) struct Lexicon {
    texts: Vec<HashSet<String>>,
    /// In how many of the texts a word stands.
    spread: HashMap<String, usize>,
}

impl Lexicon {
    pub fn new<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<_> = texts.into_iter().map(|text| words(text.as_ref())).collect();
        let mut spread = HashMap::new();
        for word in texts.iter().flatten() {
            *spread.entry(word.clone()).or_default() += 1;
        }
        Self { texts, spread }
    }

    /// The place, among `places`, of the text most similar to this text: rare words count more, long texts don't. The
    /// first of equals wins.
    pub fn closest(&self, text: &str, places: impl IntoIterator<Item = usize>) -> Option<usize> {
        let words = words(text);
        let mut best: Option<(usize, f64)> = None;
        for place in places {
            let likeness = self.likeness(&words, place);
            if best.is_none_or(|(_, most)| likeness > most) {
                best = Some((place, likeness));
            }
        }
        best.map(|(place, _)| place)
    }

    fn likeness(&self, words: &HashSet<String>, place: usize) -> f64 {
        let text = &self.texts[place];
        let mut shared: Vec<_> = text.intersection(words).map(|word| self.spread[word]).collect();
        // Sums of floats depend on their order, and a set has none.
        shared.sort_unstable();
        let all = self.texts.len() as f64;
        let weight: f64 = shared.into_iter().map(|spread| (1.0 + all / spread as f64).ln()).sum();
        weight / (text.len() as f64).sqrt().max(1.0)
    }
}

/// Lower-case words of three letters and more, and single characters of scripts without spaces.
fn words(text: &str) -> HashSet<String> {
    let told = |word: &&str| word.chars().nth(2).is_some() || !word.is_ascii();
    text.unicode_words().filter(told).map(str::to_lowercase).collect()
}
