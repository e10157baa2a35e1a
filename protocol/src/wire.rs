//! The encoding of values: MessagePack behind a version number.
//!
//! Fields travel by name, so a newer writer may add optional ones without a new version. Changes open to misreading by
//! an older reader get a new version, and the older reader reports the version instead of guessing.

use serde::{Serialize, de::DeserializeOwned};

/// The version of this build: the only version written, and the only version read by [`decode`].
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

/// Decodes a value of this version.
///
/// # Errors
///
/// Bytes of another version, or of another value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    decode_since(VERSION, bytes)
}

/// Decodes a value of this version, or of any version since `oldest`: for values in long storage whose form has not
/// changed since then.
///
/// # Errors
///
/// Bytes of a version before `oldest` or after this one, or of another value.
pub fn decode_since<T: DeserializeOwned>(oldest: u16, bytes: &[u8]) -> Result<T, WireError> {
    let Some((version, value)) = bytes.split_first_chunk::<2>() else { return Err(WireError::TooShort(bytes.len())) };
    let found = u16::from_be_bytes(*version);
    if (oldest..=VERSION).contains(&found) {
        Ok(rmp_serde::from_slice(value)?)
    } else {
        Err(WireError::Version { found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_whose_form_is_older_than_the_version_is_read_in_all_versions_since() {
        let written_by = |version: u16| {
            let mut bytes = encode("a reply");
            bytes[..2].copy_from_slice(&version.to_be_bytes());
            bytes
        };
        let read = |version| decode_since::<String>(VERSION - 1, &written_by(version)).ok();
        let whole = Some("a reply".to_owned());
        assert_eq!([VERSION - 1, VERSION].map(read), [whole.clone(), whole]);
        assert_eq!([VERSION - 2, VERSION + 1].map(read), [None, None]);
        assert!(decode::<String>(&written_by(VERSION - 1)).is_err());
    }
}
