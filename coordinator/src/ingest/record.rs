//! Turns a JSON object into a draft, field by field: a malformed field never costs the others.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::intake::{Draft, Intake};
use super::{document::Error, problem::Origin};

/// The fields of a JSON object, in order, unparsed.
pub(super) struct Fields(pub Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a source, which is an object with title and txt")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// The names of a source's text field: the format's own, and a common alternative.
pub(super) const TEXT: [&str; 2] = ["txt", "text"];

/// Makes a draft of a source's fields. Fields that have no meaning here are kept in its `extra`.
pub(super) fn draft(fields: Fields, origin: &Origin, intake: &mut Intake) -> Result<Draft, Error> {
    let mut draft = Draft::new(String::new(), origin);
    for (name, raw) in fields.0 {
        let at = origin.field(&name);
        match name.as_str() {
            "title" => draft.title = text_or_kept(name, &raw, &at, &mut draft.extra, intake)?,
            "abstract" => draft.abstract_text = text_or_kept(name, &raw, &at, &mut draft.extra, intake)?,
            "url" => draft.url = text_or_kept(name, &raw, &at, &mut draft.extra, intake)?,
            // The first of two text fields with content is the text; the other is kept as an extra field.
            field if TEXT.contains(&field) && draft.text.trim().is_empty() => {
                draft.text = text_or_kept(name, &raw, &at, &mut draft.extra, intake)?.unwrap_or_default();
            }
            _ => keep(name, &raw, &at, &mut draft.extra, intake)?,
        }
    }
    Ok(draft)
}

/// Returns the text of a field. A field that can't be text is reported, and kept as an unknown field would be.
pub(super) fn text_or_kept(
    name: String,
    raw: &RawValue,
    at: &Origin,
    extra: &mut Map<String, Value>,
    intake: &mut Intake,
) -> Result<Option<String>, Error> {
    match text(raw) {
        Text::Absent => Ok(None),
        Text::Plain(text) => Ok(Some(text)),
        Text::Made(text, how) => {
            intake.problem(at.changed(how))?;
            Ok(Some(text))
        }
        Text::Not(kind) => {
            intake.problem(at.dropped(format!("should be a string, but is {kind}")))?;
            keep(name, raw, at, extra, intake)?;
            Ok(None)
        }
    }
}

/// Keeps a field as it is.
pub(super) fn keep(
    name: String,
    raw: &RawValue,
    at: &Origin,
    extra: &mut Map<String, Value>,
    intake: &mut Intake,
) -> Result<(), Error> {
    match serde_json::from_str(raw.get()) {
        Ok(value) => {
            extra.insert(name, value);
            Ok(())
        }
        Err(error) => intake.problem(at.dropped(format!("can't be kept: {}", reason(&error)))),
    }
}

/// Returns a parser's message without the position, which is relative to the parsed part.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rfind(" at line ").map(|at| message[..at].to_owned()).unwrap_or(message)
}

enum Text {
    Absent,
    Plain(String),
    /// A text made of something else, and a description of the change.
    Made(String, &'static str),
    /// A value that can't be a text.
    Not(&'static str),
}

fn text(raw: &RawValue) -> Text {
    match raw.get().as_bytes() {
        [b'n', ..] => Text::Absent,
        [b'"', ..] => match serde_json::from_str(raw.get()) {
            Ok(text) => Text::Plain(text),
            Err(_) => mended(raw),
        },
        [b'[', ..] => match serde_json::from_str::<Vec<String>>(raw.get()) {
            Ok(parts) => Text::Made(parts.join("\n\n"), "a list of strings, joined with blank lines"),
            Err(_) => Text::Not("a list"),
        },
        [b'{', ..] => Text::Not("an object"),
        [b't' | b'f', ..] => Text::Not("a boolean"),
        _ => Text::Made(raw.get().to_owned(), "a number, taken as a string"),
    }
}

/// Reads a string with half a surrogate pair, as Python writes them: the rest of the string is kept.
fn mended(raw: &RawValue) -> Text {
    match serde_json::from_str::<Bytes>(raw.get()) {
        Ok(Bytes(bytes)) => {
            Text::Made(String::from_utf8_lossy(&bytes).into_owned(), "escapes that are no character, replaced")
        }
        Err(_) => Text::Not("a broken string"),
    }
}

struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
}

/// Reads the fields of a source.
///
/// # Errors
///
/// The parser's error, or a message if the value isn't an object.
pub(super) fn fields(raw: &RawValue) -> Result<Fields, serde_json::Error> {
    if !raw.get().starts_with('{') {
        return Err(serde_json::Error::custom("should be an object with title and txt"));
    }
    serde_json::from_str(raw.get())
}
