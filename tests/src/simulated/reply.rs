//! Writes JSON values that satisfy a schema, in words of the prompt.

use super::hints;
use super::schema::{alternatives, choices, flattened, mentions, resolve, target};
use super::words::Words;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The most nested uses of the same reference: the depth of a tree.
const DEPTH: usize = 3;

/// The most nested references in all, for schemas that no finite value satisfies.
const NESTING: usize = 24;

/// Parts of the names of fields with short texts.
const TITLES: [&str; 10] =
    ["title", "heading", "name", "label", "topic", "term", "keyword", "caption", "header", "column"];

/// A deliberate fault in an otherwise well-formed reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Twist {
    None,
    /// Choices that the schema doesn't offer.
    UnknownHandles,
    /// Texts with citations of unknown sources.
    FakeCitations,
    /// The same text in every string.
    Says(String),
}

/// Writes a value that satisfies the schema, apart from the twist. The flag is set if the twist was applied.
pub fn write(schema: &Value, words: Words<'_>, rng: ChaCha8Rng, twist: Twist) -> (Value, bool) {
    let root = flattened(schema);
    let mut author = Author { root: &root, words, rng, twist, twisted: false, open: Vec::new(), decks: HashMap::new() };
    let value = author.value(&root, Field { name: "", about: "" });
    (value, author.twisted)
}

/// The place of a value: the property's name and description.
#[derive(Clone, Copy)]
struct Field<'a> {
    name: &'a str,
    about: &'a str,
}

/// Choices in a shuffled order. No choice is repeated before all have been dealt.
struct Deck {
    order: Vec<usize>,
    next: usize,
}

/// The writer of a reply.
struct Author<'a> {
    root: &'a Value,
    words: Words<'a>,
    rng: ChaCha8Rng,
    twist: Twist,
    twisted: bool,
    /// The references being written, outermost first.
    open: Vec<String>,
    /// A deck for each list of choices, by the memory address of the schema with the list.
    decks: HashMap<usize, Deck>,
}

impl<'a> Author<'a> {
    fn value(&mut self, schema: &'a Value, field: Field<'a>) -> Value {
        let field = Field { about: schema["description"].as_str().unwrap_or(field.about), ..field };
        if let Some(reference) = schema["$ref"].as_str() {
            return self.referred(reference, field);
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(choices) = choices(schema) {
            return self.pick(schema, &choices);
        }
        if let Some(parts) = alternatives(schema) {
            let part = self.alternative(parts);
            return self.value(part, field);
        }
        match self.type_of(schema) {
            "object" => self.object(schema),
            "array" => self.array(schema, field),
            "integer" => self.number(schema, field, true),
            "number" => self.number(schema, field, false),
            "boolean" => self.rng.random_bool(0.5).into(),
            "null" => Value::Null,
            _ => self.string(schema, field).into(),
        }
    }

    /// Writes a value for the target of a reference. A tree ends before growing too deep.
    fn referred(&mut self, reference: &'a str, field: Field<'a>) -> Value {
        let Some(schema) = resolve(self.root, reference).filter(|_| self.open.len() < NESTING) else {
            return Value::Null;
        };
        self.open.push(reference.to_owned());
        let value = self.value(schema, Field { about: "", ..field });
        self.open.pop();
        value
    }

    /// Returns true if the schema leads back to a reference that is open too often.
    fn is_too_deep(&self, schema: &Value) -> bool {
        let repeats = |reference: &String| self.open.iter().filter(|open| *open == reference).count() >= DEPTH;
        self.open.iter().any(repeats) && mentions(schema, &self.open)
    }

    /// Chooses an alternative: rarely null, unless all others lead too deep.
    fn alternative(&mut self, parts: &'a [Value]) -> &'a Value {
        let shallow: Vec<_> = parts.iter().filter(|part| !self.is_too_deep(part)).collect();
        let (nulls, others): (Vec<_>, Vec<_>) = shallow.into_iter().partition(|part| part["type"] == "null");
        match (nulls.first(), others.len()) {
            (Some(null), 0) => null,
            (None, 0) => &parts[0],
            (Some(null), _) if self.rng.random_bool(0.15) => null,
            (_, count) => others[self.rng.random_range(0..count)],
        }
    }

    /// Returns the type of a schema, or chooses from several types.
    fn type_of(&mut self, schema: &'a Value) -> &'a str {
        match &schema["type"] {
            Value::String(name) => name,
            Value::Array(names) => {
                let names: Vec<_> = names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect();
                let deep = self.is_too_deep(schema);
                if names.is_empty() || deep || self.rng.random_bool(0.15) && names.len() < 2 {
                    return "null";
                }
                names[self.rng.random_range(0..names.len())]
            }
            _ if schema.get("properties").is_some() => "object",
            _ if schema.get("items").is_some() || schema.get("prefixItems").is_some() => "array",
            _ if schema.get("minimum").is_some() || schema.get("maximum").is_some() => "number",
            _ => "string",
        }
    }

    /// Deals a choice.
    fn pick(&mut self, schema: &Value, choices: &[&Value]) -> Value {
        let deck = self
            .decks
            .entry(std::ptr::from_ref(schema) as usize)
            .or_insert_with(|| Deck { order: (0..choices.len()).collect(), next: choices.len() });
        if deck.next == choices.len() {
            deck.order.shuffle(&mut self.rng);
            deck.next = 0;
        }
        let choice = choices[deck.order[deck.next]];
        deck.next += 1;
        if self.twist == Twist::UnknownHandles && choice.is_string() && (!self.twisted || self.rng.random_bool(0.3)) {
            self.twisted = true;
            return "S9999".into();
        }
        choice.clone()
    }

    fn object(&mut self, schema: &'a Value) -> Value {
        let mut object = Map::new();
        let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, part) in schema["properties"].as_object().into_iter().flatten() {
            let optional = !required.contains(&name.as_str());
            if optional && (self.is_too_deep(part) || self.rng.random_bool(0.25)) {
                continue;
            }
            object.insert(name.clone(), self.value(part, Field { name, about: "" }));
        }
        let extra = &schema["additionalProperties"];
        if object.is_empty() && extra.is_object() {
            let least = schema["minProperties"].as_u64().unwrap_or(2) as usize;
            while object.len() < least {
                let name = self.words.word(&mut self.rng);
                let value = self.value(extra, Field { name: "", about: "" });
                object.insert(format!("{name}{}", "_".repeat(usize::from(object.contains_key(&name)))), value);
            }
        } else if schema.get("properties").is_none() && extra != &Value::Bool(false) {
            object.insert("text".into(), self.string(&Value::Null, Field { name: "text", about: "" }).into());
        }
        Value::Object(object)
    }

    fn array(&mut self, schema: &'a Value, field: Field<'a>) -> Value {
        let mut items: Vec<Value> = Vec::new();
        for part in schema["prefixItems"].as_array().into_iter().flatten() {
            items.push(self.value(part, field));
        }
        let Some(part) = schema.get("items").filter(|part| part.is_object()) else {
            return items.into();
        };
        let offered = choices(target(self.root, part)).map(|choices| choices.len());
        let unique = schema["uniqueItems"] == true;
        let (least, most) = self.sizes(schema, field, offered);
        let count = self.rng.random_range(least..=most);
        let distinct = unique || offered.is_some_and(|offered| offered >= count);
        for _ in 0..count * 20 {
            if items.len() >= count {
                break;
            }
            let item = self.value(part, field);
            if !distinct || !items.contains(&item) || item == "S9999" {
                items.push(item);
            }
        }
        items.into()
    }

    /// Returns the fewest and the most items of a list.
    fn sizes(&self, schema: &Value, field: Field<'_>, offered: Option<usize>) -> (usize, usize) {
        let bound = |name| schema[name].as_u64().map(|bound| bound as usize);
        let (min, max) = (bound("minItems").unwrap_or(0), bound("maxItems"));
        if self.is_too_deep(&schema["items"]) {
            return (min, min);
        }
        if let Some(offered) = offered.filter(|_| hints::every(field.about)) {
            let all = offered.max(min).min(max.unwrap_or(usize::MAX));
            return (all, all);
        }
        let (least, most) = match (max, hints::items(field.about)) {
            (Some(max), _) => ((max * 3).div_ceil(5), max),
            (None, Some((least, most))) => (least, most.unwrap_or(least + 3)),
            (None, None) => (min.max(2), (min + 3).max(5)),
        };
        let ceiling = offered.unwrap_or(usize::MAX).max(min);
        let least = least.max(min).min(ceiling);
        (least, most.min(ceiling).max(least))
    }

    fn number(&mut self, schema: &Value, field: Field<'_>, whole: bool) -> Value {
        let bound = |name: &str| schema[name].as_f64();
        let step = bound("multipleOf").filter(|step| *step > 0.0).or(whole.then_some(1.0));
        let gap = step.unwrap_or(0.01);
        let hint = hints::range(field.about);
        let low = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|low| low + gap));
        let high = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|high| high - gap));
        let from = low.or(hint.map(|hint| hint.0)).unwrap_or_else(|| high.map_or(0.0, |high| high.min(10.0) - 10.0));
        let to = high.or(hint.map(|hint| hint.1)).unwrap_or(from + 10.0).max(from);
        if let Some(step) = step {
            let (first, last) = ((from / step).ceil() as i64, (to / step).floor() as i64);
            let value = self.rng.random_range(first..=last.max(first)) as f64 * step;
            return if whole { json!(value as i64) } else { json!(value) };
        }
        let value = from + (to - from) * self.rng.random::<f64>();
        json!(((value * 100.0).round() / 100.0).clamp(from, to))
    }

    fn string(&mut self, schema: &Value, field: Field<'_>) -> String {
        if let Twist::Says(text) = &self.twist {
            self.twisted = true;
            return text.clone();
        }
        match schema["format"].as_str() {
            Some("date") => return "2020-02-02".into(),
            Some("date-time") => return "2020-02-02T02:02:02Z".into(),
            Some("uri") => return format!("https://example.org/{}", self.words.word(&mut self.rng).len()),
            _ => {}
        }
        let name = field.name.to_lowercase();
        let titled = TITLES.iter().any(|title| name.contains(title));
        let text = match hints::words(field.about) {
            Some((least, most)) if titled => {
                let count = self.rng.random_range(least..=most);
                self.words.title(&mut self.rng, count)
            }
            None if titled => {
                let count = self.rng.random_range(2..=6);
                self.words.title(&mut self.rng, count)
            }
            size => {
                let (least, most) = size.unwrap_or((12, 28));
                let count = self.rng.random_range(least..=most);
                self.words.prose(&mut self.rng, count)
            }
        };
        let text = self.cited(text);
        self.fitted(schema, text)
    }

    /// Adds fake citations to a text if the twist asks for them.
    fn cited(&mut self, text: String) -> String {
        if self.twist != Twist::FakeCitations {
            return text;
        }
        self.twisted = true;
        match self.rng.random_range(0..4) {
            0 => text + " [3]",
            1 => text + " [S17]",
            2 => text + " [2, 9999] (Smith et al., 2021)",
            _ => text.replacen(' ', " [S9999] ", 1),
        }
    }

    /// Lengthens or shortens a text to the schema's bounds.
    fn fitted(&mut self, schema: &Value, mut text: String) -> String {
        let least = schema["minLength"].as_u64().unwrap_or(0) as usize;
        while text.chars().count() < least {
            text = text + " " + &self.words.prose(&mut self.rng, 12);
        }
        let most = schema["maxLength"].as_u64().map_or(usize::MAX, |most| most as usize);
        if text.chars().count() <= most {
            return text;
        }
        let cut: String = text.chars().take(most).collect();
        let whole = cut.rfind(' ').map(|space| &cut[..space]).filter(|whole| whole.chars().count() >= least);
        whole.unwrap_or(&cut).to_owned()
    }
}
