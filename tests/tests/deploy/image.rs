//! What the image is built from.

use std::path::Path;

use super::rendered::file;

/// Prompts are Markdown, and part of the program: a pattern that reaches into folders takes more along than it seems to.
#[test]
fn nothing_of_the_workspace_s_packages_is_kept_from_the_build() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ignored = file("Dockerfile.dockerignore");
    let patterns: Vec<&str> = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(!patterns.is_empty());
    for pattern in patterns {
        assert!(!pattern.contains('/'), "{pattern} reaches into folders");
        assert!(!root.join(pattern).join("Cargo.toml").exists(), "{pattern} is a package");
    }
}
