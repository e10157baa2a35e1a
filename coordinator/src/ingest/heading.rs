//! Headings and fenced code: the little of Markdown's shape that several readers need, line by line.

/// Level, 1 to 6, and words of a `# heading`.
pub(super) fn atx(line: &str) -> Option<(usize, &str)> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    if !(1..=6).contains(&level) || !words.starts_with([' ', '\t']) {
        return None;
    }
    Some((level, words.trim().trim_end_matches('#').trim_end())).filter(|(_, words)| !words.is_empty())
}

/// Whether a line underlines the one before it as a heading, and with which character.
pub(super) fn underline(line: &str) -> Option<char> {
    let line = line.trim_end();
    let first = line.chars().next().filter(|first| "=-~^".contains(*first))?;
    (line.len() >= 3 && line.chars().all(|c| c == first)).then_some(first)
}

/// Follows fenced code through the lines of a text.
#[derive(Default)]
pub(super) struct Fences<'t> {
    open: Option<&'t str>,
}

impl<'t> Fences<'t> {
    /// Whether the next line belongs to fenced code that has begun.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether `line` belongs to fenced code, the fences themselves included.
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
