//! A component's output: line by line to our own standard error, with its name before each.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::component::ComponentId;

/// Longer lines are broken.
const LONGEST: usize = 8 * 1024;

/// The last thing a component said, as the likeliest reason for its end.
#[derive(Clone, Debug, Default)]
pub struct LastWords(Arc<Mutex<String>>);

impl LastWords {
    /// What it said last.
    #[must_use]
    pub fn get(&self) -> String {
        self.0.lock().map(|words| words.clone()).unwrap_or_default()
    }

    fn set(&self, line: &str) {
        if let Ok(mut words) = self.0.lock() {
            words.clear();
            words.extend(line.chars().take(240));
        }
    }
}

/// Copies a stream to its end.
pub async fn pump(id: ComponentId, mut stream: impl AsyncRead + Unpin, words: LastWords) {
    let mut pending = Vec::new();
    let mut chunk = [0_u8; 2048];
    while let Ok(count) = stream.read(&mut chunk).await {
        if count == 0 {
            break;
        }
        pending.extend_from_slice(&chunk[..count]);
        for line in whole_lines(&mut pending) {
            say(id, &line, &words);
        }
    }
    if !pending.is_empty() {
        say(id, &String::from_utf8_lossy(&pending), &words);
    }
}

fn say(id: ComponentId, line: &str, words: &LastWords) {
    if line.trim().is_empty() {
        return;
    }
    words.set(line);
    // Nobody is left to be told that our own output is gone.
    let _ = writeln!(std::io::stderr().lock(), "component={id} {line}");
}

fn whole_lines(pending: &mut Vec<u8>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(end) = pending.iter().position(|byte| *byte == b'\n').or(cap(pending)) {
        let line: Vec<u8> = pending.drain(..=end).collect();
        lines.push(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned());
    }
    lines
}

const fn cap(pending: &[u8]) -> Option<usize> {
    if pending.len() >= LONGEST { Some(LONGEST - 1) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, whole_lines};

    #[test]
    fn only_whole_lines_are_said() {
        let mut pending = b"one\ntwo\r\nthr".to_vec();
        assert_eq!(whole_lines(&mut pending), ["one", "two"]);
        assert_eq!(pending, b"thr");
    }

    #[test]
    fn an_endless_line_is_broken_so_that_memory_stays_bounded() {
        let mut pending = vec![b'x'; 3 * LONGEST + 5];
        assert_eq!(whole_lines(&mut pending).len(), 3);
        assert_eq!(pending.len(), 5);
    }
}
