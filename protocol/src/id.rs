//! Names that are hashes: equal content has an equal name, on any machine and in any run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Hashes what is written to it, part by part; parts can't run into each other.
#[derive(Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// A hasher for one kind of name: the same parts under another `domain` give another hash.
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

    /// The whole hash, to seed chance with.
    pub fn seed(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// The first 16 bytes of the BLAKE3 hash: no two contents of one deployment will ever share them.
    fn finish(&self) -> [u8; 16] {
        self.0.finalize().as_bytes()[..16].try_into().expect("a BLAKE3 hash has 32 bytes")
    }
}

/// In hexadecimal. Every message's subject has two of these, so they are made at once and not byte by byte.
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
            /// The name of what `hasher` was given.
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
                    // As one number: an array would be written byte by byte.
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
    /// A job: its sources, its settings and its seed. The same command names the same job, which is how a second run
    /// finds what the first one did.
    JobId
}
hash_id! {
    /// A task: the job, the place in it that the task fills, and everything that it asks.
    TaskId
}
hash_id! {
    /// A blob: its bytes.
    BlobId
}
hash_id! {
    /// An outline: all that it says.
    OutlineId
}
hash_id! {
    /// A call to a model: the model and every byte that is sent to it. Two tasks that ask the same share its reply.
    CallId
}

impl BlobId {
    /// The name of a blob with these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of(Hasher::new("blob").part(bytes))
    }
}

/// A text that should have been an id and isn't.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no {kind}: 32 hexadecimal digits are")]
pub struct BadId {
    kind: &'static str,
    text: String,
}
