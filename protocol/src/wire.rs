//! The encoding of values: MessagePack behind a version number.
//!
//! Fields travel by name, so a newer writer may add optional ones without a new version. Changes open to misreading by
//! an older reader get a new version, and the older reader reports the version instead of guessing.

use serde::{Serialize, de::DeserializeOwned};

/// The version of this build: the only version written and read.
pub const VERSION: u16 = 3;

/// Room for most messages, in bytes.
const TYPICAL: usize = 4 << 10;

#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("a message of version {found}; this build speaks version {VERSION}")]
    Version { found: u16 },
    #[error("failed to decode a message: {0}")]
    Unreadable(#[from] rmp_serde::decode::Error),
    #[error("a message of {0} bytes is too short to have a version")]
    TooShort(usize),
}

/// Encodes a value in its envelope: the version in two bytes, big-endian, then the value.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(TYPICAL);
    bytes.extend(VERSION.to_be_bytes());
    write(&mut bytes, value);
    bytes
}

/// Encodes a value without an envelope, for hashing: a new version must not rename paid results.
pub fn fields<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(TYPICAL);
    write(&mut bytes, value);
    bytes
}

fn write<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    rmp_serde::encode::write_named(bytes, value).expect("our own types are writable, and memory takes any length");
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let Some((version, value)) = bytes.split_first_chunk::<2>() else { return Err(WireError::TooShort(bytes.len())) };
    match u16::from_be_bytes(*version) {
        VERSION => Ok(rmp_serde::from_slice(value)?),
        found => Err(WireError::Version { found }),
    }
}
