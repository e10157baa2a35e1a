//! Lenient readings of weak models' replies: `"S1, S2"` for a list, `"3"` for a number.

use serde::{Deserialize, Deserializer, de::Error};

#[derive(Deserialize)]
#[serde(untagged)]
enum LooseValue {
    Number(f64),
    Text(String),
    List(Vec<LooseValue>),
    Nothing(()),
}

/// A list of handles, or a single text with several handles.
pub(crate) fn handles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    fn gather(value: LooseValue, into: &mut Vec<String>) {
        match value {
            LooseValue::Number(number) => into.push(number.to_string()),
            LooseValue::Text(text) => {
                into.extend(text.split([',', ';', ' ', '，', '、']).map(bare).filter(|t| !t.is_empty()))
            }
            LooseValue::List(list) => list.into_iter().for_each(|value| gather(value, into)),
            LooseValue::Nothing(()) => {}
        }
    }
    let mut handles = Vec::new();
    gather(LooseValue::deserialize(deserializer)?, &mut handles);
    Ok(handles)
}

fn bare(handle: &str) -> String {
    handle.trim_matches(['[', ']', '(', ')', '"', ' ']).to_owned()
}

/// A text; null is an empty text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match LooseValue::deserialize(deserializer)? {
        LooseValue::Text(text) => Ok(text),
        LooseValue::Number(number) => Ok(number.to_string()),
        LooseValue::Nothing(()) => Ok(String::new()),
        LooseValue::List(_) => Err(D::Error::custom("a list stands where a text is asked for")),
    }
}

/// A list of texts, numbers among them.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let plain = |value| match value {
        LooseValue::Text(text) => Ok(text),
        LooseValue::Number(number) => Ok(number.to_string()),
        LooseValue::Nothing(()) => Ok(String::new()),
        LooseValue::List(_) => Err(D::Error::custom("a list stands where a text is asked for")),
    };
    match LooseValue::deserialize(deserializer)? {
        LooseValue::List(list) => list.into_iter().map(plain).collect(),
        LooseValue::Nothing(()) => Ok(Vec::new()),
        LooseValue::Text(_) | LooseValue::Number(_) => Err(D::Error::custom("a list of texts is asked for here")),
    }
}

/// A finite number.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = match LooseValue::deserialize(deserializer)? {
        LooseValue::Number(number) => Some(number),
        LooseValue::Text(text) => text.trim().split(['/', ' ']).next().and_then(|text| text.parse().ok()),
        LooseValue::List(_) | LooseValue::Nothing(()) => None,
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| D::Error::custom("a number is asked for here"))
}
