//! Tokens: the only unit of prompt sizes, and the only packer.
//!
//! Counted with OpenAI's `o200k_base` encoding. A model with another tokenizer counts differently by some per cent,
//! hence the margin of [`Window::usable`].

use serde::{Deserialize, Serialize};

/// Counts the tokens of a text.
pub fn count(text: &str) -> u32 {
    bpe_openai::o200k_base().count(text) as u32
}

/// A model's context window, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Window(pub u32);

impl Window {
    /// Returns the tokens for prompt and reply together: a sixteenth is held back for differences of tokenizer and chat
    /// format.
    pub fn usable(self) -> u32 {
        self.0 - self.0 / 16
    }
}

/// Packs items in order into as few batches as possible, none over `room` tokens or over `most` items, then evens the
/// batches out: the same number of calls with a shorter longest call. An item over `room` gets a batch alone (the
/// caller decides to split or to shorten it). No items, no batches.
pub fn pack(tokens: &[u32], room: u32, most: usize) -> Vec<std::ops::Range<usize>> {
    let batches = fill(tokens, room, most).len();
    let (mut low, mut high) = (0, room);
    while low < high {
        let middle = low + (high - low) / 2;
        if fill(tokens, middle, most).len() <= batches { high = middle } else { low = middle + 1 }
    }
    fill(tokens, high, most)
}

fn fill(tokens: &[u32], room: u32, most: usize) -> Vec<std::ops::Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut sum) = (0, 0u32);
    for (i, &item) in tokens.iter().enumerate() {
        if i > start && (sum.saturating_add(item) > room || i - start >= most.max(1)) {
            batches.push(start..i);
            (start, sum) = (i, 0);
        }
        sum = sum.saturating_add(item);
    }
    if start < tokens.len() {
        batches.push(start..tokens.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_item_once_within_the_room_and_evenly() {
        let batches = pack(&[40, 40, 40, 10], 100, 10);
        assert_eq!(batches, [0..2, 2..4]);
        assert_eq!(pack(&[1; 7], 100, 3), [0..3, 3..6, 6..7]);
        assert_eq!(pack(&[500, 1, 1], 100, 10), [0..1, 1..3]);
        assert!(pack(&[], 100, 10).is_empty());
    }
}
