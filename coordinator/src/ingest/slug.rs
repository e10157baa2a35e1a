//! Turns a title into a file name.

use std::path::Path;

/// The longest slug, in bytes.
const LONGEST: usize = 80;
/// The slug of a title without letters and digits.
const FALLBACK: &str = "article";

/// Returns a file name for `title` that every system takes: lower-case ASCII words joined by `-`, at most 80 bytes, cut
/// between words, never empty, and never a name that Windows keeps for devices.
pub fn slug(title: &str) -> String {
    let ascii = deunicode::deunicode_with_tofu(title, " ").to_ascii_lowercase().replace('\'', "");
    let mut slug = String::new();
    for word in ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let room = LONGEST - slug.len();
        if slug.is_empty() {
            slug.push_str(&word[..word.len().min(room)]);
        } else if word.len() < room {
            slug.push('-');
            slug.push_str(word);
        } else {
            break;
        }
    }
    if slug.is_empty() {
        return FALLBACK.to_owned();
    }
    if is_device(&slug) {
        slug.push('-');
        slug.push_str(FALLBACK);
    }
    slug
}

fn is_device(name: &str) -> bool {
    let numbered = |prefix| {
        name.strip_prefix(prefix).is_some_and(|number: &str| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    };
    matches!(name, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Returns the name of a file as a title: without folder, extension and underscores.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().replace('_', " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_become_readable_file_names() {
        assert_eq!(slug("The Évolution of Rust's `async`: 2014–2024!"), "the-evolution-of-rusts-async-2014-2024");
        assert_eq!(slug("深度学习"), "shen-du-xue-xi");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("***"), "article");
        assert_eq!(slug("NUL"), "nul-article");
        assert_eq!(slug(&"word ".repeat(40)).len(), 79);
    }

    proptest! {
        #[test]
        fn any_title_gives_a_safe_name(title in "\\PC*|[a-z ]{0,300}|(?i)(con|com[0-9]|aux)") {
            let slug = slug(&title);
            prop_assert!(!slug.is_empty() && slug.len() <= LONGEST && !is_device(&slug));
            prop_assert!(slug.split('-').all(|word| !word.is_empty()), "{slug}");
            prop_assert!(slug.bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit()));
            prop_assert_eq!(super::slug(&slug), slug.clone());
        }
    }
}
