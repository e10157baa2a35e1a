//! The schema of a reply, with the choices of this call put in.

use std::fmt::Display;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::model::schema::strict;

/// A schema in the making. Places in the schema are written `sections[].title`.
pub(crate) struct SchemaBuilder(Value);

impl SchemaBuilder {
    /// The most choices in a schema. Servers refuse longer lists; then only the kernel's checks hold.
    const MOST_CHOICES: usize = 900;

    pub fn of<T: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let mut schema = strict(settings.into_generator().into_root_schema_for::<T>().as_value());
        // Doc comments are for readers of the code, not for models.
        drop_descriptions(&mut schema);
        Self(schema)
    }

    /// A text of at most so many words. Strict modes refuse `maxLength`, so the description says it.
    pub fn words(self, place: &str, most: u32) -> Self {
        self.set(place, "description", format!("at most {most} words").into())
    }

    /// A list of at most so many entries.
    pub fn most(self, place: &str, entries: usize) -> Self {
        self.set(place, "maxItems", entries.into())
    }

    pub fn least(self, place: &str, entries: usize) -> Self {
        self.set(place, "minItems", entries.into())
    }

    pub fn range(self, place: &str, least: u32, most: u32) -> Self {
        self.set(place, "minimum", least.into()).set(place, "maximum", most.into())
    }

    /// Limits a text to these choices.
    pub fn offer<T: Display>(self, place: &str, choices: impl IntoIterator<Item = T>) -> Self {
        let choices: Vec<Value> = choices.into_iter().map(|choice| choice.to_string().into()).collect();
        match choices.len() {
            // A list without choices stays empty.
            0 => match place.strip_suffix("[]") {
                Some(list) => self.most(list, 0),
                None => self,
            },
            1..=Self::MOST_CHOICES => self.set(place, "enum", choices.into()),
            _ => self,
        }
    }

    /// The same as [`SchemaBuilder::offer`] for several places, with the choices written once.
    pub fn offer_at<T: Display>(mut self, places: &[&str], choices: impl IntoIterator<Item = T>) -> Self {
        let choices: Vec<Value> = choices.into_iter().map(|choice| choice.to_string().into()).collect();
        if choices.is_empty() || choices.len() > Self::MOST_CHOICES {
            return self;
        }
        self.0["$defs"] = json!({ "handle": { "type": "string", "enum": choices } });
        for place in places {
            *self.at(place) = Map::from_iter([("$ref".to_owned(), "#/$defs/handle".into())]);
        }
        self
    }

    pub fn done(self) -> Value {
        self.0
    }

    fn set(mut self, place: &str, keyword: &str, value: Value) -> Self {
        self.at(place).insert(keyword.to_owned(), value);
        self
    }

    /// # Panics
    /// Where the reply's type has no such place.
    fn at(&mut self, place: &str) -> &mut Map<String, Value> {
        let mut schema = &mut self.0;
        for step in place.split('.') {
            let name = step.trim_end_matches("[]");
            schema = &mut schema["properties"][name];
            for _ in 0..(step.len() - name.len()) / 2 {
                schema = &mut schema["items"];
            }
        }
        schema.as_object_mut().unwrap_or_else(|| panic!("the reply has no {place}"))
    }
}

fn drop_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("description").is_some_and(Value::is_string) {
                map.shift_remove("description");
            }
            map.values_mut().for_each(drop_descriptions);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_descriptions),
        _ => {}
    }
}
