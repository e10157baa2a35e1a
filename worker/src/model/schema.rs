//! Reply schemas, and the dialects of JSON Schema among servers.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The JSON Schema of a reply, under a name for servers' errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplySchema {
    pub name: String,
    pub schema: Value,
}

impl ReplySchema {
    /// The schema of a Rust type. Servers want an object at the top.
    pub fn of<T: JsonSchema>() -> Self {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
        Self { name: server_name(&T::schema_name()), schema: schema.to_value() }
    }
}

/// Servers take 1 to 64 letters, digits, `_` and `-`.
fn server_name(name: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = name.chars().map(clean).take(64).collect();
    if name.is_empty() { "reply".to_owned() } else { name }
}

/// Keywords carried over unchanged to strict structured outputs.
const STRICT: [&str; 8] = ["type", "description", "enum", "minItems", "maxItems", "minimum", "maximum", "pattern"];
/// Keywords carried over unchanged to Gemini's schemas, a part of OpenAPI's.
const GEMINI: [&str; 6] = ["description", "enum", "minItems", "maxItems", "minimum", "maximum"];

/// The schema for OpenAI's strict mode: objects closed, all properties required, refused keywords left out. References
/// stay, and with them recursion.
pub fn strict(schema: &Value) -> Value {
    let plain = simplify(schema);
    let Some(from) = plain.as_object() else { return json!({}) };
    if let Some(reference) = from.get("$ref") {
        // Strict mode refuses anything beside a reference.
        return json!({ "$ref": reference });
    }
    let mut to = carried(from, &STRICT);
    if let Some(properties) = from.get("properties").and_then(Value::as_object) {
        to.insert("properties".into(), mapped(properties, strict));
        to.insert("required".into(), properties.keys().cloned().collect());
        to.insert("additionalProperties".into(), false.into());
    } else if is_type(from, "object") {
        to.insert("properties".into(), json!({}));
        to.insert("required".into(), json!([]));
        to.insert("additionalProperties".into(), false.into());
    }
    if let Some(items) = from.get("items") {
        to.insert("items".into(), strict(items));
    }
    if let Some(branches) = from.get("anyOf").and_then(Value::as_array) {
        to.insert("anyOf".into(), branches.iter().map(strict).collect());
    }
    for definitions in ["$defs", "definitions"] {
        if let Some(named) = from.get(definitions).and_then(Value::as_object) {
            to.insert(definitions.into(), mapped(named, strict));
        }
    }
    Value::Object(to)
}

/// The schema for Gemini's `responseSchema`: references inlined, nulls as `nullable`, properties in their order.
/// Recursive types end at their third level.
pub fn gemini(schema: &Value) -> Value {
    ReferenceInliner { root: schema, open: Vec::new() }.gemini(schema).unwrap_or_else(|| json!({ "type": "object" }))
}

struct ReferenceInliner<'a> {
    root: &'a Value,
    /// The references being inlined.
    open: Vec<String>,
}

impl ReferenceInliner<'_> {
    const LEVELS: usize = 3;

    /// None where a type contains itself too often.
    fn gemini(&mut self, schema: &Value) -> Option<Value> {
        let plain = simplify(schema);
        let from = plain.as_object()?;
        if let Some(reference) = from.get("$ref").and_then(Value::as_str) {
            let mut target = self.resolve(reference)?;
            if let (Some(text), Some(target)) = (from.get("description"), target.as_object_mut()) {
                target.insert("description".into(), text.clone());
            }
            return Some(target);
        }
        let mut to = carried(from, &GEMINI);
        if to.get("enum").and_then(Value::as_array).is_some_and(|values| !values.iter().all(Value::is_string)) {
            to.shift_remove("enum");
        }
        self.kind(from, &mut to)?;
        if let Some(properties) = from.get("properties").and_then(Value::as_object) {
            self.properties(properties, from.get("required"), &mut to);
        }
        if let Some(items) = from.get("items") {
            to.insert("items".into(), self.gemini(items)?);
        }
        Some(Value::Object(to))
    }

    fn resolve(&mut self, reference: &str) -> Option<Value> {
        if self.open.iter().filter(|open| *open == reference).count() >= Self::LEVELS {
            return None;
        }
        let root: &Value = self.root;
        let target = root.pointer(reference.strip_prefix('#')?)?;
        self.open.push(reference.to_owned());
        let inlined = self.gemini(target);
        self.open.pop();
        inlined
    }

    /// The type and its nullability, from a name, a list of names, or alternatives.
    fn kind(&mut self, from: &Map<String, Value>, to: &mut Map<String, Value>) -> Option<()> {
        match from.get("type") {
            Some(Value::String(name)) => {
                to.insert("type".into(), name.clone().into());
            }
            Some(Value::Array(names)) => {
                let real: Vec<_> = names.iter().filter(|name| *name != "null").collect();
                match real[..] {
                    [one] => {
                        to.insert("type".into(), one.clone());
                    }
                    _ => {
                        to.insert("anyOf".into(), real.iter().map(|name| json!({ "type": name })).collect());
                    }
                }
                if real.len() < names.len() {
                    to.insert("nullable".into(), true.into());
                }
            }
            _ => {}
        }
        let Some(branches) = from.get("anyOf").and_then(Value::as_array) else { return Some(()) };
        let real: Vec<_> = branches.iter().filter(|branch| branch["type"] != "null").collect();
        let inlined: Vec<Value> = real.iter().filter_map(|branch| self.gemini(branch)).collect();
        let nullable = real.len() < branches.len();
        match <[Value; 1]>::try_from(inlined) {
            Ok([Value::Object(one)]) => one.into_iter().for_each(|(keyword, value)| {
                to.entry(keyword).or_insert(value);
            }),
            Ok(_) => return None,
            Err(none) if none.is_empty() => return None,
            Err(many) => {
                to.insert("anyOf".into(), many.into());
            }
        }
        if nullable {
            to.insert("nullable".into(), true.into());
        }
        Some(())
    }

    fn properties(&mut self, from: &Map<String, Value>, required: Option<&Value>, to: &mut Map<String, Value>) {
        let kept: Map<String, Value> =
            from.iter().filter_map(|(name, schema)| Some((name.clone(), self.gemini(schema)?))).collect();
        let required = required.and_then(Value::as_array).into_iter().flatten();
        let required: Vec<_> =
            required.filter(|name| name.as_str().is_some_and(|name| kept.contains_key(name))).cloned().collect();
        to.insert("propertyOrdering".into(), kept.keys().cloned().collect());
        if !required.is_empty() {
            to.insert("required".into(), required.into());
        }
        to.insert("properties".into(), kept.into());
    }
}

/// A level of a schema in fewer words, with the same meaning: `const` and alternatives of constants as `enum`, `oneOf`
/// as `anyOf`, an `allOf` of a single schema as the schema itself.
fn simplify(schema: &Value) -> Value {
    let Some(from) = schema.as_object() else { return json!({}) };
    let mut to = from.clone();
    if let Some([one]) = to.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        let one = simplify(one);
        to.shift_remove("allOf");
        for (keyword, value) in one.as_object().into_iter().flatten() {
            to.entry(keyword.clone()).or_insert_with(|| value.clone());
        }
    }
    if let Some(value) = to.shift_remove("const") {
        to.insert("enum".into(), json!([value]));
    }
    if let Some(branches) = to.shift_remove("oneOf") {
        to.insert("anyOf".into(), branches);
    }
    if let Some(values) = to.get("anyOf").and_then(Value::as_array).and_then(|branches| constants(branches)) {
        to.shift_remove("anyOf");
        to.insert("type".into(), "string".into());
        to.insert("enum".into(), values.into());
    }
    Value::Object(to)
}

/// The values of alternatives made of constant strings only, as in an enumeration with documented variants.
fn constants(branches: &[Value]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    for branch in branches {
        match (branch.get("const"), branch.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => values.push(value.clone()),
            (None, Some(several)) => values.extend(several.iter().cloned()),
            (None, None) => return None,
        }
    }
    values.iter().all(Value::is_string).then_some(values)
}

fn carried(from: &Map<String, Value>, keywords: &[&str]) -> Map<String, Value> {
    keywords.iter().filter_map(|word| Some(((*word).to_owned(), from.get(*word)?.clone()))).collect()
}

fn mapped(from: &Map<String, Value>, change: fn(&Value) -> Value) -> Value {
    Value::Object(from.iter().map(|(name, schema)| (name.clone(), change(schema))).collect())
}

fn is_type(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get("type").is_some_and(|kind| kind == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How good it is.
    #[derive(JsonSchema)]
    #[allow(dead_code)]
    enum Grade {
        /// Better than most.
        Good,
        Bad,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Section {
        /// What it says.
        #[schemars(length(min = 1, max = 80))]
        title: String,
        grade: Grade,
        #[serde(default)]
        score: Option<u32>,
        #[schemars(length(max = 5))]
        children: Vec<Section>,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Plan {
        sections: Vec<Section>,
        better: Option<Grade>,
    }

    fn every_object(schema: &Value, check: &mut dyn FnMut(&Map<String, Value>)) {
        match schema {
            Value::Object(map) => {
                check(map);
                map.values().for_each(|value| every_object(value, check));
            }
            Value::Array(list) => list.iter().for_each(|value| every_object(value, check)),
            _ => {}
        }
    }

    #[test]
    fn strict_mode_gets_closed_objects_with_all_properties_required_and_no_word_it_refuses() {
        let strict = strict(&ReplySchema::of::<Plan>().schema);
        every_object(&strict, &mut |map| {
            for word in ["minLength", "maxLength", "format", "default", "oneOf", "const", "title", "$schema"] {
                assert!(!map.contains_key(word) || map[word].is_object(), "{word} in {map:?}");
            }
            if let Some(Value::Object(properties)) = map.get("properties") {
                assert_eq!(map["additionalProperties"], false);
                assert_eq!(map["required"], properties.keys().cloned().collect::<Value>());
            }
            assert!(!map.contains_key("$ref") || map.len() == 1, "{map:?}");
        });
        let section = &strict["$defs"]["Section"];
        assert_eq!(section["properties"]["children"]["maxItems"], 5);
        assert_eq!(section["required"], json!(["title", "grade", "score", "children"]));
        assert_eq!(strict["$defs"]["Grade"]["enum"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn gemini_gets_a_schema_without_references_where_recursion_ends() {
        let gemini = gemini(&ReplySchema::of::<Plan>().schema);
        every_object(&gemini, &mut |map| {
            for word in ["$ref", "$defs", "$schema", "additionalProperties", "format", "oneOf", "const", "default"] {
                assert!(!map.contains_key(word), "{word} in {map:?}");
            }
            assert!(map.get("type").is_none_or(|kind| kind.is_string() || kind.is_object()), "{map:?}");
        });
        let section = &gemini["properties"]["sections"]["items"];
        assert_eq!(section["propertyOrdering"], json!(["title", "grade", "score", "children"]));
        assert_eq!(
            (&section["properties"]["score"]["nullable"], &gemini["properties"]["better"]["nullable"]),
            (&true.into(), &true.into())
        );
        let third = &section["properties"]["children"]["items"]["properties"]["children"]["items"];
        assert_eq!(third["propertyOrdering"], json!(["title", "grade", "score"]));
    }

    #[test]
    fn names_have_only_what_servers_take() {
        assert_eq!(server_name("Reply<Outline é>"), "Reply_Outline___");
        assert_eq!(server_name(""), "reply");
        assert_eq!(server_name(&"x".repeat(99)).len(), 64);
    }
}
