//! ROUGE-Lsum: what a summary shares with a reference, in the order of its words, sentence by sentence.

use std::collections::{BTreeSet, HashMap};

/// The F-measure. Sentences are lines; words are runs of ASCII letters and digits, without stemming.
pub fn lsum(summary: &str, reference: &str) -> f64 {
    let (summary, reference) = (sentences(summary), sentences(reference));
    let (mut of_summary, mut of_reference) = (counts(&summary), counts(&reference));
    let mut shared = 0;
    for sentence in &reference {
        // A word of the reference counts once, in whichever sentences of the summary it is found.
        let union: BTreeSet<usize> = summary.iter().flat_map(|other| longest_common(sentence, other)).collect();
        for place in union {
            let word = sentence[place].as_str();
            if let (Some(a @ 1..), Some(b @ 1..)) = (of_summary.get_mut(word), of_reference.get_mut(word)) {
                (*a, *b) = (*a - 1, *b - 1);
                shared += 1;
            }
        }
    }
    let words = |sentences: &[Vec<String>]| sentences.iter().map(Vec::len).sum::<usize>();
    if shared == 0 { 0.0 } else { 2.0 * f64::from(shared) / (words(&summary) + words(&reference)) as f64 }
}

fn sentences(text: &str) -> Vec<Vec<String>> {
    let text = text.to_lowercase();
    let words = |line: &str| {
        let words = line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    text.lines().map(words).filter(|words| !words.is_empty()).collect()
}

fn counts(sentences: &[Vec<String>]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    sentences.iter().flatten().for_each(|word| *counts.entry(word.as_str()).or_default() += 1);
    counts
}

/// The places in `one` of a longest common subsequence with `other`.
fn longest_common(one: &[String], other: &[String]) -> Vec<usize> {
    let mut lengths = vec![vec![0_u32; other.len() + 1]; one.len() + 1];
    for (i, word) in one.iter().enumerate() {
        for (j, same) in other.iter().enumerate() {
            lengths[i + 1][j + 1] =
                if word == same { lengths[i][j] + 1 } else { lengths[i][j + 1].max(lengths[i + 1][j]) };
        }
    }
    let (mut i, mut j, mut places) = (one.len(), other.len(), Vec::new());
    while i > 0 && j > 0 {
        if one[i - 1] == other[j - 1] {
            places.push(i - 1);
            (i, j) = (i - 1, j - 1);
        } else if lengths[i][j - 1] > lengths[i - 1][j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_the_reference_are_met_by_the_union_of_the_summary_s() {
        // Of w1…w5: "w1 w2" in one line and "w1 w3 w5" in the other, so w1 w2 w3 w5; 4 of 5, and 4 of 10.
        let score = lsum("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5");
        assert!((score - 8.0 / 15.0).abs() < 1e-9, "{score}");
    }

    #[test]
    fn order_counts_within_a_sentence_and_case_does_not() {
        // "weir fell" is the longest in order: 2 of 3 and 2 of 3.
        assert!((lsum("The weir fell.", "WEIR fell the") - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(lsum("", "a b"), 0.0);
    }
}
