//! Normalises a text, however it was saved: LF line ends, no control characters, no wide gaps.

pub(super) struct Normalised {
    pub text: String,
    /// The given marks, moved to the matching bytes of the clean text.
    pub marks: Vec<usize>,
    /// The number of control characters removed. Line ends, tabs, page breaks and byte order marks don't count.
    pub controls: usize,
}

/// The most consecutive blank lines kept.
const GAP: usize = 2;

/// Cleans a text. `marks` are bytes of the text, ascending.
pub(super) fn normalise(text: String, marks: &[usize]) -> Normalised {
    let mut clean = String::with_capacity(text.len());
    let (mut controls, mut blank) = (0, 0);
    let (mut moved, mut read) = (Vec::with_capacity(marks.len()), 0);
    for line in text.split(['\n', '\u{c}']) {
        // A lone CR is a line end of its own.
        let without_return = line.strip_suffix('\r').unwrap_or(line);
        let return_length = line.len() - without_return.len();
        for line in without_return.split('\r') {
            let start = clean.len();
            for (at, c) in line.trim_end().char_indices() {
                while marks.get(moved.len()).is_some_and(|mark| *mark <= read + at) {
                    moved.push(clean.len());
                }
                match c {
                    '\u{feff}' => {}
                    c if c.is_control() && c != '\t' => controls += 1,
                    c => clean.push(c),
                }
            }
            read += line.len() + 1;
            let empty = clean[start..].trim().is_empty();
            blank = if empty { blank + 1 } else { 0 };
            if empty && (blank > GAP || start == 0) {
                clean.truncate(start);
            } else {
                clean.push('\n');
            }
        }
        read += return_length;
    }
    clean.truncate(clean.trim_end().len());
    moved.iter_mut().for_each(|mark| *mark = (*mark).min(clean.len()));
    moved.resize(marks.len(), clean.len());
    Normalised { text: clean, marks: moved, controls }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_move_with_the_text_they_stand_at() {
        let text = "\n\n\n\nOne\u{1} page  \r\nends here.\u{c}\n\n\n\n\nThe next begins.";
        let marks = ["page", "ends", "The next"].map(|word| text.find(word).unwrap());
        let Normalised { text: clean, marks, .. } = normalise(text.to_owned(), &marks);
        assert_eq!(marks, ["page", "ends", "The next"].map(|word| clean.find(word).unwrap()));
        assert_eq!(normalise("end".to_owned(), &[3]).marks, [3]);
    }
}
