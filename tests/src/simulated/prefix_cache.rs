//! A prompt cache like those of servers: blocks of tokens, each identified by all preceding tokens.

use std::collections::HashSet;

/// The number of tokens in a block.
const BLOCK: usize = 128;

/// The number of blocks in a half of the cache. A full half replaces the older half.
const HALF: usize = 100_000;

/// The recently seen prefixes.
#[derive(Default)]
pub struct PrefixCache {
    young: HashSet<[u8; 16]>,
    old: HashSet<[u8; 16]>,
}

impl PrefixCache {
    /// Returns the number of leading tokens found in the cache, and adds the whole prompt to the cache.
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

    /// Marks a block as recent. Returns true if the block was known.
    fn touch(&mut self, key: [u8; 16]) -> bool {
        let known = !self.young.insert(key) || self.old.contains(&key);
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        known
    }
}

/// Returns the key of a block that follows the block with the key `before`.
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
