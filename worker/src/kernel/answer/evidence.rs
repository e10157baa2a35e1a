//! Evidence: the place of a quote in the text that it is said to come from.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// One in so many words of a quote may differ from the text: models drop an article or mend a misprint.
const ONE_IN: usize = 10;

/// Finds a quote in a text: the bytes of the passage that it repeats, or nearly repeats.
///
/// Case, white space, punctuation and the kinds of quotation marks and dashes don't count. Of a quote of ten words or more one
/// word in ten may be missing, added or changed, but for words with digits: those must be the same. Where the quote stands
/// several times, the closest passage is taken, the first of equals.
pub(super) fn locate(text: &str, quote: &str) -> Option<Range<usize>> {
    let wanted: Vec<String> = quote.unicode_words().map(folded).collect();
    if wanted.is_empty() {
        return None;
    }
    let words: Vec<(usize, &str)> = text.unicode_word_indices().collect();
    let folded: Vec<String> = words.iter().map(|(_, word)| folded(word)).collect();
    let QuoteMatch { words: found, .. } = closest(&folded, &wanted)?;
    let (last, word) = words[found.end - 1];
    Some(words[found.start].0..last + word.len())
}

fn folded(word: &str) -> String {
    word.replace('’', "'").to_lowercase()
}

/// Words of the text that a quote is matched to, and how many edits that takes.
struct QuoteMatch {
    words: Range<usize>,
    edits: usize,
}

/// The closest stretch of `text` to `wanted`, if it is close enough: Sellers' algorithm (1980) on words.
fn closest(text: &[String], wanted: &[String]) -> Option<QuoteMatch> {
    let most = wanted.len() / ONE_IN;
    // For each number of wanted words: the fewest edits of a stretch that ends here, and where that stretch starts.
    let mut row: Vec<(usize, usize)> = (0..=wanted.len()).map(|deleted| (deleted, 0)).collect();
    let mut best: Option<QuoteMatch> = None;
    for (place, word) in text.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (0, place + 1);
        for (i, wanted) in wanted.iter().enumerate() {
            let replaced = (diagonal.0 + cost(word, wanted), diagonal.1);
            let added = (row[i + 1].0 + price(word), row[i + 1].1);
            let left_out = (row[i].0 + price(wanted), row[i].1);
            diagonal = row[i + 1];
            row[i + 1] = [replaced, added, left_out].into_iter().min_by_key(|(edits, _)| *edits).expect("three");
        }
        let (edits, start) = row[wanted.len()];
        if edits <= most && best.as_ref().is_none_or(|best| edits < best.edits) && start <= place {
            best = Some(QuoteMatch { words: start..place + 1, edits });
            if edits == 0 {
                break;
            }
        }
    }
    best
}

/// The edits that it takes to make one word another.
fn cost(word: &str, wanted: &str) -> usize {
    if word == wanted { 0 } else { price(word).max(price(wanted)) }
}

/// The edits that a missing or added word counts for: a number makes the passage another.
fn price(word: &str) -> usize {
    const NEVER: usize = 1 << 20;
    if word.contains(|c: char| c.is_ascii_digit()) { NEVER } else { 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Salmon return in “autumn”.\nThe weir was 41 m long, and it was removed in\nthe spring of 1987, \
        before anybody had counted the fish that passed it.";

    fn found(quote: &str) -> Option<&str> {
        locate(TEXT, quote).map(|range| &TEXT[range])
    }

    #[test]
    fn a_quote_is_found_whatever_its_spaces_marks_and_case() {
        assert_eq!(found("salmon return in \"Autumn\""), Some("Salmon return in “autumn"));
        assert_eq!(found("it was removed in the spring of 1987."), Some("it was removed in\nthe spring of 1987"));
        assert_eq!(found("…"), None);
    }

    #[test]
    fn a_long_quote_may_differ_in_a_word_but_not_in_a_number() {
        let near = "it was removed in spring of 1987 before anybody had counted the fish";
        assert!(found(near).is_some_and(|passage| passage.starts_with("it was removed")));
        assert_eq!(found(&near.replace("1987", "1978")), None);
        assert_eq!(found("it was removed in spring"), None, "a short quote has no word to spare");
        assert_eq!(found("The weir was blown up by the army, who had counted no fish at all that year"), None);
    }

    proptest! {
        #[test]
        fn any_stretch_of_words_is_found(words in prop::collection::vec("[a-zé汉0-9]{1,6}", 1..60), start: prop::sample::Index, length in 1usize..20) {
            let text = words.join(" ");
            let start = start.index(words.len());
            let quote = words[start..(start + length).min(words.len())].join(" ");
            // An earlier stretch may have the same words with other white space between them.
            let dense = |text: &str| text.split_whitespace().collect::<String>();
            let found = locate(&text, &quote).map(|range| dense(&text[range]));
            prop_assert_eq!(found, Some(dense(&quote)));
        }
    }
}
