//! Decodes a file's bytes of unknown encoding to text.

use encoding_rs::WINDOWS_1252;

use super::{document::Error, intake::Intake, problem::Origin};

/// Decodes a file that should be UTF-8. Bad bytes are replaced and reported; a file that isn't text is dropped.
pub(super) fn decode(bytes: &[u8], origin: &Origin, intake: &mut Intake) -> Result<Option<String>, Error> {
    if let Some(text) = utf16(bytes) {
        intake.problem(origin.changed("UTF-16: converted to UTF-8"))?;
        return Ok(Some(text));
    }
    let strange = strangeness(bytes);
    if strange > 0 && strange * 10 > bytes.len() {
        intake.problem(origin.dropped("no text in UTF-8 (a binary file, or another encoding: convert it first)"))?;
        return Ok(None);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) if is_one_byte_each(bytes) => {
            intake.problem(origin.changed("not UTF-8: taken for Windows-1252, and converted"))?;
            Ok(Some(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()))
        }
        Err(error) => {
            let (at, byte) = (error.valid_up_to(), bytes[error.valid_up_to()]);
            let message = format!("not UTF-8: bad bytes, the first 0x{byte:02x} at byte {at}, replaced with \u{fffd}");
            intake.problem(origin.changed(message))?;
            Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
        }
    }
}

/// True if no bytes beyond ASCII form a character of UTF-8. A damaged UTF-8 text would contain some.
fn is_one_byte_each(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().all(|chunk| chunk.valid().is_ascii())
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Counts bytes that no UTF-8 text has: bad sequences and control characters.
fn strangeness(bytes: &[u8]) -> usize {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let chunks = bytes.utf8_chunks();
    chunks.map(|chunk| chunk.invalid().len() + chunk.valid().bytes().filter(control).count()).sum()
}
