//! The console: a log file that grows, read as plain text.

use std::{
    fs::File,
    io::{self, Read as _},
};

/// Removes terminal control sequences from a stream that arrives in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    Text,
    Started,
    Sequence,
    Command,
}

impl Escape {
    /// The state after a byte, and whether the byte is text.
    const fn step(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (_, 0x1b) => (Self::Started, false),
            (Self::Text, b'\n' | b'\t' | 0x20..=0x7e | 0x80..) => (Self::Text, true),
            (Self::Started, b'[') => (Self::Sequence, false),
            (Self::Started, b']') => (Self::Command, false),
            (Self::Sequence, 0x20..=0x3f) => (Self::Sequence, false),
            (Self::Command, 0x20..=0x7e | 0x80..) => (Self::Command, false),
            _ => (Self::Text, false),
        }
    }
}

/// Follows a console log.
#[derive(Debug)]
pub struct Serial {
    file: File,
    escape: Escape,
    text: Vec<u8>,
    seen: usize,
    shown: usize,
}

impl Serial {
    /// Follows a log from where the file stands.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { file, escape: Escape::Text, text: Vec::new(), seen: 0, shown: 0 }
    }

    /// Takes in what was printed since the last call.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn poll(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        for byte in bytes {
            let (next, text) = self.escape.step(byte);
            self.escape = next;
            if text {
                self.text.push(byte);
            }
        }
        Ok(())
    }

    /// Looks for the first of `patterns` behind what was found before; the search goes on behind the line it is in.
    ///
    /// Returns the pattern's place in the list and the whole line, which may still grow.
    pub fn find(&mut self, patterns: &[&str]) -> Option<(usize, String)> {
        let fresh = &self.text[self.seen..];
        let hit = |pattern: &&str| fresh.windows(pattern.len().max(1)).position(|part| part == pattern.as_bytes());
        let (number, at) = patterns
            .iter()
            .enumerate()
            .filter_map(|(number, pattern)| hit(pattern).map(|at| (number, at)))
            .min_by_key(|(_, at)| *at)?;
        let start = fresh[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let end = fresh[at..].iter().position(|byte| *byte == b'\n');
        let line = String::from_utf8_lossy(&fresh[start..end.map_or(fresh.len(), |end| at + end)]).into_owned();
        self.seen += end.map_or(at + patterns[number].len(), |end| at + end + 1);
        Some((number, line))
    }

    /// Whole lines that no call returned yet.
    pub fn lines(&mut self) -> Vec<String> {
        let fresh = &self.text[self.shown..];
        let Some(end) = fresh.iter().rposition(|byte| *byte == b'\n') else { return vec![] };
        let lines = String::from_utf8_lossy(&fresh[..end]).split('\n').map(str::to_owned).collect();
        self.shown += end + 1;
        lines
    }

    /// The last `count` lines printed so far, for error messages.
    #[must_use]
    pub fn tail(&self, count: usize) -> String {
        let start = self.text.len().saturating_sub(64 * 1024);
        let text = String::from_utf8_lossy(&self.text[start..]);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// All text printed so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// Leaves everything printed so far behind: only what comes later is found.
    pub fn skip(&mut self) {
        self.seen = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn console() -> (tempfile::NamedTempFile, Serial) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let serial = Serial::new(file.reopen().unwrap());
        (file, serial)
    }

    #[test]
    fn colours_split_over_reads_do_not_hide_a_pattern() {
        let (mut log, mut serial) = console();
        log.write_all(b"[\x1b[0;3").unwrap();
        serial.poll().unwrap();
        log.write_all(b"2m  OK  \x1b[0m] Sta\x1b]8;;x\x07rted\x1b[K\r\n").unwrap();
        serial.poll().unwrap();
        assert_eq!(serial.find(&["OK  ] Started"]), Some((0, "[  OK  ] Started".to_owned())));
        assert_eq!(serial.lines(), ["[  OK  ] Started"]);
    }

    #[test]
    fn search_goes_on_behind_the_last_hit() {
        let (mut log, mut serial) = console();
        log.write_all(b"one ready\ntwo ready\nthree").unwrap();
        serial.poll().unwrap();
        assert_eq!(serial.find(&["never", "ready"]).unwrap().1, "one ready");
        assert_eq!(serial.find(&["three", "ready"]), Some((1, "two ready".to_owned())));
        assert_eq!(serial.find(&["ready"]), None);
        assert_eq!(serial.find(&["thr"]), Some((0, "three".to_owned())));
    }

    #[test]
    fn a_line_without_its_end_is_not_handed_out_yet() {
        let (mut log, mut serial) = console();
        log.write_all(b"a\nb").unwrap();
        serial.poll().unwrap();
        assert_eq!(serial.lines(), ["a"]);
        log.write_all(b"c\n").unwrap();
        serial.poll().unwrap();
        assert_eq!(serial.lines(), ["bc"]);
        assert!(serial.lines().is_empty());
    }
}
