//! Makes texts of the prompt's words, so that an article seems to be about the topic.
//!
//! Only words of letters are taken, so no text contains a citation, a handle or another meaningful sign.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The number of tokens searched for words after a random place.
const REACH: usize = 40;

/// The words used if the prompt has no words.
const STANDBY: [&str; 12] = [
    "general", "method", "result", "problem", "approach", "system", "common", "design", "open", "question", "known",
    "measure",
];

/// A text as a source of words.
pub struct Words<'a> {
    text: &'a str,
}

impl<'a> Words<'a> {
    /// Returns a source of this text's words.
    pub fn of(text: &'a str) -> Self {
        Self { text }
    }

    /// Writes a title of `count` words.
    pub fn title(&self, rng: &mut ChaCha8Rng, count: usize) -> String {
        capitalised(&joined(&self.take(rng, count)))
    }

    /// Returns a single word in lower case.
    pub fn word(&self, rng: &mut ChaCha8Rng) -> String {
        joined(&self.take(rng, 1)).to_lowercase()
    }

    /// Writes sentences of `count` words in all.
    pub fn prose(&self, rng: &mut ChaCha8Rng, count: usize) -> String {
        let mut sentences: Vec<String> = Vec::new();
        let mut left = count;
        while left > 0 {
            let length = rng.random_range(9..=20);
            let length = if left < length + 4 { left } else { length };
            sentences.push(capitalised(&joined(&self.take(rng, length))) + ".");
            left -= length;
        }
        sentences.join(" ")
    }

    /// Takes `count` words, in short runs of adjacent words.
    fn take(&self, rng: &mut ChaCha8Rng, count: usize) -> Vec<&'a str> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let run = rng.random_range(2..=6).min(count - taken.len());
            let before = taken.len();
            for _ in 0..4 {
                self.take_run(rng, run, &mut taken);
                if taken.len() > before {
                    break;
                }
            }
            if taken.len() == before {
                taken.push(STANDBY[rng.random_range(0..STANDBY.len())]);
            }
        }
        taken
    }

    /// Takes at most `count` words after a random place.
    fn take_run(&self, rng: &mut ChaCha8Rng, count: usize, taken: &mut Vec<&'a str>) {
        if self.text.is_empty() {
            return;
        }
        let place = char_floor(self.text, rng.random_range(0..self.text.len()));
        let rest = &self.text[place..];
        let start = if place == 0 || !starts_within_word(self.text, place) {
            0
        } else {
            rest.find(|char: char| !char.is_alphanumeric()).unwrap_or(rest.len())
        };
        let tokens = rest[start..].split_whitespace().take(REACH);
        taken.extend(tokens.filter_map(plain_word).take(count));
    }
}

/// Returns the last character boundary at or before this place.
pub fn char_floor(text: &str, place: usize) -> usize {
    (0..=place).rev().find(|&place| text.is_char_boundary(place)).unwrap_or(0)
}

/// Returns true if this place cuts an alphabetic word in two. (Words of ideographs have no bounds.)
fn starts_within_word(text: &str, place: usize) -> bool {
    let before = text[..place].chars().next_back();
    before.is_some_and(|char| char.is_alphanumeric() && !is_ideograph(char))
}

/// Returns the word in a token, without surrounding punctuation. `None` if the token is no word of letters.
fn plain_word(token: &str) -> Option<&str> {
    if token.contains(is_ideograph) {
        return ideographs(token);
    }
    let word = token.trim_matches(|char: char| !char.is_alphanumeric());
    let opens_well = token.chars().next().is_some_and(|char| char.is_alphanumeric() || "\"'(*_".contains(char));
    let letters = word.chars().all(|char| char.is_alphabetic() || char == '-' || char == '\'');
    let fits = word.len() <= 24 && (word.len() >= 2 || word == "a");
    (opens_well && letters && fits && !word.is_empty()).then_some(word)
}

/// Returns up to four consecutive ideographs of a token.
fn ideographs(token: &str) -> Option<&str> {
    let start = token.find(is_ideograph)?;
    let run = &token[start..];
    let end = run.char_indices().take(4).take_while(|(_, char)| is_ideograph(*char)).last()?;
    Some(&run[..end.0 + end.1.len_utf8()])
}

/// Returns true for a Chinese character.
fn is_ideograph(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Joins words with spaces, except between ideographs.
fn joined(words: &[&str]) -> String {
    let mut text = String::new();
    for word in words {
        let tight = text.ends_with(is_ideograph) && word.starts_with(is_ideograph);
        if !text.is_empty() && !tight {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Returns the text with the first letter in upper case.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const TEXT: &str =
        "The borrow checker [3] refuses S17 aliasing; see https://example.org (Smith, 2021) and {\"a\": 1}.";

    #[test]
    fn prose_has_as_many_words_as_asked_and_no_citation() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for count in 1..200 {
            let prose = Words::of(TEXT).prose(&mut rng, count);
            assert_eq!(prose.split_whitespace().count(), count);
            assert!(!prose.contains(|char: char| char.is_ascii_digit() || "[]{}:".contains(char)), "{prose}");
        }
    }

    #[test]
    fn it_finds_words_in_chinese_and_does_without_any() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let prose = Words::of("借用检查器，所有权和生命周期。编译器拒绝别名。").prose(&mut rng, 12);
        assert!(prose.contains(is_ideograph), "{prose}");
        assert_eq!(Words::of("").title(&mut rng, 3).split(' ').count(), 3);
        assert_eq!(Words::of("1 2 3").title(&mut rng, 3).split(' ').count(), 3);
    }
}
