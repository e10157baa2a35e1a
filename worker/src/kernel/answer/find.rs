//! Find: what a chunk of a source says to the question.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use minijinja::{Value, context};
use schemars::JsonSchema;
use serde::Deserialize;
use tributary_protocol::{
    answer::{
        AnswerBrief, AnswerProduct, AnswerWork,
        finding::{Confidence, Finding, Quote},
    },
    id::BlobId,
    source::TitledSource,
    task::Work,
};

use super::{evidence, heading::heading_before, passages};
use crate::{
    kernel::{
        contract::{HalfWork, Kernel},
        reply::{lenient, schema::SchemaBuilder, truncate},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{fence, line, words},
    text,
};

pub(super) struct FindKernel<'a> {
    pub brief: &'a Arc<AnswerBrief>,
    pub source: &'a TitledSource,
    pub blob: BlobId,
    /// The text of the blob.
    pub text: Cow<'a, str>,
    pub part: (u32, u32),
    pub heading: Option<&'a str>,
    pub most_quotes: u32,
}

/// The evidence comes first, so that the answer rests on it.
#[derive(Deserialize, JsonSchema)]
pub(super) struct FindReply {
    #[serde(default, deserialize_with = "lenient::texts")]
    #[schemars(with = "Vec<String>")]
    quotes: Vec<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    rationale: String,
    #[serde(default, deserialize_with = "lenient::text")]
    answer: String,
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "f64")]
    confidence: f64,
}

impl FindKernel<'_> {
    /// A passage of the chunk as a quote.
    fn quote(&self, bytes: std::ops::Range<usize>) -> Quote {
        let heading = heading_before(&self.text, bytes.start).or(self.heading.map(str::to_owned));
        Quote {
            text: line(&self.text[bytes.clone()]),
            source: self.source.id,
            chunk: self.part.0,
            bytes: (bytes.start as u32, bytes.end as u32),
            heading,
        }
    }
}

impl Kernel for FindKernel<'_> {
    type Reply = FindReply;
    type Product = AnswerProduct;

    fn context(&self) -> Value {
        context! {
            question => line(&self.brief.question),
            quotes => self.most_quotes,
            part => self.part.0 + 1,
            parts => self.part.1,
            source => fence(&format!("{}\n\n{}", line(&self.source.title), self.text.trim())),
        }
    }

    fn schema(&self) -> serde_json::Value {
        let most = words(self.brief.limits.finding / 4, self.brief.language);
        SchemaBuilder::of::<FindReply>()
            .most("quotes", self.most_quotes as usize)
            .words("quotes[]", 60)
            .words("rationale", most)
            .words("answer", most)
            .range("confidence", 0, 5)
            .done()
    }

    fn reply_tokens(&self) -> u32 {
        self.brief.limits.finding * 3 / 2 + 128
    }

    /// Quotes that the chunk doesn't have are asked for once again; then the finding goes without them, and with less
    /// confidence.
    fn check(&self, reply: FindReply) -> ReplyVerdict<AnswerProduct> {
        let answer = line(&reply.answer);
        if answer.is_empty() {
            return Ok(ReplyProduct::new(AnswerProduct::Findings(Vec::new())));
        }
        let (mut quotes, mut invented) = (Vec::new(), Vec::new());
        for quote in reply.quotes.iter().filter(|quote| !quote.trim().is_empty()).take(self.most_quotes as usize) {
            match evidence::locate(&self.text, quote) {
                Some(bytes) => quotes.push(self.quote(bytes)),
                None => invented.push(line(quote)),
            }
        }
        let asked = Confidence::of(reply.confidence);
        let confidence =
            if quotes.is_empty() || !invented.is_empty() { asked.min(Confidence::UNQUOTED) } else { asked };
        let limit = self.brief.limits.finding / 3;
        let rationale = truncate::trim(&line(&reply.rationale), limit);
        let finding = Finding { quotes, rationale, answer: truncate::trim(&answer, limit), confidence };
        let made = ReplyProduct::new(AnswerProduct::Findings(vec![finding]));
        match invented.first() {
            Some(first) => Err(ReplyFlaw::light(format!("the text has no such words as this quote: {first}"), made)),
            None if made_without_quotes(&made) => {
                Err(ReplyFlaw::light("`quotes` is empty: repeat the words of the text that the answer rests on", made))
            }
            None => Ok(made),
        }
    }

    fn fallback(&self) -> AnswerProduct {
        let passages = passages::find(&self.text, &self.source.title, &self.brief.question, self.most_quotes as usize);
        let Some(best) = passages.first().map(|passage| passage.coverage) else {
            return AnswerProduct::Findings(Vec::new());
        };
        let quotes: Vec<Quote> = passages.into_iter().map(|passage| self.quote(passage.bytes)).collect();
        let answer = quotes.iter().map(|quote| quote.text.as_str()).collect::<Vec<_>>().join(" ");
        let confidence = passages::confidence(best);
        AnswerProduct::Findings(vec![Finding { quotes, rationale: String::new(), answer, confidence }])
    }

    fn halves(&self) -> Option<[HalfWork; 2]> {
        // A half is read as a chunk of its own; its quotes are found again in the whole.
        let [one, other] = text::cut_near_middle(&self.text)?;
        let half = |text: &str| {
            let work = AnswerWork::Find {
                source: self.source.clone(),
                text: self.blob,
                part: self.part,
                heading: self.heading.map(str::to_owned),
                quotes: self.most_quotes,
            };
            HalfWork {
                work: Work::Answer(Arc::clone(self.brief), work),
                blobs: vec![Bytes::copy_from_slice(text.as_bytes())],
            }
        };
        Some([half(one), half(other)])
    }

    fn join(&self, one: AnswerProduct, other: AnswerProduct) -> AnswerProduct {
        let (AnswerProduct::Findings(mut findings), AnswerProduct::Findings(others)) = (one, other) else {
            return AnswerProduct::Findings(Vec::new());
        };
        findings.extend(others);
        for quote in findings.iter_mut().flat_map(|finding| &mut finding.quotes) {
            if let Some(bytes) = evidence::locate(&self.text, &quote.text) {
                *quote = self.quote(bytes);
            }
        }
        AnswerProduct::Findings(findings)
    }
}

fn made_without_quotes(made: &ReplyProduct<AnswerProduct>) -> bool {
    matches!(&made.product, AnswerProduct::Findings(findings) if findings.iter().any(|of| of.quotes.is_empty()))
}
