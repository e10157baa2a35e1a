//! A dry run: products of typical size for the answer's tasks, without a model.

use serde_json::json;
use tributary_protocol::{
    answer::{
        AnswerProduct, AnswerWork,
        finding::{Answer, Confidence, Finding, Quote},
    },
    budget::count,
    id::{Hasher, TaskId},
};

/// The number of chunks for each chunk that typically has a finding.
const ONE_IN: u8 = 4;

/// The number of findings that a typical collapse reduces to a single finding.
const LEFT: usize = 3;

const SENTENCE: &str =
    "A typical sentence of a source that bears on the question and says, in some twenty words, what it knows of it.";

/// Returns the product of a typical reply to a task. Depends on the task alone.
pub(crate) fn product(task: TaskId, work: &AnswerWork) -> AnswerProduct {
    match work {
        AnswerWork::Find { source, part, .. } => {
            let chance = Hasher::new("dry run").part(task.to_string().as_bytes()).seed()[0];
            if !chance.is_multiple_of(ONE_IN) {
                return AnswerProduct::Findings(Vec::new());
            }
            let quote =
                Quote { text: SENTENCE.to_owned(), source: source.id, chunk: part.0, bytes: (0, 1), heading: None };
            let confidence = Confidence::of(f64::from(chance) / 50.0);
            let finding = Finding {
                quotes: vec![quote.clone(), quote],
                rationale: SENTENCE.to_owned(),
                answer: SENTENCE.to_owned(),
                confidence,
            };
            AnswerProduct::Findings(vec![finding])
        }
        AnswerWork::Collapse { findings } => AnswerProduct::Findings(findings.iter().step_by(LEFT).cloned().collect()),
        AnswerWork::Conclude { findings } => {
            let quotes = findings.iter().take(LEFT).flat_map(|finding| finding.quotes.clone()).collect();
            let text = [SENTENCE; 3].join(" ");
            AnswerProduct::Answer(Answer { text, confidence: Confidence::HIGHEST, quotes, against: Vec::new() })
        }
    }
}

/// Returns the tokens of the reply behind such a product, in the shape that the kernel asks for.
pub(crate) fn reply_tokens(product: &AnswerProduct) -> u64 {
    let finding = |finding: &Finding| {
        let quotes: Vec<_> = finding.quotes.iter().map(|quote| quote.text.as_str()).collect();
        let Finding { rationale, answer, confidence, .. } = finding;
        json!({ "quotes": quotes, "rationale": rationale, "answer": answer, "confidence": confidence.mark() })
    };
    let reply = match product {
        AnswerProduct::Findings(findings) => json!(findings.iter().map(finding).collect::<Vec<_>>()),
        AnswerProduct::Answer(answer) => {
            json!({ "rationale": SENTENCE, "answer": answer.text, "quotes": ["Q1", "Q2"], "against": [] })
        }
    };
    u64::from(count(&reply.to_string()))
}
