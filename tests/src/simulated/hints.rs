//! Reads sizes from a field's description: "at most 40 words", "3 to 5 items", "0 to 10".

/// The assumed words of a sentence.
const SENTENCE: usize = 16;

/// The assumed words of a paragraph.
const PARAGRAPH: usize = 80;

/// Units of measure that don't count items.
const MEASURES: [&str; 6] = ["word", "sentence", "paragraph", "token", "character", "letter"];

/// Numbers that a description may spell out.
const NUMBERS: [&str; 13] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// A number or a range as found in a description.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Found {
    AtMost(f64),
    AtLeast(f64),
    Range(f64, f64),
    Plain(f64),
}

/// Returns the range of a text's words, from the description.
pub fn words(about: &str) -> Option<(usize, usize)> {
    let tokens = tokens(about);
    let (unit, found) = tokens.iter().enumerate().find_map(|(at, token)| {
        let unit = [("word", 1), ("sentence", SENTENCE), ("paragraph", PARAGRAPH)]
            .into_iter()
            .find_map(|(name, words)| token.starts_with(name).then_some(words))?;
        Some((unit, found_before(&tokens, at)?))
    })?;
    let (least, most) = match found {
        Found::AtMost(most) => (most / 2.0, most),
        Found::AtLeast(least) => (least, least * 1.5),
        Found::Range(least, most) => (least, most),
        Found::Plain(number) => (number * 0.8, number),
    };
    let least = (least.ceil() as usize).max(1) * unit;
    Some((least, (most as usize * unit).max(least)))
}

/// Returns the range of a list's items, from the description. The upper end is missing if the range is open.
pub fn items(about: &str) -> Option<(usize, Option<usize>)> {
    let tokens = tokens(about);
    (1..=tokens.len()).find_map(|end| {
        let is_measure = |token: &String| MEASURES.iter().any(|measure| token.starts_with(measure));
        let continues = |token: &String| matches!(token.as_str(), "to" | "and" | "or");
        if tokens.get(end).is_some_and(|next| is_measure(next) || continues(next)) {
            return None;
        }
        match found_before(&tokens, end)? {
            Found::AtMost(most) => Some((((most * 0.6).ceil()) as usize, Some(most as usize))),
            Found::AtLeast(least) => Some((least as usize, None)),
            Found::Range(least, most) if least <= most => Some((least as usize, Some(most as usize))),
            _ => None,
        }
    })
}

/// Returns the range of a number, from the description.
pub fn range(about: &str) -> Option<(f64, f64)> {
    let tokens = tokens(about);
    (1..=tokens.len()).find_map(|end| match found_before(&tokens, end)? {
        Found::Range(least, most) if least < most => Some((least, most)),
        _ => None,
    })
}

/// Returns true if the description asks for every choice.
pub fn every(about: &str) -> bool {
    tokens(about).iter().any(|token| matches!(token.as_str(), "every" | "all"))
}

/// Returns the number or range that ends right before a token.
fn found_before(tokens: &[String], end: usize) -> Option<Found> {
    let last = number(tokens.get(end.checked_sub(1)?)?)?;
    let joined = end >= 3 && matches!(tokens[end - 2].as_str(), "to" | "and" | "or");
    if let Some(first) = joined.then(|| number(&tokens[end - 3])).flatten() {
        return Some(Found::Range(first, last));
    }
    let before = tokens[end.saturating_sub(4)..end - 1].join(" ");
    let ends = |phrases: &[&str]| phrases.iter().any(|phrase| before.ends_with(phrase));
    if ends(&["at most", "up to", "no more than", "fewer than", "less than", "under", "below", "within", "maximum"]) {
        Some(Found::AtMost(last))
    } else if ends(&["at least", "no fewer than", "no less than", "more than", "minimum"]) {
        Some(Found::AtLeast(last))
    } else {
        Some(Found::Plain(last))
    }
}

/// Reads a number, in digits or spelled out.
fn number(token: &str) -> Option<f64> {
    let spelled = NUMBERS.iter().position(|name| *name == token).map(|number| number as f64);
    spelled.or_else(|| token.parse().ok().filter(|number: &f64| number.is_finite()))
}

/// Returns the words of a description in lower case. A dash between digits becomes "to", and commas in thousands are
/// removed.
fn tokens(about: &str) -> Vec<String> {
    let chars: Vec<char> = about.to_lowercase().chars().collect();
    let is_digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    let mut plain = String::with_capacity(about.len());
    for (at, &char) in chars.iter().enumerate() {
        let within_digits = is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
        match char {
            '-' | '–' | '—' if within_digits => plain.push_str(" to "),
            '.' if within_digits => plain.push('.'),
            ',' if within_digits => {}
            char if char.is_alphanumeric() => plain.push(char),
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_texts_are_read() {
        assert_eq!(words("A summary of at most 40 words."), Some((20, 40)));
        assert_eq!(words("80-120 words on the section"), Some((80, 120)));
        assert_eq!(words("Between 1,000 and 1,200 words"), Some((1000, 1200)));
        assert_eq!(words("One or two sentences."), Some((16, 32)));
        assert_eq!(words("At least ten words"), Some((10, 15)));
        assert_eq!(words("In the author's words"), None);
    }

    #[test]
    fn sizes_of_lists_are_read() {
        assert_eq!(items("3 to 5 sections"), Some((3, Some(5))));
        assert_eq!(items("At least two of them"), Some((2, None)));
        assert_eq!(items("Texts of at most 40 words"), None);
        assert_eq!(items("Up to 10 items of at most 5 words"), Some((6, Some(10))));
    }

    #[test]
    fn ranges_of_numbers_are_read() {
        assert_eq!(range("A score, 0 to 10"), Some((0.0, 10.0)));
        assert_eq!(range("from 0.5 to 1.0."), Some((0.5, 1.0)));
        assert_eq!(range("A score"), None);
    }
}
