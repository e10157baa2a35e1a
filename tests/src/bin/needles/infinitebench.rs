//! Files of InfiniteBench: one task's examples, one a line.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use anyhow::{Context, Result, anyhow};
use clap::ValueEnum as _;
use serde::Deserialize;
use serde_json::Value;
use tributary_protocol::settings::Language;

use crate::score::Task;

#[derive(Deserialize)]
pub struct Example {
    pub context: String,
    #[serde(default)]
    input: String,
    answer: Value,
    #[serde(default)]
    options: Vec<String>,
}

/// The task that a file is named for.
///
/// # Errors
///
/// A name that is no task's.
pub fn task_of(file: &Path) -> Result<Task> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Task::from_str(&name, false).map_err(|_| {
        let tasks: Vec<String> = Task::value_variants().iter().map(|task| task.name()).collect();
        anyhow!("{}: no task is called {name}; name the file for one of {}", file.display(), tasks.join(", "))
    })
}

/// The examples of a file, one after the other: of a file of any size one is kept.
///
/// # Errors
///
/// A file that can't be opened; and in the place of an example, a line that can't be read.
pub fn examples(file: &Path) -> Result<impl Iterator<Item = Result<Example>>> {
    let opened = File::open(file).with_context(|| format!("{}: it can't be opened", file.display()))?;
    let lines = (1..).zip(BufReader::new(opened).lines());
    let filled = lines.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
    Ok(filled.map(|(number, line)| {
        let example = line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_str(&line)?));
        example.with_context(|| format!("{}, line {number}: it can't be read as an example", file.display()))
    }))
}

impl Example {
    /// The question that stands for the example: its own, with its options, and how the task wants to be answered.
    pub fn question(&self, task: Task) -> String {
        let letters = ('A'..).zip(&self.options).map(|(letter, option)| format!("{letter}. {option}"));
        let own = match task {
            Task::KvRetrieval => "Which value has this key?",
            Task::LongbookSumEng => "Summarise the book.",
            Task::LongdialogueQaEng => "Which character does $$MASK$$ stand for? Answer with the name alone.",
            Task::LongbookChoiceEng => "Begin the answer with the letter of the right option.",
            Task::CodeDebug => {
                "Which function has the deliberate error? Begin the answer with the option's letter and a full stop."
            }
            Task::CodeRun => "Answer with the number that is returned, alone.",
            Task::MathFind => "Answer with the number alone.",
            Task::MathCalc => "Give the value after every step of the calculation, as a list of numbers.",
            Task::Passkey | Task::NumberString | Task::LongbookQaEng => "Answer as briefly as can be.",
            Task::LongbookQaChn => "请尽量简短地回答。",
        };
        let parts = std::iter::once(self.input.trim().to_owned()).chain(letters).chain([own.to_owned()]);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The right answers; of a choice the right option, and its letter.
    pub fn right(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut right: Vec<String> = match &self.answer {
            Value::Array(several) => several.iter().map(text).collect(),
            one => vec![text(one)],
        };
        let place = right.first().and_then(|first| self.options.iter().position(|option| option == first));
        if let (1, Some(place)) = (right.len(), place) {
            right.extend(('A'..).nth(place).map(String::from));
        }
        right
    }
}

/// The language that a task is asked in.
pub fn language(task: Task) -> Language {
    if task == Task::LongbookQaChn { Language::Zh } else { Language::En }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_line_that_can_t_be_read_is_told_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("code_debug.jsonl");
        let good = r#"{"id":1,"context":"c","input":"Which?","answer":["f"],"options":["g","f"]}"#;
        fs::write(&file, format!("{good}\n\n{{\"context\":1}}\n")).unwrap();
        assert_eq!(task_of(&file).unwrap(), Task::CodeDebug);
        let read: Vec<_> = examples(&file).unwrap().collect();
        let [Ok(first), Err(error)] = &read[..] else { panic!("two lines are filled") };
        assert_eq!(first.right(), ["f", "B"]);
        assert!(
            first.question(Task::CodeDebug).starts_with("Which? A. g B. f "),
            "{}",
            first.question(Task::CodeDebug)
        );
        assert!(error.to_string().contains("code_debug.jsonl, line 3"), "{error}");
        assert!(task_of(Path::new("code_debag.jsonl")).unwrap_err().to_string().contains("math_calc"));
    }

    #[test]
    fn right_answers_are_texts_whatever_they_were() {
        let right =
            |answer| serde_json::from_str::<Example>(&format!(r#"{{"context":"","answer":{answer}}}"#)).unwrap();
        assert_eq!(right("[1, 2]").right(), ["1", "2"]);
        assert_eq!(right("7.5").right(), ["7.5"]);
        assert_eq!(right(r#"["x", "y"]"#).right(), ["x", "y"]);
    }
}
