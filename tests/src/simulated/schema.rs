//! Reads JSON Schemas: finds a schema in a prompt, resolves references, lists choices.

use serde_json::{Map, Value};

/// Finds the schema in a text: the first JSON object in a fence that looks like a schema, else the first anywhere.
pub fn find_in(text: &str) -> Option<Value> {
    fenced(text).chain([text]).find_map(first_schema)
}

/// Returns the contents of fenced JSON blocks.
fn fenced(text: &str) -> impl Iterator<Item = &str> {
    text.split("```json").skip(1).filter_map(|rest| rest.split("```").next())
}

/// Finds the first balanced JSON object that looks like a schema.
fn first_schema(text: &str) -> Option<Value> {
    let mut from = 0;
    while let Some(at) = text[from..].find('{').map(|offset| from + offset) {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) if is_schema(&value) => return Some(value),
            Some(Ok(_)) => from = at + values.byte_offset(),
            _ => from = at + 1,
        }
    }
    None
}

/// Returns true if the object describes values.
fn is_schema(value: &Value) -> bool {
    let says = |key| value.get(key).is_some();
    value["properties"].is_object()
        || says("$ref")
        || says("$defs")
        || (says("type") && (says("items") || says("enum")))
        || value["type"] == "object"
}

/// Merges every `allOf` of a schema into the enclosing schema.
pub fn flattened(schema: &Value) -> Value {
    flatten(schema, schema)
}

fn flatten(root: &Value, schema: &Value) -> Value {
    match schema {
        Value::Array(parts) => parts.iter().map(|part| flatten(root, part)).collect(),
        Value::Object(fields) => {
            let mut flat = Map::new();
            for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let lone = fields["allOf"].as_array().is_some_and(|parts| parts.len() == 1);
                let target = part["$ref"].as_str().filter(|_| !lone).and_then(|reference| resolve(root, reference));
                merge(&mut flat, target.unwrap_or(part).as_object().cloned().unwrap_or_default());
            }
            let own = fields.iter().filter(|(key, _)| *key != "allOf");
            merge(&mut flat, own.map(|(key, value)| (key.clone(), flatten(root, value))).collect());
            Value::Object(flat)
        }
        plain => plain.clone(),
    }
}

/// Overlays a schema's keywords on another schema. Properties and requirements add up.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) if key == "properties" || key == "$defs" => old.extend(new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "required" => old.extend(new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Returns the target of a reference within the document.
pub fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// Follows a chain of references to the schema at the end.
pub fn target<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..8 {
        match schema["$ref"].as_str().and_then(|reference| resolve(root, reference)) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

/// Returns the complete list of a schema's values, if there is such a list: an enum, or constant alternatives.
pub fn choices(schema: &Value) -> Option<Vec<&Value>> {
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().collect()).filter(|values: &Vec<_>| !values.is_empty());
    }
    let mut values = Vec::new();
    for part in alternatives(schema)? {
        match (part.get("const"), part["enum"].as_array()) {
            (Some(value), _) => values.push(value),
            (None, Some(some)) => values.extend(some),
            _ => return None,
        }
    }
    Some(values).filter(|values| !values.is_empty())
}

/// Returns the alternatives of an `anyOf` or `oneOf`.
pub fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()).filter(|parts| !parts.is_empty())
}

/// Returns true if the schema mentions any of the references. References aren't followed.
pub fn mentions(schema: &Value, references: &[String]) -> bool {
    match schema {
        Value::Array(parts) => parts.iter().any(|part| mentions(part, references)),
        Value::Object(fields) => fields.iter().any(|(key, value)| match value.as_str() {
            Some(text) => key == "$ref" && references.iter().any(|reference| reference == text),
            None => mentions(value, references),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_is_found_among_other_json() {
        let schema = json!({"type": "object", "properties": {"title": {"type": "string"}}});
        let fenced = format!("fn main() {{ {{\"a\": 1}} }}\nReply like this:\n```json\n{schema}\n```\n");
        assert_eq!(find_in(&fenced), Some(schema.clone()));
        assert_eq!(find_in(&format!("{{\"a\": {{}}}} {{ oops {schema} }}")), Some(schema));
        assert_eq!(find_in("no { schema } {\"here\": 1}"), None);
    }

    #[test]
    fn all_of_is_merged() {
        let schema = json!({
            "$defs": {"a": {"properties": {"x": {"type": "null"}}, "required": ["x"]}},
            "allOf": [{"$ref": "#/$defs/a"}, {"properties": {"y": {"type": "null"}}, "required": ["y"]}],
        });
        let flat = flattened(&schema);
        assert_eq!(flat["required"], json!(["x", "y"]));
        assert_eq!(flat["properties"].as_object().unwrap().len(), 2);
    }
}
