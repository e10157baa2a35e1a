//! A reader that ends at the end of each line, so that a line of any length can be parsed while being read.

use std::io::{self, BufRead, Read};

/// Gives consecutive lines to a JSON parser, and mends them: bad UTF-8 becomes U+FFFD, control characters become
/// spaces. JSON has no use for control characters, and its strings may not contain a raw line end, so a line that
/// breaks off can't harm the next.
pub(super) struct Lines<R> {
    input: R,
    /// The number of the line, from 1; 0 before the first.
    number: u64,
    /// The offset in `input`, in bytes.
    offset: u64,
    /// The start of a character that goes on in the next chunk.
    partial: Vec<u8>,
    mended: Vec<u8>,
    given: usize,
    line_done: bool,
    input_done: bool,
    mends: Mends,
}

/// Repairs made in a line.
#[derive(Default, Clone, Copy)]
pub(super) struct Mends {
    /// Offset in the file, in bytes from 0, of the first byte that isn't UTF-8.
    pub bad_utf8: Option<u64>,
    pub controls: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            offset: 0,
            partial: Vec::new(),
            mended: Vec::new(),
            given: 0,
            line_done: true,
            input_done: false,
            mends: Mends::default(),
        }
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn mends(&self) -> Mends {
        self.mends
    }

    /// Skips the rest of the current line and goes to the next line that isn't blank. Returns `false` at the end of the
    /// input.
    pub fn advance(&mut self) -> io::Result<bool> {
        loop {
            self.skip()?;
            if self.input_done || self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            self.number += 1;
            self.line_done = false;
            self.mends = Mends::default();
            if !self.skip_spaces()? {
                return Ok(true);
            }
        }
    }

    /// Drops the rest of the line.
    fn skip(&mut self) -> io::Result<()> {
        while !self.line_done {
            self.given = self.mended.len();
            self.fill()?;
        }
        self.mended.clear();
        self.given = 0;
        Ok(())
    }

    /// Skips white space. Returns true if the line has nothing else.
    fn skip_spaces(&mut self) -> io::Result<bool> {
        loop {
            let spaces = self.mended[self.given..].iter().take_while(|byte| **byte == b' ').count();
            self.given += spaces;
            if self.given < self.mended.len() {
                return Ok(false);
            }
            if self.line_done {
                return Ok(true);
            }
            self.fill()?;
        }
    }

    /// Mends the next chunk of the line. Called only when the previous chunk has been given in full.
    fn fill(&mut self) -> io::Result<()> {
        self.mended.clear();
        self.given = 0;
        let chunk = self.input.fill_buf()?;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        self.input_done = taken == 0;
        self.line_done = end.is_some() || self.input_done;
        let mut raw = std::mem::take(&mut self.partial);
        let start = self.offset - raw.len() as u64;
        raw.extend_from_slice(&chunk[..end.unwrap_or(taken)]);
        self.input.consume(taken);
        self.offset += taken as u64;
        let text = if start == 0 { raw.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&raw) } else { &raw };
        let start = start + (raw.len() - text.len()) as u64;
        self.mend(text, start);
        Ok(())
    }

    fn mend(&mut self, raw: &[u8], start: u64) {
        let mut at = 0;
        for chunk in raw.utf8_chunks() {
            self.mended.extend_from_slice(chunk.valid().as_bytes());
            at += chunk.valid().len();
            let bad = chunk.invalid();
            let cut_short = at + bad.len() == raw.len()
                && !self.line_done
                && std::str::from_utf8(bad).is_err_and(|error| error.error_len().is_none());
            if cut_short {
                self.partial = bad.to_vec();
            } else if !bad.is_empty() {
                self.mended.extend_from_slice("\u{fffd}".as_bytes());
                self.mends.bad_utf8.get_or_insert(start + at as u64);
            }
            at += bad.len();
        }
        for byte in self.mended.iter_mut().filter(|byte| **byte < b' ') {
            self.mends.controls += u64::from(!matches!(*byte, b'\t' | b'\r'));
            *byte = b' ';
        }
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.mended.len() && !self.line_done {
            self.fill()?;
        }
        let rest = &self.mended[self.given..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_end_where_they_end_however_the_input_is_chunked() {
        let input = b"\xef\xbb\xbf{\"a\":\t\"\xe6\x96\x87\"}\r\n \n\nb\xffad\n\xe6\x96";
        for capacity in 1..input.len() {
            let mut lines = Lines::new(BufReader::with_capacity(capacity, &input[..]));
            let mut read = Vec::new();
            while lines.advance().unwrap() {
                let mut line = String::new();
                lines.read_to_string(&mut line).unwrap();
                read.push((lines.number(), line.trim_end().to_owned(), lines.mends().bad_utf8));
            }
            let expected = [
                (1, "{\"a\": \"文\"}".to_owned(), None),
                (4, "b\u{fffd}ad".to_owned(), Some(21)),
                (5, "\u{fffd}".to_owned(), Some(25)),
            ];
            assert_eq!(read, expected, "with chunks of {capacity}");
        }
    }
}
