//! Ids that are hashes: equal content has an equal id, on any machine and in any run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Hashes data part by part; parts can't run into each other.
#[derive(Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Returns a hasher for a kind of id: the same parts under another `domain` give another hash.
    pub fn new(domain: &str) -> Self {
        let mut hasher = Self::default();
        hasher.part(domain.as_bytes());
        hasher
    }

    pub fn part(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Returns the whole hash, as a seed for random generators.
    pub fn seed(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// Returns the first 16 bytes of the BLAKE3 hash: collisions within a deployment won't happen.
    fn finish(&self) -> [u8; 16] {
        self.0.finalize().as_bytes()[..16].try_into().expect("a BLAKE3 hash has 32 bytes")
    }
}

/// Returns the hexadecimal digits, made at once and not byte by byte: every message's subject has two ids.
fn digits(bytes: [u8; 16]) -> [u8; 32] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut digits = [0; 32];
    for (two, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        two.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    digits
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Returns the id for the data given to `hasher`.
            pub fn of(hasher: &Hasher) -> Self {
                Self(hasher.finish())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&digits(self.0)).expect("digits are ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = || BadId { kind: stringify!($name), text: text.to_owned() };
                if text.len() != 32 || !text.is_ascii() {
                    return Err(bad());
                }
                let mut bytes = [0; 16];
                for (i, byte) in bytes.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| bad())?;
                }
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    // As a single number: an array would be written byte by byte.
                    u128::from_be_bytes(self.0).serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
                } else {
                    u128::deserialize(deserializer).map(|number| Self(number.to_be_bytes()))
                }
            }
        }
    };
}

hash_id! {
    /// A job: its sources, its settings and its seed. The same command gives the same id, so a second run finds the
    /// results of the first.
    JobId
}
hash_id! {
    /// A task: its job, its place in the job, and its whole work.
    TaskId
}
hash_id! {
    /// A blob: its bytes.
    BlobId
}
hash_id! {
    /// An outline: its whole content.
    OutlineId
}
hash_id! {
    /// A call to a model: the model and every byte of the request. Tasks with equal calls share the reply.
    CallId
}

impl BlobId {
    /// Returns the id of a blob with these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of(Hasher::new("blob").part(bytes))
    }
}

/// A malformed id.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no {kind}: expected 32 hexadecimal digits")]
pub struct BadId {
    kind: &'static str,
    text: String,
}
