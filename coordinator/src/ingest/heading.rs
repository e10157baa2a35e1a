//! Headings and fenced code: the parts of Markdown's structure that several readers need, line by line.

/// Returns the level, 1 to 6, and the words of a `# heading`.
pub(super) fn atx(line: &str) -> Option<(usize, &str)> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    if !(1..=6).contains(&level) || !words.starts_with([' ', '\t']) {
        return None;
    }
    Some((level, words.trim().trim_end_matches('#').trim_end())).filter(|(_, words)| !words.is_empty())
}

/// Returns the last `# heading` before each of these ascending bytes of a text; empty if there is none.
pub fn headings_at(text: &str, bytes: &[usize]) -> Vec<String> {
    let mut fences = Fences::default();
    let (mut headings, mut heading, mut at) = (Vec::with_capacity(bytes.len()), "", 0);
    for line in text.split_inclusive('\n') {
        while bytes.get(headings.len()).is_some_and(|byte| *byte <= at) {
            headings.push(heading.to_owned());
        }
        if !fences.covers(line)
            && let Some((_, words)) = atx(line.trim())
        {
            heading = words;
        }
        at += line.len();
    }
    headings.resize(bytes.len(), heading.to_owned());
    headings
}

/// Returns the character of a line that underlines the previous line as a heading.
pub(super) fn underline(line: &str) -> Option<char> {
    let line = line.trim_end();
    let first = line.chars().next().filter(|first| "=-~^".contains(*first))?;
    (line.len() >= 3 && line.chars().all(|c| c == first)).then_some(first)
}

/// Tracks fenced code through the lines of a text.
#[derive(Default)]
pub(super) struct Fences<'t> {
    open: Option<&'t str>,
}

impl<'t> Fences<'t> {
    /// True if the next line belongs to fenced code that has begun.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// True if `line` belongs to fenced code, the fences included.
    pub fn covers(&mut self, line: &'t str) -> bool {
        let line = line.trim();
        match self.open {
            Some(fence) => {
                if line.starts_with(fence) && line.trim_matches(fence.chars().next().unwrap_or('`')).is_empty() {
                    self.open = None;
                }
                true
            }
            None => {
                self.open = fence(line);
                self.open.is_some()
            }
        }
    }
}

fn fence(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(mark).len();
    let inline = mark == '`' && line[length..].contains('`');
    (length >= 3 && !inline).then_some(&line[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_begins_under_the_last_heading_before_it() {
        let text = "Before.\n# One\ntext\n```\n# no heading\n```\n## Two ##\nmore";
        let bytes = ["Before", "# One", "text", "## Two", "more"].map(|word| text.find(word).unwrap());
        assert_eq!(headings_at(text, &bytes), ["", "", "One", "One", "Two"]);
    }
}
