//! Readings of what weak models write where they mean the right thing: `"S1, S2"` for a list, `"3"` for a number.

use serde::{Deserialize, Deserializer, de::Error};

#[derive(Deserialize)]
#[serde(untagged)]
enum Loose {
    Number(f64),
    Text(String),
    List(Vec<Loose>),
    Nothing(()),
}

/// A list of handles, or one text that lists them.
pub(crate) fn handles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    fn gather(value: Loose, into: &mut Vec<String>) {
        match value {
            Loose::Number(number) => into.push(number.to_string()),
            Loose::Text(text) => {
                into.extend(text.split([',', ';', ' ', '，', '、']).map(bare).filter(|t| !t.is_empty()))
            }
            Loose::List(list) => list.into_iter().for_each(|value| gather(value, into)),
            Loose::Nothing(()) => {}
        }
    }
    let mut handles = Vec::new();
    gather(Loose::deserialize(deserializer)?, &mut handles);
    Ok(handles)
}

fn bare(handle: &str) -> String {
    handle.trim_matches(['[', ']', '(', ')', '"', ' ']).to_owned()
}

/// A text; none at all is an empty one.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Loose::deserialize(deserializer)? {
        Loose::Text(text) => Ok(text),
        Loose::Number(number) => Ok(number.to_string()),
        Loose::Nothing(()) => Ok(String::new()),
        Loose::List(_) => Err(D::Error::custom("a list stands where a text is asked for")),
    }
}

/// A list of texts, numbers among them.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let plain = |value| match value {
        Loose::Text(text) => Ok(text),
        Loose::Number(number) => Ok(number.to_string()),
        Loose::Nothing(()) => Ok(String::new()),
        Loose::List(_) => Err(D::Error::custom("a list stands where a text is asked for")),
    };
    match Loose::deserialize(deserializer)? {
        Loose::List(list) => list.into_iter().map(plain).collect(),
        Loose::Nothing(()) => Ok(Vec::new()),
        Loose::Text(_) | Loose::Number(_) => Err(D::Error::custom("a list of texts is asked for here")),
    }
}

/// A finite number.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = match Loose::deserialize(deserializer)? {
        Loose::Number(number) => Some(number),
        Loose::Text(text) => text.trim().split(['/', ' ']).next().and_then(|text| text.parse().ok()),
        Loose::List(_) | Loose::Nothing(()) => None,
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| D::Error::custom("a number is asked for here"))
}
