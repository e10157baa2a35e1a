//! The same text, however it was saved: LF line ends, no control characters, no wide gaps.

pub(super) struct Normalised {
    pub text: String,
    /// Control characters removed, line ends, tabs, page breaks and byte order marks not counted.
    pub controls: usize,
}

/// Blank lines kept together at most: more say no more.
const GAP: usize = 2;

pub(super) fn normalise(text: String) -> Normalised {
    let mut clean = String::with_capacity(text.len());
    let (mut controls, mut blank) = (0, 0);
    for line in text.split(['\n', '\u{c}']) {
        // A lone CR is a line end of its own.
        for line in line.strip_suffix('\r').unwrap_or(line).split('\r') {
            let start = clean.len();
            for c in line.trim_end().chars() {
                match c {
                    '\u{feff}' => {}
                    c if c.is_control() && c != '\t' => controls += 1,
                    c => clean.push(c),
                }
            }
            let empty = clean[start..].trim().is_empty();
            blank = if empty { blank + 1 } else { 0 };
            if empty && (blank > GAP || start == 0) {
                clean.truncate(start);
            } else {
                clean.push('\n');
            }
        }
    }
    clean.truncate(clean.trim_end().len());
    Normalised { text: clean, controls }
}
