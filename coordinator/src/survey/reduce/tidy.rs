//! Tidies an article: removes citations of nothing and repeated sentences.

use std::collections::HashMap;

use tributary_protocol::{
    source::SourceId,
    survey::article::{Article, Figure, Passage, Sentence, WrittenSection},
};

use super::reduced::Mended;

pub fn tidy(article: &mut Article, sources: usize, mended: &mut Mended) {
    each_cited(article, &mut |cited| {
        let before = cited.len();
        cited.retain(|source| (1..=sources).contains(&(source.0 as usize)));
        mended.unknown_citations_removed += (before - cited.len()) as u64;
        cited.sort_unstable();
        cited.dedup();
    });
    let repeated = repeated_sentences(article);
    mended.repeated_sentences_removed += repeated.removed;
    let mut first = repeated.first.into_iter();
    each_passage(article, &mut |passage| {
        for paragraph in &mut passage.paragraphs {
            paragraph.sentences.retain_mut(|sentence| {
                // None for a repeated sentence.
                let Some(sources) = first.next().expect("as many as there are sentences") else { return false };
                sentence.sources = sources;
                !sentence.text.trim().is_empty()
            });
        }
        passage.paragraphs.retain(|paragraph| !paragraph.sentences.is_empty());
    });
}

struct Repeated {
    /// For each sentence in reading order: none if repeated, else the sources of all its occurrences.
    first: Vec<Option<Vec<SourceId>>>,
    removed: u64,
}

fn repeated_sentences(article: &mut Article) -> Repeated {
    let mut first: Vec<Option<Vec<SourceId>>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut removed = 0;
    each_passage(article, &mut |passage| {
        for sentence in passage.sentences() {
            match places.get(&said(sentence)) {
                Some(place) => {
                    let sources = first[*place].as_mut().expect("the first one stays");
                    sources.extend(&sentence.sources);
                    sources.sort_unstable();
                    sources.dedup();
                    first.push(None);
                    removed += 1;
                }
                None => {
                    places.insert(said(sentence), first.len());
                    first.push(Some(sentence.sources.clone()));
                }
            }
        }
    });
    Repeated { first, removed }
}

/// Returns a sentence's text without regard to case, spaces and the mark at its end. Marks within the sentence stay:
/// they tell 1.2 from 12.
fn said(sentence: &Sentence) -> String {
    let words: Vec<&str> = sentence.text.split_whitespace().collect();
    words.join(" ").trim_end_matches(['.', '!', '?', '。', '！', '？', ' ']).to_lowercase()
}

fn each_section(article: &mut Article, see: &mut impl FnMut(&mut WrittenSection)) {
    fn visit(section: &mut WrittenSection, see: &mut impl FnMut(&mut WrittenSection)) {
        see(section);
        section.children.iter_mut().for_each(|child| visit(child, see));
    }
    article.sections.iter_mut().for_each(|section| visit(section, see));
}

fn each_passage(article: &mut Article, see: &mut impl FnMut(&mut Passage)) {
    // The summary comes last. It repeats the article on purpose, and a sentence stays in the section that argues for
    // it.
    each_section(article, &mut |section| see(&mut section.passage));
    see(&mut article.summary);
}

fn each_cited(article: &mut Article, see: &mut impl FnMut(&mut Vec<SourceId>)) {
    each_passage(article, &mut |passage| {
        let sentences = passage.paragraphs.iter_mut().flat_map(|paragraph| &mut paragraph.sentences);
        sentences.for_each(|sentence| see(&mut sentence.sources));
    });
    each_section(article, &mut |section| match &mut section.figure {
        Some(Figure::Table { rows, .. }) => rows.iter_mut().for_each(|row| see(&mut row.sources)),
        Some(Figure::Diagram { sources, .. }) => see(sources),
        None => {}
    });
}

#[cfg(test)]
mod tests {
    use tributary_protocol::survey::article::Paragraph;

    use super::*;

    fn section(sentences: &[(&str, &[u32])]) -> WrittenSection {
        let sentence = |(text, sources): &(&str, &[u32])| Sentence {
            text: (*text).to_owned(),
            sources: sources.iter().copied().map(SourceId).collect(),
        };
        let paragraph = Paragraph { sentences: sentences.iter().map(sentence).collect() };
        WrittenSection {
            title: "Title".into(),
            passage: Passage { paragraphs: vec![paragraph] },
            figure: None,
            children: Vec::new(),
        }
    }

    #[test]
    fn sentences_that_differ_in_a_mark_are_not_the_same() {
        let said = |text: &str| said(&Sentence { text: text.into(), sources: Vec::new() });
        assert_ne!(said("It grew by 1.2 percent."), said("It grew by 12 percent."));
        assert_ne!(said("C++ is fast."), said("C is fast."));
        assert_ne!(said("It fell to -3."), said("It fell to 3."));
        assert_eq!(said("It  grew"), said("it grew."));
    }

    #[test]
    fn a_sentence_is_said_once_with_all_its_sources_and_unknown_sources_go() {
        let mut article = Article {
            title: "A".into(),
            summary: Passage::default(),
            sections: vec![section(&[("One thing.", &[2]), ("Another.", &[1, 9])]), section(&[("one  thing", &[1])])],
        };
        let mut mended = Mended::default();
        tidy(&mut article, 3, &mut mended);
        let sentences = &article.sections[0].passage.paragraphs[0].sentences;
        assert_eq!(sentences[0].sources, [SourceId(1), SourceId(2)]);
        assert_eq!(sentences[1].sources, [SourceId(1)]);
        assert!(article.sections[1].passage.paragraphs.is_empty());
        assert_eq!((mended.repeated_sentences_removed, mended.unknown_citations_removed), (1, 1));
    }
}
