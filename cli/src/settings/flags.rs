//! Reads layers of settings from flags.

use super::layer::Layer;
use crate::args::SettingsArgs;

/// Returns one layer per given flag.
pub fn layers(flags: &SettingsArgs) -> Vec<Layer> {
    let SettingsArgs { model, model_for, out, concurrency, seed, language, genre, window, config: _ } = flags;
    let mut layers = Vec::new();
    let mut text = |flag: &str, path: &[&str], value: &Option<String>| {
        layers.extend(value.as_ref().map(|value| Layer::of(flag, path, value.as_str())));
    };
    text("--model", &["models", "default"], model);
    text("--language", &["language"], language);
    text("--genre", &["survey", "genre"], genre);
    text("--out", &["out"], &out.as_ref().map(|path| path.to_string_lossy().into_owned()));
    let mut number = |flag: &str, key: &str, value: Option<i64>| {
        layers.extend(value.map(|value| Layer::of(flag, &[key], value)));
    };
    number("--concurrency", "concurrency", concurrency.map(i64::from));
    number("--window", "window", window.map(i64::from));
    // The command line rejects larger seeds.
    number("--seed", "seed", seed.and_then(|seed| i64::try_from(seed).ok()));
    let models =
        model_for.iter().map(|(kind, model)| Layer::of("--model-for", &["models", "for", kind.name()], model.as_str()));
    layers.extend(models);
    layers
}
