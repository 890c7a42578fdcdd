//! Programs that are talked with: what they answer is judged by who asked.

#![expect(clippy::disallowed_methods, reason = "a part of the one place that starts processes")]

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{super::fs, ProcessError};

/// What a program reads.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Nothing.
    Nothing,
    /// A short text.
    Text(&'a str),
    /// A file's content.
    File(&'a Path),
}

/// What became of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

/// Runs a program to its end, whatever it comes to.
///
/// # Errors
/// If it cannot be started or waited for, or its input cannot be opened.
pub fn converse(argv: &[String], input: Input<'_>) -> Result<Said, ProcessError> {
    let (program, failed) = begin(argv);
    let mut command = Command::new(&program);
    command.args(argv.iter().skip(1)).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(match input {
        Input::Nothing => Stdio::null(),
        Input::Text(_) => Stdio::piped(),
        Input::File(path) => {
            let opened = fs::open(path).map_err(|error| failed(io::Error::other(error)))?;
            Stdio::from(opened)
        }
    });
    let mut child = command.spawn().map_err(failed)?;
    if let (Input::Text(text), Some(mut stdin)) = (input, child.stdin.take()) {
        // Who does not read it ends, and says why.
        let _told_by_its_end = stdin.write_all(text.as_bytes());
    }
    let out = child.wait_with_output().map_err(failed)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { code: out.status.code(), out: text(&out.stdout), err: text(&out.stderr) })
}

/// Runs a program that talks with whoever runs us, to its end.
///
/// # Errors
/// If it cannot be started or exits with anything but 0.
pub fn interact(argv: &[String]) -> Result<(), ProcessError> {
    let (program, failed) = begin(argv);
    let status = Command::new(&program).args(argv.iter().skip(1)).status().map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    Err(ProcessError::Failed { program, status: status.to_string(), tail: "nothing was changed".to_owned() })
}

fn begin(argv: &[String]) -> (PathBuf, impl Fn(io::Error) -> ProcessError + Copy + '_) {
    let program = argv.first().map(String::as_str).unwrap_or_default();
    (program.into(), move |source| ProcessError::Start { program: program.into(), source })
}

/// A program that runs for as long as this value lives: it is to end with its input.
#[derive(Debug)]
pub struct Session {
    child: Child,
    lines: BufReader<ChildStdout>,
    errors: Option<JoinHandle<String>>,
}

impl Session {
    /// Starts it.
    ///
    /// # Errors
    /// If it cannot be executed.
    pub fn start(argv: &[String]) -> Result<Self, ProcessError> {
        let (program, failed) = begin(argv);
        let mut command = Command::new(&program);
        command.args(argv.iter().skip(1)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let taken = child.stdout.take().zip(child.stderr.take());
        let (out, mut err) = taken.ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _what_there_is = err.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Ok(Self { child, lines: BufReader::new(out), errors: Some(errors) })
    }

    /// The next line that it says; `None` once it says no more.
    pub fn line(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        self.lines.read_until(b'\n', &mut bytes).ok().filter(|count| *count > 0)?;
        Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// What it wrote to standard error, once it has ended.
    pub fn errors(mut self) -> String {
        drop(self.child.stdin.take());
        let _its_errors_say_more = self.child.wait();
        self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default()
    }
}

impl Drop for Session {
    /// It has two seconds to end in order.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        for _ in 0..40 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _gone_already = self.child.kill();
        let _nothing_to_tell = self.child.wait();
    }
}
