//! A simulated model that reads literally: it finds the words that are asked for, and knows nothing else.

use async_trait::async_trait;
use serde_json::{Value, json};
use tributary_protocol::budget::count;
use tributary_worker::model::{LanguageModel, MessageRole, ModelCall, ModelError, ModelReply, TokenUsage};

/// The name that jobs call the model by.
pub const NAME: &str = "openai/literal-reader";

/// The model. It is given prompts and nothing beside them.
pub struct LiteralReader;

#[async_trait]
impl LanguageModel for LiteralReader {
    fn name(&self) -> &str {
        NAME
    }

    async fn complete(&self, call: &ModelCall) -> Result<ModelReply, ModelError> {
        let prompt =
            call.messages.iter().find(|message| message.role == MessageRole::User).map_or("", |first| &first.text);
        let text = reply(&call.schema.name, prompt).to_string();
        let usage = TokenUsage {
            prompt_tokens: call.message_tokens().into(),
            reply_tokens: count(&text).into(),
            ..TokenUsage::default()
        };
        Ok(ModelReply { text: text.into(), usage })
    }
}

fn reply(kind: &str, prompt: &str) -> Value {
    let material = fenced(prompt).unwrap_or_default();
    match kind {
        "find" => find(question(prompt).unwrap_or_default(), material),
        "collapse" => json!({ "findings": findings(material).iter().map(Shown::json).collect::<Vec<_>>() }),
        _ => conclude(&findings(material)),
    }
}

fn question(prompt: &str) -> Option<&str> {
    prompt.lines().find_map(|line| line.strip_prefix("Question: "))
}

/// The text between a prompt's fences.
fn fenced(prompt: &str) -> Option<&str> {
    let (_, rest) = prompt.split_once("<data-")?;
    let (tag, rest) = rest.split_once(">\n")?;
    rest.split_once(&format!("\n</data-{tag}>")).map(|(material, _)| material)
}

fn find(question: &str, text: &str) -> Value {
    let found = match question.split('"').nth(1) {
        Some(key) => value_of(key, text),
        None => question.strip_prefix("What is ").and_then(|asked| stated(asked.trim_end_matches('?'), text)),
    };
    match found {
        Some((quote, answer)) => json!({ "quotes": [quote], "rationale": "", "answer": answer, "confidence": 5 }),
        None => json!({ "quotes": [], "rationale": "", "answer": "", "confidence": 0 }),
    }
}

/// The pair of a key in an object, and its value. A pair that the text has no end of has none.
fn value_of<'a>(key: &str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let start = text.find(&format!("\"{key}\""))?;
    let value = start + key.len() + 2 + text[start + key.len() + 2..].find('"')? + 1;
    let end = value + text[value..].find('"')?;
    Some((&text[start..=end], &text[value..end]))
}

/// The sentence that says what something is, and what it is.
fn stated<'a>(asked: &str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let said = format!("{}{} is ", asked[..1].to_uppercase(), &asked[1..]);
    let start = text.find(&said)?;
    let end = start + text[start..].find('.')?;
    Some((&text[start..=end], &text[start + said.len()..end]))
}

/// A finding as a prompt shows it.
#[derive(Debug, PartialEq)]
struct Shown<'a> {
    answer: &'a str,
    confidence: f64,
    quotes: Vec<&'a str>,
}

impl Shown<'_> {
    fn json(&self) -> Value {
        let Self { answer, confidence, quotes } = self;
        json!({ "rationale": "", "answer": answer, "quotes": quotes, "confidence": confidence })
    }
}

/// The findings that a prompt shows, those of one answer together.
fn findings(material: &str) -> Vec<Shown<'_>> {
    let mut findings: Vec<Shown> = Vec::new();
    let mut current = 0;
    for line in material.lines() {
        let handle = line.split(' ').next().filter(|word| word.starts_with('Q'));
        if let Some((answer, confidence)) = line.strip_prefix("# ").and_then(|line| line.rsplit_once(" (")) {
            let confidence: f64 = confidence.trim_end_matches(')').parse().unwrap_or_default();
            current = findings.iter().position(|of| of.answer == answer).unwrap_or(findings.len());
            match findings.get_mut(current) {
                Some(known) => known.confidence = confidence.max(known.confidence),
                None => findings.push(Shown { answer, confidence, quotes: Vec::new() }),
            }
        } else if let (Some(handle), Some(finding)) = (handle, findings.get_mut(current)) {
            finding.quotes.push(handle);
        }
    }
    findings
}

/// The surest answer, the first of equals.
fn conclude(findings: &[Shown]) -> Value {
    let surest = findings.iter().reduce(|best, next| if next.confidence > best.confidence { next } else { best });
    let mut answer = surest.map_or_else(|| json!({ "rationale": "", "answer": "", "confidence": 0 }), Shown::json);
    answer["against"] = json!([]);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_from_the_text_between_the_fences_alone() {
        let prompt = |question: &str, text: &str| {
            format!("Question: {question}\n\nThe pass key is 1.\n<data-007>\nTitle\n\n{text}\n</data-007>")
        };
        let asked = |question, text| reply("find", &prompt(question, text));
        let found = asked("What is the pass key?", "Here we go. The pass key is 71432. Remember it.");
        assert_eq!((&found["answer"], &found["quotes"][0]), (&json!("71432"), &json!("The pass key is 71432.")));
        assert_eq!(asked("What is the pass key?", "Here we go.")["answer"], "");
        let key = "What is the value associated with the key \"b\"?";
        assert_eq!(asked(key, r#"{"a": "1", "b": "22", "c": "3"}"#)["answer"], "22");
        assert_eq!(asked(key, r#"{"a": "1", "b": "2"#)["answer"], "");
    }

    #[test]
    fn findings_of_one_answer_become_one_and_the_surest_is_the_answer() {
        let material = "# 12 (3.0)\nQ1 S1: it is 12\n= so\n# 34 (4.5)\nQ2 S1: it is 34\n# 12 (4.0)\nQ3 S2: 12";
        let twelve = Shown { answer: "12", confidence: 4.0, quotes: vec!["Q1", "Q3"] };
        assert_eq!(findings(material), [twelve, Shown { answer: "34", confidence: 4.5, quotes: vec!["Q2"] }]);
        let answer = reply("conclude", &format!("<data-1>\n{material}\n</data-1>"));
        assert_eq!((&answer["answer"], &answer["quotes"]), (&json!("34"), &json!(["Q2"])));
    }
}
