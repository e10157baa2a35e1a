//! Scores of InfiniteBench's tasks, as the benchmark's authors count them: from 0 to 1.

mod overlap;
mod rouge;

use clap::ValueEnum;

/// The benchmark's tasks, by the names of their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Task {
    Passkey,
    NumberString,
    KvRetrieval,
    LongbookQaEng,
    LongbookQaChn,
    LongbookChoiceEng,
    LongbookSumEng,
    LongdialogueQaEng,
    CodeDebug,
    CodeRun,
    MathFind,
    MathCalc,
}

impl Task {
    /// The task's name.
    pub fn name(self) -> String {
        self.to_possible_value().expect("no task is skipped").get_name().to_owned()
    }

    /// What an answer is worth where these are the right ones. The right option of a choice is its letter, behind its text.
    pub fn score(self, answer: &str, right: &[String]) -> f64 {
        let is_first = |said: &str| right.first().is_some_and(|right| right == said);
        let holds = |words: &[String]| right.first().is_some_and(|right| words.contains(right));
        let met = match self {
            Self::Passkey | Self::NumberString => is_first(&first_digits(answer)),
            Self::KvRetrieval => holds(&words(answer)),
            Self::LongdialogueQaEng => holds(&words(&answer.to_uppercase())),
            Self::LongbookChoiceEng => chosen(answer).is_some_and(|letter| right.last() == Some(&letter)),
            Self::CodeDebug => names_the_bug(answer, right),
            Self::CodeRun => same_number(last_word(answer).as_deref(), right),
            Self::MathFind => same_number(first_number(answer).as_deref(), right),
            Self::LongbookQaEng => return overlap::best(answer, right, overlap::english),
            Self::LongbookQaChn => return overlap::best(answer, right, overlap::chinese),
            Self::LongbookSumEng => return right.first().map_or(0.0, |right| rouge::lsum(answer, right)),
            Self::MathCalc => return led_by(answer, right),
        };
        f64::from(met)
    }
}

/// Words once punctuation is blank.
fn words(text: &str) -> Vec<String> {
    text.replace([':', '"', '\'', '.', ',', '?', '!', '{', '}'], " ").split_whitespace().map(str::to_owned).collect()
}

fn integers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty())
}

fn first_digits(text: &str) -> String {
    integers(text).next().unwrap_or_default().to_owned()
}

/// The first number, with its decimals where it has any.
fn first_number(text: &str) -> Option<String> {
    let rest = &text[text.find(|c: char| c.is_ascii_digit())?..];
    let whole = integers(rest).next()?;
    let decimals = rest[whole.len()..].strip_prefix('.').map_or("", |rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        &rest[..end]
    });
    Some(if decimals.is_empty() { whole.to_owned() } else { format!("{whole}.{decimals}") })
}

fn last_word(text: &str) -> Option<String> {
    text.replace(['.', '`', '\'', '"', ':'], " ").split_whitespace().last().map(str::to_owned)
}

fn same_number(said: Option<&str>, right: &[String]) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    said.and_then(number).is_some_and(|said| right.first().and_then(|right| number(right)) == Some(said))
}

/// The share of the right numbers that the answer begins with.
fn led_by(answer: &str, right: &[String]) -> f64 {
    let same = integers(answer).zip(right).take_while(|(said, right)| said.parse::<u64>().ok() == right.parse().ok());
    same.count() as f64 / right.len().max(1) as f64
}

/// The option that an answer chooses: its first letter, what follows "the answer is", or the first letter that stands alone.
fn chosen(answer: &str) -> Option<String> {
    let letter = |text: &str| text.chars().next().filter(|c| "ABCD".contains(*c)).map(String::from);
    if let Some(first) = letter(answer) {
        return Some(first);
    }
    let plain = answer.replace(['"', '\'', '.', ',', '?', '!', '{', '}'], " ");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let announced = ["answer is:", "answer:", "answer is", "option is"];
    if let Some(after) = announced.iter().find_map(|prefix| plain.split_once(prefix)) {
        return letter(after.1.trim_start());
    }
    plain.split(' ').find(|word| word.len() == 1 && "ABCD".contains(word)).map(str::to_owned)
}

/// Whether an answer names the option of the function with the bug: by its letter at the start, or by letter or name after
/// "answer:". `right` is the function and its letter.
fn names_the_bug(answer: &str, right: &[String]) -> bool {
    let [function, letter] = right else { return false };
    if [".", ":"].iter().any(|end| answer.starts_with(&format!("{letter}{end}"))) {
        return true;
    }
    let plain = answer.replace("Option", " ").replace("option", " ");
    let plain = plain.replace(['`', '\'', '"', '-', '*'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let after = ["answer is:", "is:", "answer:"].iter().find_map(|prefix| plain.split_once(prefix));
    after.is_some_and(|(_, after)| [letter, function].iter().any(|name| after.trim_start().starts_with(*name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(task: Task, answer: &str, right: &[&str]) -> f64 {
        task.score(answer, &right.iter().map(|right| (*right).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_first_integer_is_the_pass_key() {
        assert_eq!(score(Task::Passkey, "The pass key is 71432. 9 more.", &["71432"]), 1.0);
        assert_eq!(score(Task::Passkey, "Of 2 keys: 71432", &["71432"]), 0.0);
        assert_eq!(score(Task::NumberString, "0011", &["0011"]), 1.0);
        assert_eq!(score(Task::NumberString, "00112", &["0011"]), 0.0);
    }

    #[test]
    fn a_value_is_a_whole_word_among_punctuation() {
        assert_eq!(score(Task::KvRetrieval, "{\"a-1\": \"b-2\"}", &["b-2"]), 1.0);
        assert_eq!(score(Task::KvRetrieval, "b-23", &["b-2"]), 0.0);
        assert_eq!(score(Task::LongdialogueQaEng, "It is \"Rick\".", &["RICK"]), 1.0);
        assert_eq!(score(Task::LongdialogueQaEng, "Ricky", &["RICK"]), 0.0);
    }

    #[test]
    fn an_option_is_chosen_by_its_letter() {
        let right = ["a blue door", "B"];
        for answer in ["B. a blue door", "The answer is B.", "I would say B", "the answer is: \"B\""] {
            assert_eq!(score(Task::LongbookChoiceEng, answer, &right), 1.0, "{answer}");
        }
        for answer in ["", "A blue door", "the answer is C, not B", "blue"] {
            assert_eq!(score(Task::LongbookChoiceEng, answer, &right), 0.0, "{answer}");
        }
    }

    #[test]
    fn a_bug_is_named_by_letter_or_function() {
        let right = ["parse_line", "C"];
        for answer in ["C. parse_line", "C: it", "The answer is: Option C", "The answer: `parse_line`"] {
            assert_eq!(score(Task::CodeDebug, answer, &right), 1.0, "{answer}");
        }
        for answer in ["C", "parse_line", "The answer is: A", "answer:"] {
            assert_eq!(score(Task::CodeDebug, answer, &right), 0.0, "{answer}");
        }
    }

    #[test]
    fn numbers_are_the_first_the_last_or_those_in_a_row() {
        assert_eq!(score(Task::MathFind, "It is 12.5, or 3", &["12.5"]), 1.0);
        assert_eq!(score(Task::MathFind, "It is 12. Then 3", &["12"]), 1.0);
        assert_eq!(score(Task::CodeRun, "func_1(3) returns -7.", &["-7"]), 1.0);
        assert_eq!(score(Task::CodeRun, "-7 it is", &["-7"]), 0.0);
        assert_eq!(score(Task::MathCalc, "[1, 2, 9, 4]", &["1", "2", "3", "4"]), 0.5);
        assert_eq!(score(Task::MathCalc, "", &["1"]), 0.0);
    }
}
