//! Terms, the units of comparison between texts. Words without their endings; in scripts without spaces between words,
//! pairs of adjacent characters, about as good for retrieval as segmented words (Nie & Ren 1999).

use std::{collections::HashSet, sync::LazyLock};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// Listed as stop words, but telling in technical texts.
const TELLING: &str = "auth computer copy file index information key keys member members move non null order research state \
                       states system systems test tests text value values";

static STOP_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let telling: HashSet<_> = TELLING.split_whitespace().collect();
    let listed = ["en", "zh"].into_iter().filter_map(stop_words::lookup).flatten().copied();
    listed.filter(|word| !telling.contains(word)).chain(["e.g", "i.e", "etc", "cf"]).collect()
});

/// Characters with grammar rather than meaning.
const PARTICLES: &str =
    "的了是在和与及或等对为以将其这那有不我们你他它她们也都就而但并被把从到由所之则于着过个们会能可要";

/// Tells whether a character belongs to a script without spaces.
pub fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3134f}')
}

pub fn is_particle(c: char) -> bool {
    PARTICLES.contains(c)
}

/// Tells whether a word, in lower case, means too little to count.
pub fn is_stop(word: &str) -> bool {
    STOP_WORDS.contains(word)
}

/// A word, in lower case, without its ending.
pub fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
    ENGLISH.stem(word).into_owned()
}

/// The terms of a text in order, repeated as often as they occur.
pub fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    // The last unspaced character and its end.
    let mut last: Option<(char, usize)> = None;
    for (start, word) in text.unicode_word_indices() {
        let mut chars = word.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if is_unspaced(c) => {
                if let Some((before, end)) = last
                    && end == start
                    && !is_particle(before)
                    && !is_particle(c)
                {
                    terms.push([before, c].iter().collect());
                }
                last = Some((c, start + word.len()));
            }
            _ => terms.extend(term(word)),
        }
    }
    terms
}

/// The term of a spaced word, if there is any meaning.
fn term(word: &str) -> Option<String> {
    let lower = word.to_lowercase().replace('’', "'");
    let lettered = lower.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    (lettered && !is_stop(&lower)).then(|| stem(&lower))
}

/// The length of a text in words; two unspaced characters count as a word.
pub fn length(text: &str) -> usize {
    let mut unspaced = 0;
    let spaced = text
        .unicode_words()
        .filter(|word| {
            let own = word.chars().filter(|&c| is_unspaced(c)).count();
            unspaced += own;
            own == 0
        })
        .count();
    spaced + unspaced.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_stemmed_and_chinese_is_paired() {
        assert_eq!(terms("The patterns of a Guard’s pattern"), ["pattern", "guard", "pattern"]);
        assert_eq!(terms("卷积网络的训练"), ["卷积", "积网", "网络", "训练"]);
        assert_eq!(length("two words 四个汉字"), 4);
    }
}
