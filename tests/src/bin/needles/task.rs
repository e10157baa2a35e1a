//! Needle tasks, made up after InfiniteBench: a fact that stands once in a text, and the question for it.

use std::fmt::Write as _;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tributary_protocol::budget::count;

use crate::score::Task;

const NOISE: &str = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. ";

const OPENING: &str = "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. I will \
                       quiz you about the important information. ";

/// The kinds of needle.
pub const NEEDLES: [Task; 3] = [Task::Passkey, Task::NumberString, Task::KvRetrieval];

/// A text, a question, and the only right answer.
pub struct Case {
    pub text: String,
    pub question: String,
    pub answer: String,
}

/// A case of about so many tokens. `depth` is the needle's place, from 0 for the beginning to 1 for the end. Equal arguments
/// give equal cases.
pub fn case(needle: Task, tokens: u32, depth: f64, seed: u64) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    match needle {
        Task::KvRetrieval => pair(tokens, depth, &mut rng),
        Task::NumberString => fact("sequence of digits", digits(&mut rng), tokens, depth),
        _ => fact("pass key", rng.random_range(10_000..100_000).to_string(), tokens, depth),
    }
}

/// The depth of a case: all cases lie evenly from the beginning to the end.
pub fn depth(case: usize, cases: usize) -> f64 {
    if cases < 2 { 0.5 } else { case as f64 / (cases - 1) as f64 }
}

/// A sentence in noise.
fn fact(name: &str, answer: String, tokens: u32, depth: f64) -> Case {
    let many = 100;
    let lines = u64::from(tokens) * many / u64::from(count(&NOISE.repeat(many as usize)));
    let before = (lines as f64 * depth).round() as usize;
    let needle = format!("The {name} is {answer}. Remember it. {answer} is the {name}. ");
    let text = [OPENING, &NOISE.repeat(before), &needle, &NOISE.repeat(lines as usize - before)].concat();
    Case { text, question: format!("What is the {name}?"), answer }
}

/// Ten digits, about half of them as the digit before.
fn digits(rng: &mut ChaCha8Rng) -> String {
    let mut digits = String::new();
    let mut digit = rng.random_range(0..10);
    for _ in 0..10 {
        let _ = write!(digits, "{digit}");
        if rng.random_bool(0.5) {
            digit = rng.random_range(0..10);
        }
    }
    digits
}

/// One pair of many in an object.
fn pair(tokens: u32, depth: f64, rng: &mut ChaCha8Rng) -> Case {
    let mut entry = || (uuid(rng), uuid(rng));
    let shown = |(key, value): &(String, String)| format!("\"{key}\": \"{value}\", ");
    let some: Vec<_> = (0..100).map(|_| entry()).collect();
    let of_some = count(&some.iter().map(shown).collect::<String>());
    let pairs: Vec<_> = (0..(u64::from(tokens) * 100 / u64::from(of_some)).max(1)).map(|_| entry()).collect();
    let (key, value) = &pairs[((pairs.len() - 1) as f64 * depth).round() as usize];
    let text = format!("{{{}}}", pairs.iter().map(shown).collect::<String>().trim_end_matches(", "));
    Case { question: format!("What is the value associated with the key \"{key}\"?"), answer: value.clone(), text }
}

fn uuid(rng: &mut ChaCha8Rng) -> String {
    let hex = format!("{:032x}", rng.random::<u128>());
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_stands_once_at_its_depth_in_a_text_of_the_size_that_is_asked_for() {
        for needle in NEEDLES {
            for depth in [0.0, 0.3, 1.0] {
                let Case { text, answer, .. } = case(needle, 20_000, depth, 7);
                let at = text.find(&answer).unwrap() as f64 / text.len() as f64;
                assert!((at - depth).abs() < 0.02, "{needle:?}: {at} for {depth}");
                assert!(count(&text).abs_diff(20_000) < 600, "{needle:?}: {} tokens", count(&text));
                let last = text.rfind(&answer).unwrap();
                assert!(text[..last].len() - text.find(&answer).unwrap() < 60, "{needle:?}: it stands elsewhere too");
            }
        }
    }

    #[test]
    fn a_pair_s_text_is_an_object_that_has_it() {
        let case = case(Task::KvRetrieval, 5_000, 0.5, 1);
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&case.text).unwrap();
        let key = case.question.split('"').nth(1).unwrap();
        assert_eq!(object[key], case.answer.as_str());
    }
}
