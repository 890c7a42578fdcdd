//! A component's output: line by line to our own standard error, with its name before each.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::component::{ComponentId, Reason};

/// Longer lines are broken.
const LONGEST: usize = 8 * 1024;

/// The last thing a component said, or a thing that surely ended it.
#[derive(Clone, Debug, Default)]
pub struct LastWords(Arc<Mutex<Option<Reason>>>);

impl LastWords {
    /// What its end means, beside `how` it came.
    #[must_use]
    pub fn after(&self, how: String) -> String {
        match self.0.lock().ok().and_then(|words| words.clone()) {
            None => how,
            Some(Reason::Perhaps(line)) => {
                let line: String = line.chars().take(240).collect();
                format!("{how}; it last said: {line}")
            }
            Some(Reason::Surely(what)) => what.to_owned(),
        }
    }

    fn hear(&self, id: ComponentId, line: &str) {
        if let Ok(mut words) = self.0.lock()
            && !matches!(*words, Some(Reason::Surely(_)))
        {
            *words = Some(Reason::of(id, line));
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
    words.hear(id, line);
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
    use super::{LONGEST, LastWords, whole_lines};
    use crate::component::ComponentId;

    #[test]
    fn a_reason_that_is_sure_outlives_what_is_said_after_it() {
        let words = LastWords::default();
        let end = |words: &LastWords| words.after("exit status: 1".to_owned());
        assert_eq!(end(&words), "exit status: 1");
        words.hear(ComponentId::Etcd, "no space left");
        assert_eq!(end(&words), "exit status: 1; it last said: no space left");
        words.hear(ComponentId::Etcd, "server error: the member has been permanently removed from the cluster");
        words.hear(ComponentId::Etcd, "bye");
        assert!(end(&words).starts_with("this controller was taken out of etcd"));
    }

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
