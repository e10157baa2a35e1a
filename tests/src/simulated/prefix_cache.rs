//! A prompt cache as servers keep it: blocks of tokens, each known by everything that stands before it.

use std::collections::HashSet;

/// The tokens of a block.
const BLOCK: usize = 128;

/// The blocks that a half of the cache holds before the older half is forgotten.
const HALF: usize = 100_000;

/// The prefixes seen lately.
#[derive(Default)]
pub struct PrefixCache {
    young: HashSet<[u8; 16]>,
    old: HashSet<[u8; 16]>,
}

impl PrefixCache {
    /// How many of the prompt's first tokens the cache holds; afterwards it holds the whole prompt.
    pub fn serve(&mut self, prompt: &[u32]) -> usize {
        let mut key = [0; 16];
        let mut cached = 0;
        let mut unbroken = true;
        for block in prompt.chunks_exact(BLOCK) {
            key = chain(key, block);
            unbroken = self.touch(key) && unbroken;
            cached += if unbroken { BLOCK } else { 0 };
        }
        cached
    }

    /// Makes a block young; was it known?
    fn touch(&mut self, key: [u8; 16]) -> bool {
        let known = !self.young.insert(key) || self.old.contains(&key);
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        known
    }
}

/// The key of a block after the one with the given key.
fn chain(before: [u8; 16], block: &[u32]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&before);
    for token in block {
        hasher.update(&token.to_le_bytes());
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_prefix_is_served_in_whole_blocks() {
        let mut cache = PrefixCache::default();
        let first: Vec<u32> = (0..400).collect();
        let mut second = first.clone();
        second[300] = 7_000;
        assert_eq!(cache.serve(&first), 0);
        assert_eq!(cache.serve(&second), 256);
        assert_eq!(cache.serve(&first), 384);
    }
}
