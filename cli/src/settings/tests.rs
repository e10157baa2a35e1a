use std::{fs, path::Path};

use tributary_protocol::{
    settings::Language,
    survey::{Genre, SurveyKind},
};

use super::*;
use crate::args::SettingsArgs;

/// Loads settings from a folder with this settings file, these variables and these flags.
fn load_from(file: &str, variables: &[(&str, &str)], flags: SettingsArgs) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    if !file.is_empty() {
        fs::write(folder.path().join(FILE), file).unwrap();
    }
    let environment = variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let sources = Sources { directory: folder.path().to_owned(), environment, flags: &flags };
    load(&sources).map_err(|error| format!("{error:#}"))
}

fn refusal(file: &str, variables: &[(&str, &str)]) -> String {
    load_from(file, variables, SettingsArgs::default()).unwrap_err()
}

#[test]
fn flags_outrank_the_environment_that_outranks_the_file_that_outranks_the_defaults() {
    let file = "genre = 'guide'\nseed = 1\nwindow = 8000\n[convolution]\nwidth = 5";
    let variables = [("TRIBUTARY_SEED", "2"), ("TRIBUTARY_WINDOW", "16_000"), ("TRIBUTARY_CONVOLUTION__LAYERS", "4")];
    let flags = SettingsArgs { window: Some(32_000), ..SettingsArgs::default() };
    let config = load_from(file, &variables, flags).unwrap().config;
    assert_eq!((config.job.language, config.survey.genre), (Language::En, Genre::Guide));
    assert_eq!((config.execution.seed, config.job.window.0), (2, 32_000));
    assert_eq!((config.survey.convolution.width, config.survey.convolution.layers), (5, 4));
    assert_eq!(config.survey.convolution.results, 10);
}

#[test]
fn with_nothing_said_all_is_as_the_defaults_have_it() {
    let loaded = load_from("", &[], SettingsArgs::default()).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(!loaded.names_a_model());
}

#[test]
fn the_environment_takes_text_numbers_tables_and_kinds_of_task() {
    let variables = [
        ("TRIBUTARY_MODELS__FOR__MERGE_OUTLINES", "openai/strong"),
        ("TRIBUTARY_OPENAI__KEY", "12345"),
        ("TRIBUTARY_PRICES", "{ 'openai/gpt-4.1' = { prompt = 2, reply = 8.0 } }"),
        ("TRIBUTARY_WRITING__FIGURES", "false"),
        ("TRIBUTARY_LOG", "debug"),
        ("TRIBUTARY_SERVICE_HOST", "10.0.0.7"),
        ("TRIBUTARY_GENRE", ""),
    ];
    let loaded = load_from("", &variables, SettingsArgs::default()).unwrap();
    let Config { job, survey, execution, .. } = &loaded.config;
    assert_eq!(job.models.of(SurveyKind::MergeOutlines.into()), "openai/strong");
    assert_eq!(execution.openai.key.as_ref().unwrap().expose(), "12345");
    assert_eq!(execution.prices["openai/gpt-4.1"], Price { prompt: 2.0, reply: 8.0, cached_prompt: None });
    assert!(!survey.writing.figures && loaded.names_a_model());
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_what_was_expected() {
    let unknown = refusal("seed = 1\n[convolution]\nlaers = 4", &[]);
    assert!(
        unknown.contains("tributary.toml:3:1: ") && unknown.contains("`laers`") && unknown.contains("`layers`"),
        "{unknown}"
    );
    let top = refusal("langauge = 'zh'", &[]);
    assert!(top.contains("`langauge`") && top.contains("`language`") && top.contains("`seed`"), "{top}");
    let wrong = refusal("[convolution]\nlayers = 'many'", &[]);
    assert!(wrong.contains(":2:10: ") && wrong.contains("expected u32, in `convolution.layers`"), "{wrong}");
    let choice = refusal("", &[("TRIBUTARY_LANGUAGE", "fr")]);
    assert!(choice.starts_with("TRIBUTARY_LANGUAGE: ") && choice.contains("`zh`"), "{choice}");
    let variable = refusal("", &[("TRIBUTARY_CONVOLUTION__LAERS", "4")]);
    assert!(variable.starts_with("TRIBUTARY_CONVOLUTION__LAERS: ") && variable.contains("`layers`"), "{variable}");
    let nested = refusal("[survey.convolution]\nlaers = 4", &[]);
    assert!(nested.contains("tributary.toml:2:1: ") && nested.contains("`laers`"), "{nested}");
    let kind = refusal("[models.for]\nweave = 'extractive'", &[]);
    assert!(kind.contains("models.for: `weave` is not a kind of task"), "{kind}");
    assert!(refusal("window = 100", &[]).contains("window is 100"));
    assert!(refusal("[models]\ndefault = 'gpt-4o'", &[]).contains("`gpt-4o` names no model"));
    assert!(refusal("[timeouts]\ncall = 0", &[]).contains("timeouts.call"));
}

#[test]
fn the_settings_of_a_survey_stand_in_its_table_or_at_the_top() {
    let of = |file| load_from(file, &[], SettingsArgs::default()).unwrap().config.survey;
    let nested = of("[survey]\nblocks = 2\n[survey.convolution]\nlayers = 4");
    let both = of("[convolution]\nwidth = 5\n[survey]\nblocks = 2\n[survey.convolution]\nlayers = 4").convolution;
    assert_eq!((both.width, both.layers), (5, 4), "neither form displaces the other");
    assert_eq!((nested.blocks, nested.convolution.layers, nested.convolution.width), (2, 4, 3));
    assert_eq!(of("blocks = 2\n[convolution]\nlayers = 4"), nested);
    assert_eq!(of("blocks = 2\n[survey.convolution]\nlayers = 4"), nested);
}

#[test]
fn a_file_that_is_asked_for_must_exist() {
    let flags = SettingsArgs { config: Some(Path::new("/nowhere/t.toml").to_owned()), ..SettingsArgs::default() };
    assert!(load_from("", &[], flags).unwrap_err().contains("/nowhere/t.toml"));
}

#[test]
fn a_model_that_cannot_be_called_is_told_before_anything_runs() {
    let flags = || SettingsArgs { model: Some("openai/gpt-4.1".into()), ..SettingsArgs::default() };
    let connect = |variables| load_from("", variables, flags()).unwrap().config.connect().map(|_| ());
    assert!(connect(&[]).unwrap_err().to_string().contains("OPENAI_API_KEY"));
    assert!(connect(&[("OPENAI_API_KEY", "sk-1")]).is_ok());
    assert!(connect(&[("OPENAI_API_BASE", "http://localhost:8000/v1")]).is_ok());
}

#[test]
fn secrets_are_used_and_never_shown() {
    let variables = [("OPENAI_API_KEY", "sk-hush"), ("OPENAI_BASE_URL", "http://localhost:1/v1")];
    let loaded = load_from("[gemini]\nkey = 'g-hush'", &variables, SettingsArgs::default()).unwrap();
    assert_eq!(loaded.config.execution.openai.key.as_ref().unwrap().expose(), "sk-hush");
    let shown = loaded.show();
    assert!(!shown.contains("hush") && !format!("{loaded:?}").contains("hush"), "{shown}");
    assert!(
        shown.contains("key is set, from OPENAI_API_KEY")
            && shown.contains("\"http://localhost:1/v1\"  # OPENAI_BASE_URL")
    );
    for error in [refusal("openai = 'sk-hush'", &[]), refusal("[openai]\nkey = sk-hush", &[])] {
        assert!(!error.contains("hush"), "{error}");
    }
    for wrong in [r#"{ user = { user = "worker", password = "sec"ret" } }"#, "secret"] {
        let error = refusal("", &[("TRIBUTARY_NATS__AUTH", wrong)]);
        assert!(error.starts_with("TRIBUTARY_NATS__AUTH: ") && !error.contains("ret"), "{error}");
    }
}

#[test]
fn addresses_that_let_somebody_in_are_never_shown() {
    let file = "[nats]\nurl = 'nats://ann:hush@one:4222,nats://two:4222'\n[gemini]\nbase = 'http://proxy/v1?key=hush'";
    let variables = [("OPENAI_BASE_URL", "https://ann:hush@proxy/v1")];
    let shown = load_from(file, &variables, SettingsArgs::default()).unwrap().show();
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("# url is set, from "), "{shown}");
    assert!(shown.contains("# base is set, from OPENAI_BASE_URL"), "{shown}");
}

#[test]
fn what_is_shown_is_a_settings_file_that_means_the_same() {
    let flags = SettingsArgs {
        model: Some("openai/a".into()),
        model_for: vec![(SurveyKind::Write.into(), "openai/b".into())],
        ..SettingsArgs::default()
    };
    let prices = [("TRIBUTARY_PRICES", "{ 'openai/a' = { prompt = 2, reply = 8 } }")];
    let first = load_from("", &prices, flags).unwrap();
    let again = load_from(&first.show(), &[], SettingsArgs::default()).unwrap();
    assert_eq!(first.config, again.config);
}
