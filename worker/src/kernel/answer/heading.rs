//! The heading that a passage stands under.

/// The last Markdown heading before a byte of a text; none where there is none, and none of those within fenced code.
pub(super) fn heading_before(text: &str, byte: usize) -> Option<String> {
    let (mut heading, mut is_code, mut at) = (None, false, 0);
    for line in text.split_inclusive('\n') {
        if at > byte {
            break;
        }
        at += line.len();
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            is_code = !is_code;
        }
        let level = line.len() - line.trim_start_matches('#').len();
        if !is_code && (1..=6).contains(&level) && line[level..].starts_with(' ') {
            heading = Some(line[level..].trim().trim_end_matches('#').trim().to_owned());
        }
    }
    heading.filter(|heading| !heading.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_stands_under_the_last_heading_before_it() {
        let text = "Before.\n# One\ntext\n```\n# not a heading\n```\n## Two #\nmore";
        let of = |passage| heading_before(text, text.find(passage).unwrap());
        assert_eq!(of("Before"), None);
        assert_eq!(of("text"), Some("One".to_owned()));
        assert_eq!(of("more"), Some("Two".to_owned()));
    }
}
