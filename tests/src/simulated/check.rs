//! Checks values against schemas for the tests of the model, independently of the code that writes replies.

use serde_json::Value;

/// Checks a value against a schema. The error gives the path and the reason of the first violation.
pub fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let fail = |reason: &str| Err(format!("{path}: {reason}: {value}"));
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(&reference[1..]).ok_or(format!("{path}: no {reference}"))?;
        check(root, target, value, path)?;
    }
    for part in list(schema, "allOf") {
        check(root, part, value, path)?;
    }
    let fits = |part: &&Value| check(root, part, value, path).is_ok();
    if schema.get("anyOf").is_some() && !list(schema, "anyOf").any(|part| fits(&part)) {
        return fail("fits none of anyOf");
    }
    if schema.get("oneOf").is_some() && list(schema, "oneOf").filter(fits).count() != 1 {
        return fail("doesn't fit one of oneOf");
    }
    if schema.get("const").is_some_and(|constant| constant != value) {
        return fail("not the constant");
    }
    if schema.get("enum").is_some() && !list(schema, "enum").any(|choice| choice == value) {
        return fail("not among the choices");
    }
    match &schema["type"] {
        Value::String(name) if !is_a(value, name) => return fail(name),
        Value::Array(names) if !names.iter().any(|name| is_a(value, name.as_str().unwrap())) => return fail("type"),
        _ => {}
    }
    let bound = |name: &str| schema[name].as_f64();
    let within = |size: f64, least: &str, most: &str| {
        bound(least).is_none_or(|least| size >= least) && bound(most).is_none_or(|most| size <= most)
    };
    match value {
        Value::Number(number) if !within(number.as_f64().unwrap(), "minimum", "maximum") => fail("out of range"),
        Value::String(text) if !within(text.chars().count() as f64, "minLength", "maxLength") => fail("length"),
        Value::Array(items) => {
            if !within(items.len() as f64, "minItems", "maxItems") {
                return fail("number of items");
            }
            let repeats = items.iter().enumerate().any(|(at, item)| items[..at].contains(item));
            if schema["uniqueItems"] == true && repeats {
                return fail("repeated items");
            }
            let item = schema.get("items").filter(|item| item.is_object()).into_iter();
            item.flat_map(|item| items.iter().map(move |value| (item, value)))
                .try_for_each(|(item, value)| check(root, item, value, &format!("{path}[]")))
        }
        Value::Object(fields) => {
            if let Some(missing) = list(schema, "required").find(|name| !fields.contains_key(name.as_str().unwrap())) {
                return fail(&format!("{missing} is missing"));
            }
            fields.iter().try_for_each(|(name, value)| {
                match (schema["properties"].get(name), schema.get("additionalProperties")) {
                    (Some(part), _) => check(root, part, value, &format!("{path}.{name}")),
                    (None, Some(Value::Bool(false))) => Err(format!("{path}: {name} is too much")),
                    (None, Some(part)) => check(root, part, value, &format!("{path}.{name}")),
                    (None, None) => Ok(()),
                }
            })
        }
        _ => Ok(()),
    }
}

fn list<'a>(schema: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    schema[name].as_array().into_iter().flatten()
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    }
}
