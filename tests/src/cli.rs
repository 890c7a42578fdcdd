//! The host tool as a newcomer's shell runs it: an empty home, an empty cache, no variables; its words against golden files.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use skerry_qemu::files;

use crate::{
    Broken, Check,
    process::{Finished, Program},
};

/// The host tool in a home of its own.
#[derive(Debug)]
pub struct Cli {
    home: tempfile::TempDir,
    tool: PathBuf,
}

impl Cli {
    /// The host tool: `SKERRY_BIN`, else `skerry` in the folder of this build.
    ///
    /// # Errors
    /// If there is none.
    pub fn new() -> Check<Self> {
        let home = tempfile::tempdir().map_err(Broken::when("no home"))?;
        Ok(Self { home, tool: host_tool()? })
    }

    /// The home folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The tool with nothing in its environment but `PATH` and the home, standing in the home.
    #[must_use]
    pub fn program(&self, args: &[&str]) -> Program {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let bare = Program::new(&self.tool).bare().env("PATH", path).env("HOME", self.home()).env("LC_ALL", "C.UTF-8");
        bare.env("NO_COLOR", "1").dir(self.home()).args(args).limit(Duration::from_secs(300))
    }

    /// Runs the tool on this checkout's catalogue.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn run(&self, args: &[&str]) -> Check<Finished> {
        self.program(args).env("SKERRY_SOURCE", source()).finish()
    }

    /// All that a run said, as it is compared: exit code, both streams, paths and times replaced.
    #[must_use]
    pub fn transcript(&self, finished: &Finished) -> String {
        let code = finished.code.map_or("none".to_owned(), |code| code.to_string());
        let mut text = format!("exit code: {code}\n");
        for (name, stream) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", stream.trim_end()));
            }
        }
        let text =
            text.replace(&*self.home().to_string_lossy(), "HOME").replace(&*source().to_string_lossy(), "SOURCE");
        times(&text)
    }
}

/// Compares with a golden file under `tests/golden`; `SKERRY_BLESS=1` writes it instead.
///
/// # Errors
/// With both texts, if they differ.
pub fn golden(name: &str, text: &str) -> Check {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("SKERRY_BLESS").is_some() {
        return files::write(&path, text.as_bytes()).map_err(Broken::when("no golden file"));
    }
    let wanted = files::read_text(&path).map_err(Broken::when("no golden file"))?;
    if wanted == text { Ok(()) } else { Err(Broken(format!("`{name}` differs; wanted:\n{wanted}\ngot:\n{text}"))) }
}

/// This checkout.
#[must_use]
pub fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// The host tool: `SKERRY_BIN`, else `skerry` in the folder of this build.
///
/// # Errors
/// If there is none.
pub fn host_tool() -> Check<PathBuf> {
    let own = std::env::current_exe().map_err(Broken::when("who am I"))?;
    let near = own.ancestors().skip(1).take(2).map(|folder| folder.join("skerry"));
    let named = std::env::var_os("SKERRY_BIN").map(PathBuf::from);
    named.into_iter().chain(near).find(|path| path.is_file()).ok_or_else(|| {
        Broken::new("no host tool: build it with `cargo build --release -p skerry`, or name it in SKERRY_BIN")
    })
}

/// Replaces the numbers in `12.3 s` and `45 ms` by `N`.
fn times(text: &str) -> String {
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        for at in 1..words.len() {
            let unit = words[at].trim_matches(|c: char| !c.is_alphanumeric());
            if matches!(unit, "s" | "ms") && plain(words[at - 1].trim_start_matches('(')) {
                words[at - 1] = "N";
            }
        }
        words.join(" ")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_replaced_and_other_numbers_stay() {
        assert_eq!(times("fetch 12 packages 3.4 s\nv1.2 s (7 ms)"), "fetch 12 packages N s\nv1.2 s N ms)");
    }
}
