//! Commands that can't be carried out.

use tributary_tests::process::{Ended, Tributary};

use crate::common::Desk;

/// The same command would fail again: that is exit code 2, one plain message, and nothing written.
#[track_caller]
fn refused(desk: &Desk, command: Tributary, message: &str) -> Ended {
    let ended = command.run().with(2);
    ended.tells(message);
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.contains("panicked"), "{ended}");
    assert!(!desk.path().join("tributary-out").exists() && !desk.out().exists(), "something was written");
    ended
}

#[test]
fn bad_usage_is_told_and_exits_with_2() {
    let desk = Desk::new();
    let typed = |args: &[&str]| desk.tributary().args(args);
    refused(&desk, typed(&["run"]), "required");
    refused(&desk, typed(&["rum", "corpus.jsonl"]), "unrecognized");
    refused(&desk, typed(&["run", "corpus.jsonl", "--concurrency", "0"]), "--concurrency");
    refused(&desk, typed(&["run", "corpus.jsonl", "--language", "tlh"]), "--language");
}

#[test]
fn bad_input_is_told_and_exits_with_2() {
    let desk = Desk::new();
    desk.write("notes/one.md", "# One\n\nA note.");
    desk.write(
        "empty.jsonl",
        "{\"title\": \"T\", \"papers\": []}\n{\"title\": \"U\", \"papers\": [{\"title\": \"V\"}]}\n",
    );
    desk.write("nothing.jsonl", "");
    desk.write("hollow/picture.png", "");
    let run = |input: &str| desk.tributary().args(["run", input]);
    refused(&desk, run("nowhere.jsonl"), "nowhere.jsonl: no such file or folder");
    refused(&desk, run("notes"), "pass --title");
    refused(&desk, run("empty.jsonl"), "no source with any text in empty.jsonl; 3 problem(s) reported");
    refused(&desk, run("nothing.jsonl"), "no source with any text");
    refused(&desk, run("hollow").args(["--title", "T"]), "no source with any text");
}

/// Where nothing comes of the input, what is wrong with it matters most.
#[test]
fn an_empty_corpus_tells_why_it_is_empty() {
    let desk = Desk::empty();
    desk.write("empty.jsonl", "{\"title\": \"U\", \"papers\": [{\"title\": \"V\"}]}\n{\n");
    let ended = refused(&desk, desk.tributary().args(["run", "empty.jsonl"]), "no source with any text");
    ended.tells("empty.jsonl:1: papers[0]: dropped: no text (\"V\")");
    ended.tells("empty.jsonl:2: dropped: broken JSON");
}

#[test]
fn bad_settings_are_told_with_where_they_stand_and_exit_with_2() {
    let desk = Desk::new();
    let run = || desk.tributary().args(["run", "corpus.jsonl"]);
    refused(&desk, run().env("TRIBUTARY_COLOUR", "red"), "TRIBUTARY_COLOUR");
    refused(&desk, run().env("TRIBUTARY_CONVOLUTION__LAYERS", "many"), "TRIBUTARY_CONVOLUTION__LAYERS");
    refused(&desk, run().args(["--model", "pigeon/post"]), "pigeon");
    refused(&desk, run().args(["--model", "openai/gpt-4.1"]), "OPENAI_API_KEY");
    refused(&desk, run().args(["--window", "100"]), "window is 100; at least 4096 is needed");
    refused(&desk, run().args(["--config", "other.toml"]), "other.toml");
    desk.write("tributary.toml", "seed = 1\n\n[convolution]\nlayer = 3\n");
    refused(&desk, run(), "tributary.toml:4");
}

#[test]
fn help_and_version_are_no_errors() {
    let desk = Desk::empty();
    for args in [&["--help"][..], &["run", "--help"], &["--version"], &["completions", "bash"]] {
        let ended = desk.tributary().args(args).run().with(0);
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{ended}");
    }
}
