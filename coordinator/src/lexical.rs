//! Which section a text belongs to by its words alone: for notes whose section an outline has lost.

use std::collections::{HashMap, HashSet};

/// The words of a text that can tell it from others: lower case, no short ones; of scripts without spaces, pairs of
/// neighbouring characters.
fn words(text: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        if run.is_ascii() {
            if run.len() > 3 {
                // Plurals and inflections share their beginning: a stem that is good enough to count with.
                words.insert(run.to_lowercase().chars().take(7).collect());
            }
        } else {
            let chars: Vec<char> = run.to_lowercase().chars().collect();
            words.extend(chars.windows(2).map(|pair| pair.iter().collect::<String>()));
        }
    }
    words
}

/// Finds, of a few texts, the one that another is most like. Words that few of the texts share weigh more.
pub(crate) struct Closest {
    texts: Vec<HashSet<String>>,
    shared_by: HashMap<String, u32>,
}

impl Closest {
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let texts: Vec<_> = texts.into_iter().map(words).collect();
        let mut shared_by = HashMap::new();
        for word in texts.iter().flatten() {
            *shared_by.entry(word.clone()).or_default() += 1;
        }
        Self { texts, shared_by }
    }

    /// Likeness of `text` to each, in their order.
    pub(crate) fn likeness(&self, text: &str) -> Vec<f64> {
        // Sorted, so that the sums round the same way in every process.
        let mut words: Vec<_> = words(text).into_iter().filter(|word| self.shared_by.contains_key(word)).collect();
        words.sort_unstable();
        self.texts
            .iter()
            .map(|of| {
                let shared: f64 = words
                    .iter()
                    .filter(|word| of.contains(*word))
                    .map(|word| 1.0 / f64::from(self.shared_by[word]))
                    .sum();
                shared / (of.len() as f64 + 1.0).sqrt()
            })
            .collect()
    }

    /// The closest text's place, the first of equals; the first of all where no word is shared.
    /// Of `among` only, where it is given.
    pub(crate) fn to(&self, text: &str, among: Option<&[usize]>) -> Option<usize> {
        let likeness = self.likeness(text);
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
