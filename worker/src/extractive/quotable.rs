//! The fitness of a sentence for quotation, out of its text.

use super::terms::{is_unspaced, length};

/// The fewest and the most words of a quotation.
const FEWEST: usize = 6;
const MOST: usize = 45;

/// From here on a sentence is quoted only where there is nothing else.
pub const UNFIT: f64 = 1.0;

/// The flaw of a sentence as a quotation: 0 for none, [`UNFIT`] and more for a broken sentence.
pub fn flaw(sentence: &str) -> f64 {
    let plain = without_code(sentence);
    form(sentence, &plain) + opening(&plain) + leaning(&plain)
}

/// The sentence without its code, whose marks would be mistaken for the sentence's own.
fn without_code(sentence: &str) -> String {
    sentence.split('`').enumerate().map(|(i, part)| if i % 2 == 0 { part } else { "x" }).collect()
}

/// The flaw of a broken form; each kind suffices for unfitness.
fn form(sentence: &str, plain: &str) -> f64 {
    let words = length(sentence);
    let first = sentence.trim_start_matches(['*', '_', '"', '“', '「', '《', '(', '（']).chars().next();
    let starts = first.is_some_and(|c| c.is_uppercase() || c == '`' || is_unspaced(c));
    let ends = sentence
        .trim_end_matches(['"', '”', '’', '」', '』', ')', '）', '*', '_'])
        .ends_with(['.', '!', '?', '。', '！', '？']);
    let broken = [
        !(FEWEST..=MOST).contains(&words),
        !starts,
        !ends || sentence.ends_with("..."),
        sentence.matches('`').count() % 2 == 1 || sentence.contains("```"),
        !is_balanced(plain),
        plain.contains(['[', ']', '<', '>', '|', '{', '}', '\\', '^', '$']) || plain.contains("://"),
        letters(plain) < 0.65,
        is_label(plain),
    ];
    broken.into_iter().filter(|broken| *broken).count() as f64 * UNFIT
}

fn is_balanced(plain: &str) -> bool {
    let count = |mark: &str| plain.matches(mark).count();
    let pairs = [("(", ")"), ("（", "）"), ("“", "”"), ("「", "」"), ("《", "》")];
    pairs.iter().all(|(open, close)| count(open) == count(close))
        && ["\"", "*", "**", "~~"].iter().all(|mark| count(mark) % 2 == 0)
}

/// The share of letters among visible characters.
fn letters(plain: &str) -> f64 {
    let seen = plain.chars().filter(|c| !c.is_whitespace()).count();
    plain.chars().filter(|c| c.is_alphabetic()).count() as f64 / seen.max(1) as f64
}

/// A field of a form, such as `Start Date: …`.
fn is_label(plain: &str) -> bool {
    plain.split_once(": ").is_some_and(|(label, _)| length(label) <= 2)
}

/// Opening words that lean on the sentence before.
const LEANING: &str = "this that these those it its it's they their them he she his her such however therefore thus hence \
    moreover furthermore also additionally but and or so yet then instead otherwise similarly likewise finally here again \
    nevertheless nonetheless still meanwhile conversely consequently accordingly another besides indeed hopefully first \
    firstly second secondly third thirdly lastly next both neither either alternatively i i'm i've i'd specifically \
    that's there's unfortunately fortunately luckily basically after because note personally today ok okay well yes no \
    none same overall rather further doing what's subsequently clearly obviously surely actually presumably";

const LEANING_PHRASES: [&str; 35] = [
    "for example",
    "for instance",
    "in addition",
    "in particular",
    "in this",
    "in that",
    "in these",
    "in such",
    "in other words",
    "in the above",
    "in the example",
    "in the same",
    "in contrast",
    "in fact",
    "in both",
    "as such",
    "as a result",
    "as mentioned",
    "as above",
    "on the other",
    "on the one",
    "of course",
    "to do this",
    "to do so",
    "with this",
    "with these",
    "with that",
    "the above",
    "the latter",
    "the former",
    "the following",
    "the other",
    "the same",
    "at this",
    "if so",
];

const LEANING_CHINESE: [&str; 26] = [
    "这", "那", "它", "他", "她", "其", "此", "因此", "所以", "但", "然而", "不过", "而", "并且", "另外", "同时",
    "例如", "比如", "于是", "从而", "也", "首先", "其次", "最后", "如上", "综上",
];

/// Sources' names for themselves, made plain by the citation.
const ITSELF: &str = "rfc paper proposal document article work survey report study thesis chapter design change book \
    specification feature";

/// The flaw of an opening with a reference back.
fn opening(plain: &str) -> f64 {
    let lower = plain.to_lowercase().replace('’', "'");
    let mut words = lower.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let named = |word: &str| ITSELF.split_whitespace().any(|name| name == word);
    let names_itself = named(second) || (second == "is" && words.take(2).any(named));
    if matches!(first, "this" | "our") && names_itself {
        return 0.0;
    }
    let leans = LEANING.split_whitespace().any(|word| word == first)
        || LEANING_PHRASES
            .iter()
            .any(|phrase| lower.starts_with(phrase) && !(*phrase == "in this" && lower.contains("in this rfc")))
        || LEANING_CHINESE.iter().any(|word| lower.starts_with(word));
    if leans || plain.starts_with(['(', '（']) { 0.4 } else { 0.0 }
}

/// Marks of references elsewhere, of questions and of asides, each with its price.
const MARKS: [(&str, f64); 51] = [
    (" below", 0.25),
    (" above", 0.25),
    (" following", 0.2),
    (" mentioned", 0.15),
    (" previous ", 0.15),
    (" earlier ", 0.1),
    (" later ", 0.05),
    (" section", 0.15),
    (" see ", 0.15),
    (" here", 0.15),
    (" as follows", 0.3),
    (" this example", 0.2),
    (" this case", 0.15),
    (" these ", 0.08),
    (" the latter", 0.15),
    (" the former", 0.15),
    (" this ", 0.04),
    (" i ", 0.4),
    (" i'm ", 0.4),
    (" i've ", 0.4),
    (" i'd ", 0.4),
    (" my ", 0.3),
    (" me ", 0.2),
    (" you ", 0.06),
    (" we ", 0.06),
    (" we could ", 0.2),
    ("__", 0.3),
    ("we'll", 0.1),
    ("let's", 0.3),
    ("let us", 0.2),
    (" imho", 0.5),
    (" imo", 0.5),
    ("todo", 0.6),
    ("fixme", 0.6),
    ("tbd", 0.6),
    ("lorem", 0.6),
    (" etc.", 0.05),
    ("e.g.", 0.03),
    (" thanks", 0.4),
    (" sorry", 0.4),
    (" comment", 0.08),
    (" example", 0.06),
    (" thread", 0.02),
    (" unresolved", 0.2),
    (" footnote", 0.3),
    (" figure ", 0.2),
    (" table ", 0.15),
    ("- ", 0.06),
    ("如下", 0.25),
    ("上文", 0.25),
    ("下文", 0.25),
];

/// The flaw of words within the sentence.
fn leaning(plain: &str) -> f64 {
    let lower = format!(" {}", plain.to_lowercase().replace('’', "'"));
    let marks: f64 = MARKS.iter().filter(|(mark, _)| lower.contains(mark)).map(|(_, price)| price).sum();
    let asks = if plain.contains(['?', '？']) { 0.45 } else { 0.0 };
    let calls = if plain.contains(['!', '！']) { 0.15 } else { 0.0 };
    let words = length(plain);
    let long = words.saturating_sub(34) as f64 * 0.01;
    let short = 9_usize.saturating_sub(words) as f64 * 0.05;
    marks + asks + calls + long + short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_alone_is_told_from_what_leans_and_what_is_broken() {
        let good = flaw("Public fields of a `struct` must be considered as part of the API of the type.");
        let leaning = flaw("However, this is what the compiler did in the case that was discussed.");
        let itself = flaw("This RFC proposes a design for specialization of trait implementations.");
        assert!(good < 0.1 && itself < 0.1, "{good} {itself}");
        assert!(leaning > 0.3 && leaning < UNFIT, "{leaning}");
        for broken in [
            "too short.",
            "Start Date: the first day of March in that year.",
            "A sentence with [a link](http://example.org) in the middle of its words.",
            "A sentence (with a bracket that it never closes again.",
            "A sentence that ends with a colon, as before code:",
        ] {
            assert!(flaw(broken) >= UNFIT, "{broken}");
        }
        assert!(flaw("卷积神经网络在图像分类任务上取得了很好的效果。") < 0.2);
    }
}
