//! Truncation of texts to fit their room, without losing a text whole.

use tributary_protocol::{budget::count, survey::digest::Note};
use unicode_segmentation::UnicodeSegmentation;

/// The text in at most `room` tokens, ended at a word with an ellipsis where it had to be shortened.
pub(crate) fn trim(text: &str, room: u32) -> String {
    if count(text) <= room {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.split_word_bound_indices().map(|(at, _)| at).collect();
    let shortened = |end: usize| format!("{}…", text[..end].trim_end_matches(|c: char| !c.is_alphanumeric()));
    let fitting = ends.partition_point(|end| count(&shortened(*end)) <= room);
    match fitting.checked_sub(1).map(|at| shortened(ends[at])) {
        Some(text) if text != "…" => text,
        _ => String::new(),
    }
}

/// The highest ceiling for each text with which all texts fit the room together: long texts give way, short texts stay.
pub(crate) fn ceiling(tokens: &[u32], room: u32) -> u32 {
    let sum = |most: u32| tokens.iter().map(|&tokens| u64::from(tokens.min(most))).sum::<u64>();
    let (mut low, mut high) = (0, tokens.iter().copied().max().unwrap_or(0));
    while low < high {
        let middle = high - (high - low) / 2;
        if sum(middle) <= u64::from(room) { low = middle } else { high = middle - 1 }
    }
    low
}

/// Notes in at most `room` tokens. Long notes are shortened; the last notes go where only stumps would be left.
pub(crate) fn notes<K>(mut notes: Vec<(K, Note)>, room: u32) -> Vec<(K, Note)> {
    /// The fewest tokens of a meaningful note, handles included.
    const STUMP: u32 = 16;
    loop {
        let tokens: Vec<u32> = notes.iter().map(|(_, note)| note.tokens).collect();
        if tokens.iter().sum::<u32>() <= room || notes.len() == 1 && room < STUMP {
            return notes;
        }
        let most = ceiling(&tokens, room);
        if most >= STUMP || notes.len() == 1 {
            return notes.into_iter().map(|(key, note)| (key, shortened(note, most))).collect();
        }
        notes.pop();
    }
}

fn shortened(note: Note, most: u32) -> Note {
    if note.tokens <= most {
        return note;
    }
    let handles = note.tokens - count(&note.text);
    let text = trim(&note.text, most.saturating_sub(handles).max(8));
    Note::new(text, note.sources.clone())
}

#[cfg(test)]
mod tests {
    use tributary_protocol::source::SourceId;

    use super::*;

    #[test]
    fn a_text_is_shortened_at_a_word() {
        let text = "The quick brown fox jumps over the lazy dog, again and again.";
        let short = trim(text, 6);
        assert!(count(&short) <= 6 && short.ends_with('…'), "{short}");
        assert!(text.starts_with(short.trim_end_matches('…')));
        assert_eq!(trim("短文", 10), "短文");
    }

    #[test]
    fn long_notes_give_way_to_short_ones() {
        let note = |words: usize| ((), Note::new("word ".repeat(words), vec![SourceId(1)]));
        let fitted = notes(vec![note(10), note(200), note(300)], 150);
        assert_eq!(fitted.len(), 3);
        assert_eq!(fitted[0].1, note(10).1);
        assert!(fitted.iter().map(|(_, note)| note.tokens).sum::<u32>() <= 150);
        assert!(notes(vec![note(30); 40], 200).len() < 40);
    }
}
