//! Citations misplaced in the prose of a reply.

use tributary_protocol::{settings::Language, source::SourceId};

/// A text without its citations.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct StrippedText {
    pub text: String,
    /// Sources named by their handles in the text.
    pub named: Vec<SourceId>,
    /// Citations of no source at all: `[3]`, `[^1]`.
    pub nameless: u32,
}

const BRACKETS: [(char, char); 5] = [('[', ']'), ('(', ')'), ('【', '】'), ('（', '）'), ('［', '］')];
/// Longer brackets hold prose.
const LONGEST: usize = 160;

/// Removes every bracket with nothing but citations inside. Code between two backticks stays.
pub(crate) fn strip(text: &str) -> StrippedText {
    strip_where(text, |_| true)
}

/// Removes citations from a sentence whose sources are known. Round brackets with other names stay, as in "object
/// storage (S3)".
pub(crate) fn strip_known(text: &str, sources: &[SourceId]) -> StrippedText {
    strip_where(text, |bracket| !bracket.round || bracket.named.iter().all(|named| sources.contains(named)))
}

fn strip_where(text: &str, is_citation: impl Fn(&CitationBracket) -> bool) -> StrippedText {
    let mut stripped = StrippedText::default();
    let (mut rest, mut in_code) = (text, false);
    while let Some(c) = rest.chars().next() {
        if c == '`' {
            // A backtick without a closing backtick begins no code.
            in_code = !in_code && rest[1..].contains('`');
        }
        match (!in_code).then(|| bracket(rest)).flatten().filter(&is_citation) {
            Some(CitationBracket { length, named, nameless, .. }) => {
                stripped.text.truncate(stripped.text.trim_end().len());
                stripped.named.extend(named);
                stripped.nameless += nameless;
                rest = &rest[length..];
            }
            None => {
                stripped.text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    stripped.text = stripped.text.trim().to_owned();
    stripped
}

struct CitationBracket {
    length: usize,
    round: bool,
    named: Vec<SourceId>,
    nameless: u32,
}

/// The citation at the beginning of the text.
fn bracket(text: &str) -> Option<CitationBracket> {
    let open = text.chars().next()?;
    let (_, close) = BRACKETS.iter().find(|(opening, _)| *opening == open)?;
    let inner = &text[open.len_utf8()..];
    let end = inner.find(*close).filter(|end| *end <= LONGEST)?;
    let round = matches!(open, '(' | '（');
    let (mut named, mut nameless) = (Vec::new(), 0);
    for word in inner[..end].split(|c: char| c.is_whitespace() || ",;:、，；&+–-".contains(c)) {
        let word = word.trim_end_matches('.');
        match word.parse() {
            Ok(source) => named.push(source),
            Err(()) if is_filler(word) => {}
            Err(()) if !round && is_number(word) => nameless += 1,
            Err(()) => return None,
        }
    }
    let length = open.len_utf8() + end + close.len_utf8();
    (!named.is_empty() || nameless > 0).then_some(CitationBracket { length, round, named, nameless })
}

fn is_filler(word: &str) -> bool {
    let fillers = [
        "", "see", "also", "and", "cf", "e.g", "i.e", "by", "from", "ref", "refs", "source", "sources", "参见", "见",
        "来源", "和", "及", "与",
    ];
    fillers.contains(&word.to_lowercase().as_str())
}

/// A number, a footnote's mark, a citation key, or a section's handle.
fn is_number(word: &str) -> bool {
    let bare = word.trim_start_matches(['^', '#', 'A', 'O']);
    word.starts_with('@') || (!bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The text with the handles of these sources replaced by words: `S4 shows` reads `this source shows`.
pub(crate) fn unname(text: &str, sources: &[SourceId], language: Language) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        let named = rest[..word].strip_prefix('S').is_some_and(|digits| !digits.starts_with('0'))
            && rest[..word].parse().is_ok_and(|source| sources.contains(&source));
        if named {
            plain.push_str(match language {
                Language::En if plain.is_empty() => "This source",
                Language::En => "this source",
                Language::Zh => "该来源",
            });
        } else {
            plain.push_str(&rest[..word]);
        }
        let next = rest[word..].chars().next();
        plain.extend(next);
        rest = &rest[word + next.map_or(0, char::len_utf8)..];
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_in_prose_are_taken_out_and_told() {
        let of = |text| {
            let stripped = strip(text);
            (stripped.text, stripped.named.iter().map(|id| id.0).collect::<Vec<_>>(), stripped.nameless)
        };
        assert_eq!(of("It works [S4, S9]."), ("It works.".into(), vec![4, 9], 0));
        assert_eq!(of("It works (see S4 and S12), says one [3-5]."), ("It works, says one.".into(), vec![4, 12], 2));
        assert_eq!(of("它有效【S4】。"), ("它有效。".into(), vec![4], 0));
        assert_eq!(of("In 2019 (2019), `a[0]` and [the rest] (S)."), {
            ("In 2019 (2019), `a[0]` and [the rest] (S).".into(), vec![], 0)
        });
        assert_eq!(of("[S17]"), (String::new(), vec![17], 0));
        assert_eq!(of("open [S4"), ("open [S4".into(), vec![], 0));
        assert_eq!(of("`a[0]`, then `cargo build [3]."), ("`a[0]`, then `cargo build.".into(), vec![], 1));
    }

    #[test]
    fn a_name_between_round_brackets_is_no_citation_where_the_sources_are_known() {
        let of = |text, sources: &[u32]| {
            let sources: Vec<_> = sources.iter().copied().map(SourceId).collect();
            strip_known(text, &sources).text
        };
        assert_eq!(of("Object storage (S3) is cheap (S7) [S3].", &[7]), "Object storage (S3) is cheap.");
    }

    #[test]
    fn a_cited_handle_in_the_grammar_of_a_sentence_becomes_words() {
        let cited = [SourceId(4)];
        assert_eq!(unname("S4 differs from S3 and AS4; so S4.", &cited, Language::En), {
            "This source differs from S3 and AS4; so this source."
        });
        assert_eq!(unname("如S4所示", &cited, Language::Zh), "如该来源所示");
    }
}
