//! The only place that starts processes.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use skerry_qemu::{Deadline, clock};

use crate::{Broken, Check};

/// What a program left.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Standard output, if the program succeeded.
    ///
    /// # Errors
    /// With the program's last words, if it did not.
    pub fn success(self) -> Check<String> {
        match self.code {
            Some(0) => Ok(self.stdout),
            code => {
                let said = format!("{}{}", self.stdout, self.stderr);
                let lines: Vec<&str> = said.lines().collect();
                let tail = lines[lines.len().saturating_sub(8)..].join("\n");
                Err(Broken(format!("exit code {}: {tail}", code.map_or("none".to_owned(), |code| code.to_string()))))
            }
        }
    }
}

/// A program to run to its end within a limit.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Vec<u8>,
    limit: Duration,
}

impl Program {
    /// A program that may take two minutes.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(program), input: vec![], limit: Duration::from_secs(120) }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Takes all variables away.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// Sets the working folder.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// What it reads on standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it with all its output in `log`; it goes on beside us.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn background(mut self, log: &Path) -> Check<Background> {
        let name = format!("could not start `{}`", self.command.get_program().to_string_lossy());
        let file = File::create(log).map_err(Broken::when(&name))?;
        let copy = file.try_clone().map_err(Broken::when(&name))?;
        self.command.stdin(Stdio::null()).stdout(copy).stderr(file).process_group(0);
        let child = self.command.spawn().map_err(Broken::when(&name))?;
        Ok(Background { child, log: File::open(log).map_err(Broken::when(&name))? })
    }

    /// Runs it; its failure is in the result.
    ///
    /// # Errors
    /// If it cannot be started or takes too long.
    pub fn finish(mut self) -> Check<Finished> {
        let io = Broken::when::<std::io::Error>("could not run a program");
        let mut input = tempfile::tempfile().map_err(&io)?;
        input.write_all(&self.input).and_then(|()| input.rewind()).map_err(&io)?;
        let (mut stdout, mut stderr) = (tempfile::tempfile().map_err(&io)?, tempfile::tempfile().map_err(&io)?);
        self.command.stdin(input);
        self.command.stdout(stdout.try_clone().map_err(&io)?).stderr(stderr.try_clone().map_err(&io)?);
        let name = format!("could not run `{}`", self.command.get_program().to_string_lossy());
        let mut child = self.command.spawn().map_err(Broken::when(&name))?;
        let deadline = Deadline::after(self.limit);
        let code = loop {
            match child.try_wait().map_err(&io)? {
                Some(status) => break status.code(),
                None if deadline.passed() => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Broken(format!("{name} to its end within {} s", self.limit.as_secs())));
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        Ok(Finished { code, stdout: content(&mut stdout)?, stderr: content(&mut stderr)? })
    }
}

fn content(file: &mut File) -> Check<String> {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut bytes))
        .map_err(Broken::when("could not read a program's output"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A program that goes on beside us; interrupted, then killed, when dropped.
#[derive(Debug)]
pub struct Background {
    child: Child,
    log: File,
}

impl Background {
    /// Starts a program with all its output in `log`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(program: &Path, args: &[&OsStr], log: &Path) -> Check<Self> {
        Program::new(program).args(args).background(log)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has printed a line that contains `text`; returns the line.
    ///
    /// # Errors
    /// If it ends before, or the deadline passes.
    pub fn line_with(&mut self, text: &str, deadline: Deadline) -> Check<String> {
        loop {
            let ended = self.child.try_wait().map_err(Broken::when("could not wait"))?;
            let said = content(&mut self.log)?;
            if let Some(line) = said.lines().find(|line| line.contains(text)) {
                return Ok(line.to_owned());
            }
            let why = match ended {
                Some(status) => format!("it ended first ({status})"),
                None if deadline.passed() => format!("not within {} s", deadline.limit().as_secs()),
                None => {
                    clock::pause();
                    continue;
                }
            };
            return Err(Broken(format!("waited for `{text}`: {why}; it said:\n{}", said.trim_end())));
        }
    }

    /// Presses Ctrl-C and waits for the end; returns the exit code.
    ///
    /// # Errors
    /// If it has not ended by then.
    pub fn interrupt(&mut self, deadline: Deadline) -> Check<Option<i32>> {
        skerry_qemu::process::interrupt(self.child.id());
        loop {
            match self.child.try_wait().map_err(Broken::when("could not wait"))? {
                Some(status) => return Ok(status.code()),
                None if deadline.passed() => return Err(Broken::new("it does not end on Ctrl-C")),
                None => clock::pause(),
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.interrupt(Deadline::seconds(120)).is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
