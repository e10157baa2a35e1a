//! The JSON value in a chatty reply.

use std::ops::Range;

use serde::de::IgnoredAny;

/// Openers of arrays that may run to the text's end before only objects are looked for: prose has stray brackets, and
/// reading the rest of the text after each would take quadratic time.
const STRAY_BRACKETS: usize = 8;

/// The outermost JSON object or array in a model's text: past reasoning, prose and code fences, whole or unclosed.
///
/// Of several values, a valid value ranks above a merely balanced value, a value with an object above a value without,
/// and then the longest first. None where the text has no value, or the last value is cut off.
pub fn find_json(text: &str) -> Option<&str> {
    let Some(tag) = last_reasoning_end(text) else { return best(text).map(|span| &text[span]) };
    match best(text) {
        // The tag is part of a string within the value.
        Some(span) if span.contains(&tag.start) && is_valid(&text[span.clone()]) => Some(&text[span]),
        _ => find_json(&text[tag.end..]),
    }
}

/// The text behind a model's reasoning, trimmed; all of the text where no reasoning ends in it.
pub fn without_reasoning(text: &str) -> &str {
    last_reasoning_end(text).map_or(text, |tag| &text[tag.end..]).trim()
}

/// Tells whether a text was cut off in the middle of its reasoning.
pub(super) fn is_within_reasoning(text: &str) -> bool {
    let begins = |tag: &&str| text.trim_start().starts_with(*tag);
    last_reasoning_end(text).is_none() && ["<think>", "<thinking>", "<reasoning>"].iter().any(begins)
}

/// Tells whether the text is a single valid JSON object.
pub(super) fn is_object(text: &str) -> bool {
    text.starts_with('{') && is_valid(text)
}

fn is_valid(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The end of the reasoning. The closing tag counts alone, since some chat templates put the opening tag into the
/// prompt.
fn last_reasoning_end(text: &str) -> Option<Range<usize>> {
    ["</think>", "</thinking>", "</reasoning>"]
        .iter()
        .filter_map(|tag| text.rfind(tag).map(|start| start..start + tag.len()))
        .max_by_key(|tag| tag.end)
}

fn best(text: &str) -> Option<Range<usize>> {
    let rank = |span: &Range<usize>| {
        let value = &text[span.clone()];
        (is_valid(value), value.contains('{'), value.len())
    };
    values(text).into_iter().max_by_key(rank)
}

/// All outermost values of a text, in order.
fn values(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut stray = 0;
    let mut at = 0;
    while let Some(start) = next_opener(text, at, stray < STRAY_BRACKETS) {
        let end = match read_value(&text[start..]) {
            ReadValue::Whole(length) => start + length,
            ReadValue::Broken if text[start..].starts_with('{') => match balanced(&text[start..]) {
                Some(length) => start + length,
                None => break,
            },
            ReadValue::Cut if text[start..].starts_with('{') => break,
            ReadValue::Cut => {
                stray += 1;
                at = start + 1;
                continue;
            }
            ReadValue::Broken => {
                at = start + 1;
                continue;
            }
        };
        found.push(start..end);
        at = end;
    }
    found
}

fn next_opener(text: &str, from: usize, arrays: bool) -> Option<usize> {
    text[from..].find(|c| c == '{' || (arrays && c == '[')).map(|offset| from + offset)
}

enum ReadValue {
    /// A valid value of so many bytes.
    Whole(usize),
    /// The text ends within the value.
    Cut,
    /// No JSON.
    Broken,
}

fn read_value(text: &str) -> ReadValue {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => ReadValue::Whole(values.byte_offset()),
        Some(Err(error)) if error.is_eof() => ReadValue::Cut,
        _ => ReadValue::Broken,
    }
}

/// The length of the text from the first brace to its closing brace, strings skipped.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_value_is_found_wherever_it_stands() {
        let cases = [
            (r#"{"a":1}"#, r#"{"a":1}"#),
            ("```json\n{\"a\":1}\n```", r#"{"a":1}"#),
            ("```json\n{\"a\":1}\n", r#"{"a":1}"#),
            ("```\n[{\"a\":1}]\n```", r#"[{"a":1}]"#),
            ("Sure! Here it is: {\"a\":1}\nHope it helps, [1, 2, 3].", r#"{"a":1}"#),
            ("As [1], [2] and [3 say: {\"a\":1}", r#"{"a":1}"#),
            ("<think>{\"a\":0} or [0]?</think>{\"a\":1}", r#"{"a":1}"#),
            ("or {\"a\":0, ...} perhaps\n</think>\n{\"a\":1}", r#"{"a":1}"#),
            ("<think>{\"a\": </think>{\"a\":1}", r#"{"a":1}"#),
            (r#"{"a":"} ``` { \" </think> [1]"}"#, r#"{"a":"} ``` { \" </think> [1]"}"#),
            ("a set {x, y} and {\"a\":1}", r#"{"a":1}"#),
            (r#"{"a": 1,} it is"#, r#"{"a": 1,}"#),
            ("[1, 2]", "[1, 2]"),
        ];
        for (text, value) in cases {
            assert_eq!(find_json(text), Some(value), "in {text}");
        }
    }

    #[test]
    fn a_value_that_is_cut_off_is_none() {
        for text in ["", "no JSON at all", r#"{"a":[{"b":1},{"b":"#, "```json\n{\"a\":\"half", "{"] {
            assert_eq!(find_json(text), None, "in {text}");
        }
    }

    #[test]
    fn depth_costs_no_stack_and_little_time() {
        for opener in ["{", "[", "{\"a\":", "[{\"a\":[", "{x "] {
            find_json(&opener.repeat(100_000));
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[{}\\[\\]\"`\\\\<>/think]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-z{\\]\"]{1,6}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), bracket_soup in "[\\[\\]{}\":,\\\\a1</think> ]{0,80}") {
            find_json(&text);
            find_json(&bracket_soup);
        }

        #[test]
        fn an_object_in_prose_without_brackets_is_found(
            value in any_value(), before in "[^{}\\[\\]]{0,40}", after in "[^{}\\[\\]]{0,40}", pretty in any::<bool>(),
        ) {
            let object = json!({ "value": value });
            let written = if pretty { format!("{object:#}") } else { object.to_string() };
            let text = format!("{before}\n{written}\n{after}");
            let found = find_json(&text).expect("it is there");
            prop_assert_eq!(serde_json::from_str::<Value>(found).unwrap(), object);
        }
    }
}
