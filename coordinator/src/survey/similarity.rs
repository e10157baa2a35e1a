//! Compares texts by their words alone: finds a section for notes whose section an outline has lost, and tells if a
//! text still has the same subject.

use std::collections::{HashMap, HashSet};

/// The longest stem, in letters.
const STEM: usize = 7;

/// Calls back with every distinctive word of a text: lower case, no short words; for scripts without spaces, pairs of
/// neighbouring characters. Notes are compared by the million, so no word is kept.
fn each_word(text: &str, mut found: impl FnMut(&str)) {
    let mut word = String::new();
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        word.clear();
        if run.is_ascii() {
            if run.len() > 3 {
                // Plurals and inflections share their beginning: a stem that is good enough to count with.
                word.push_str(&run[..run.len().min(STEM)]);
                word.make_ascii_lowercase();
                found(&word);
            }
        } else {
            let mut before = None;
            for c in run.chars().flat_map(char::to_lowercase) {
                if let Some(before) = before.replace(c) {
                    word.clear();
                    word.extend([before, c]);
                    found(&word);
                }
            }
        }
    }
}

/// Returns the share of a text's words that another text has as well; 1 for a text without words.
pub(crate) fn shared(text: &str, with: &str) -> f64 {
    let words = |text| {
        let mut words = HashSet::new();
        each_word(text, |word| {
            words.insert(word.to_owned());
        });
        words
    };
    let (of, with) = (words(text), words(with));
    if of.is_empty() { 1.0 } else { of.intersection(&with).count() as f64 / of.len() as f64 }
}

/// Finds the text that another is most similar to, among a few. Words that few of the texts share weigh more.
pub(crate) struct Closest {
    /// The texts' words, numbered in the order of their first occurrence.
    numbers: HashMap<String, usize>,
    /// For each word, the texts that have it.
    holders: Vec<Vec<usize>>,
    /// The number of words of each text.
    words: Vec<usize>,
}

impl Closest {
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut closest = Self { numbers: HashMap::new(), holders: Vec::new(), words: Vec::new() };
        for (place, text) in texts.into_iter().enumerate() {
            closest.words.push(0);
            each_word(text, |word| closest.add(place, word));
        }
        closest
    }

    fn add(&mut self, text: usize, word: &str) {
        let number = *self.numbers.entry(word.to_owned()).or_insert(self.holders.len());
        if number == self.holders.len() {
            self.holders.push(Vec::new());
        }
        let holders = &mut self.holders[number];
        if holders.last() != Some(&text) {
            holders.push(text);
            self.words[text] += 1;
        }
    }

    /// Returns the similarity of all that is `said` to each of the texts, in their order.
    pub(crate) fn likeness<'a>(&self, said: impl IntoIterator<Item = &'a str>) -> Vec<f64> {
        let mut shared = Vec::new();
        for text in said {
            each_word(text, |word| shared.extend(self.numbers.get(word)));
        }
        // In the order of their numbers, so that the sums round the same way in every process.
        shared.sort_unstable();
        shared.dedup();
        let mut likeness = vec![0.0; self.words.len()];
        for holders in shared.into_iter().map(|word: usize| &self.holders[word]) {
            for text in holders {
                likeness[*text] += 1.0 / holders.len() as f64;
            }
        }
        likeness.iter().zip(&self.words).map(|(shared, words)| shared / (*words as f64 + 1.0).sqrt()).collect()
    }

    /// Returns the place of the closest text, the first of equals; the first text if no word is shared. Only texts
    /// `among` the given places count, if any are given.
    pub(crate) fn to(&self, text: &str, among: Option<&[usize]>) -> Option<usize> {
        let likeness = self.likeness([text]);
        let best = |best: Option<usize>, i: usize| match best {
            Some(best) if likeness[best] >= likeness[i] => Some(best),
            _ => Some(i),
        };
        match among {
            Some(among) => among.iter().copied().fold(None, best),
            None => (0..likeness.len()).fold(None, best),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shared_whatever_their_endings_and_order() {
        assert_eq!(shared("Lifetimes of references", "a reference, whose lifetime is long"), 1.0);
        assert_eq!(shared("Lifetimes, references and macros", "hygienic macros"), 1.0 / 3.0);
        assert_eq!(shared("of it", "macros"), 1.0);
    }

    #[test]
    fn a_text_goes_where_its_rare_words_are() {
        let closest =
            Closest::new(["Lifetimes and borrowing of references", "Macros and references", "模式匹配与守卫"]);
        assert_eq!(closest.to("a borrowed value has a lifetime and references", None), Some(0));
        assert_eq!(closest.to("hygiene of a macro, references", None), Some(1));
        assert_eq!(closest.to("守卫里的模式", None), Some(2));
        assert_eq!(closest.to("nothing in common", None), Some(0));
        assert_eq!(closest.to("lifetimes", Some(&[1, 2])), Some(1));
    }
}
