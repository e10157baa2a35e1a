//! A chat completion request as the model sees it: texts, requested schema, identity, tokens.

use super::schema;
use bpe_openai::Tokenizer;
use serde::Deserialize;
use serde_json::Value;

/// The tokens that a chat template adds for each message.
const MESSAGE_FRAME: [u32; 3] = [u32::MAX, u32::MAX - 1, u32::MAX - 2];

/// The identity of a call: a hash of the messages, the schema and the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId(pub [u8; 16]);

impl CallId {
    /// Returns the id in hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The requested form of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    JsonSchema,
    JsonObject,
    Plain,
}

/// A parsed call.
pub struct Call {
    pub id: CallId,
    pub model: String,
    /// The role and the text of each message.
    pub messages: Vec<(String, String)>,
    pub format: Format,
    /// The name of the schema.
    pub schema_name: String,
    /// The requested schema of the reply, from the request or else from the text of a message.
    pub schema: Option<Value>,
    pub max_tokens: Option<usize>,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    model: String,
    messages: Vec<Message>,
    response_format: Option<Value>,
    seed: Option<Value>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Value,
}

impl Call {
    /// Reads the body of a request. The error names the problem.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let request: Request = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if request.stream {
            return Err("streamed replies aren't simulated".into());
        }
        if request.messages.is_empty() {
            return Err("'messages' is empty".into());
        }
        let messages: Vec<_> =
            request.messages.into_iter().map(|message| (message.role, text_of(&message.content))).collect();
        let (format, schema_name, asked) = read_format(request.response_format.as_ref())?;
        let id = identify(&messages, asked.as_ref(), request.seed.as_ref());
        let schema = match format {
            Format::JsonSchema => asked,
            _ => messages.iter().rev().find_map(|(_, text)| schema::find_in(text)),
        };
        let max_tokens = request.max_completion_tokens.or(request.max_tokens);
        Ok(Self { id, model: request.model, messages, format, schema_name, schema, max_tokens })
    }

    /// Returns the prompt's tokens, including a chat template's frame around each message.
    pub fn prompt_tokens(&self) -> Vec<u32> {
        let mut tokens = Vec::new();
        for (role, text) in &self.messages {
            tokens.push(role.bytes().fold(u32::MAX / 2, |sum, byte| sum.wrapping_mul(31) ^ u32::from(byte)));
            tokens.extend(MESSAGE_FRAME);
            tokens.extend(tokenizer().encode(text.as_str()));
        }
        tokens
    }

    /// Returns the source of a reply's words: the longest message of the user, else the longest message.
    pub fn topic(&self) -> &str {
        let longest = |of_user: bool| {
            let texts = self.messages.iter().filter(|(role, _)| !of_user || role == "user");
            texts.map(|(_, text)| text.as_str()).max_by_key(|text| text.len())
        };
        longest(true).or_else(|| longest(false)).unwrap_or_default()
    }

    /// Returns the texts of all messages.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(|(_, text)| text.as_str())
    }
}

/// Returns the tokenizer that counts prompts and replies.
pub fn tokenizer() -> &'static Tokenizer {
    bpe_openai::o200k_base()
}

/// Loads the tokenizer, so that the first call doesn't wait.
pub fn warm_up() {
    tokenizer().count("warm");
}

/// Returns a message's content as text. The content is a string, or a list of parts with texts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// Reads the requested form of reply, with the schema's name and body.
fn read_format(format: Option<&Value>) -> Result<(Format, String, Option<Value>), String> {
    let Some(format) = format.filter(|format| !format.is_null()) else {
        return Ok((Format::Plain, String::new(), None));
    };
    match format["type"].as_str() {
        Some("text") => Ok((Format::Plain, String::new(), None)),
        Some("json_object") => Ok((Format::JsonObject, String::new(), None)),
        Some("json_schema") => {
            let name = format["json_schema"]["name"].as_str();
            let name = name.ok_or("Missing required parameter: 'response_format.json_schema.name'.")?;
            let schema = format["json_schema"].get("schema");
            let schema = schema.ok_or("Missing required parameter: 'response_format.json_schema.schema'.")?;
            Ok((Format::JsonSchema, name.to_owned(), Some(schema.clone())))
        }
        _ => Err("Invalid value for 'response_format.type'.".into()),
    }
}

/// Returns the id of a call with these messages, this schema and this seed.
fn identify(messages: &[(String, String)], schema: Option<&Value>, seed: Option<&Value>) -> CallId {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    for (role, text) in messages {
        add(role.as_bytes());
        add(text.as_bytes());
    }
    for part in [schema, seed] {
        add(part.map(Value::to_string).unwrap_or_default().as_bytes());
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    CallId(id)
}
