//! The typical length of the reply behind a product.

use serde_json::{Value, json};
use tributary_protocol::{
    budget::count,
    survey::{
        SurveyProduct, SurveyWork,
        article::{Passage, Sentence},
        digest::Note,
        outline::{Outline, Placed, SectionId},
    },
};

/// Tokens of a judge's reasoning, ahead of the marks.
const REASONING: u64 = 45;

/// Tokens of a table of a few rows, or of a diagram.
const FIGURE: u64 = 350;

/// Returns the tokens of the reply behind such a product, in the shape that the kernel asks for.
pub(crate) fn reply_tokens(work: &SurveyWork, product: &SurveyProduct) -> u64 {
    match product {
        SurveyProduct::Groups(groups) => {
            let groups: Vec<_> = groups.iter().map(|group| json!({ "sources": handles(group) })).collect();
            tokens(&json!({ "groups": groups }))
        }
        SurveyProduct::Outline(outline) => tokens(&json!({ "sections": sections(outline) })),
        SurveyProduct::Digest(digest) => {
            let notes: Vec<_> = digest.notes.iter().map(note_of_section).collect();
            tokens(&json!({ "notes": notes, "suggestion": digest.suggestion }))
        }
        SurveyProduct::Candidate(candidate) => {
            // A refinement begins with a critique, about as long as its suggestion.
            let critique = if let SurveyWork::Refine { .. } = work { &candidate.suggestion } else { "" };
            let sections = sections(&candidate.outline);
            tokens(&json!({ "critique": critique, "suggestion": candidate.suggestion, "sections": sections }))
        }
        SurveyProduct::Score(score) => {
            REASONING + tokens(&json!({ "structure": score.structure, "descriptions": score.descriptions }))
        }
        SurveyProduct::Notes(notes) => {
            let note = |note: &Note| json!({ "text": note.text, "sources": handles(&note.sources) });
            tokens(&json!({ "notes": notes.iter().map(note).collect::<Vec<_>>() }))
        }
        SurveyProduct::Passage(passage) => tokens(&json!({ "paragraphs": paragraphs(passage) })),
        SurveyProduct::Figure(_) => FIGURE,
    }
}

fn tokens(reply: &Value) -> u64 {
    u64::from(count(&reply.to_string()))
}

fn handles(ids: &[impl ToString]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn note_of_section((section, note): &(SectionId, Note)) -> Value {
    json!({ "section": section.to_string(), "text": note.text })
}

fn sections(outline: &Outline) -> Vec<Value> {
    let section = |Placed { depth, section }: Placed<'_>| {
        let origin = section.origin.map_or("new".to_owned(), |origin| origin.to_string());
        json!({
            "level": depth + 1,
            "origin": origin,
            "title": section.title,
            "extract": section.extract,
            "analyse": section.analyse,
        })
    };
    outline.walk().map(section).collect()
}

fn paragraphs(passage: &Passage) -> Vec<Value> {
    let sentence = |sentence: &Sentence| json!({ "text": sentence.text, "sources": handles(&sentence.sources) });
    let sentences = passage.paragraphs.iter().map(|paragraph| paragraph.sentences.iter().map(sentence).collect());
    sentences.map(|sentences: Vec<_>| json!({ "sentences": sentences })).collect()
}
