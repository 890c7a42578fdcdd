//! Reading data files: TOML, every key known, errors with line and nearest key.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use skerry_formats::hint;

use crate::{
    fsx::{self, FsError},
    report::Explain,
};

/// A data file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Its text is not what it must be.
    #[error("{}:{line}: {message}", .path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong, on one line.
        message: String,
        /// The nearest known key, or other advice.
        hint: Option<String>,
    },
    /// It names something that is not there.
    #[error("{}: unknown {what}: `{word}`", .path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What kind of thing.
        what: &'static str,
        /// The word used.
        word: String,
        /// The nearest known one, or the list of all.
        hint: Option<String>,
    },
}

impl Explain for DataError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fs(_) => None,
            Self::Bad { hint, .. } | Self::Unknown { hint, .. } => hint.clone(),
        }
    }

    fn exit_code(&self) -> u8 {
        2
    }
}

impl Explain for skerry_formats::name::BadName {
    fn exit_code(&self) -> u8 {
        2
    }
}

/// Reads a TOML file.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    parse(path, &fsx::read_to_string(path)?)
}

/// Reads TOML text; `path` is for the error.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, DataError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        DataError::Bad { path: path.to_owned(), line, hint: nearest_key(&message), message }
    })
}

/// Advice for a misspelt word: the nearest known one, else all of them.
pub fn advice<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(near) = hint::nearest(word, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
    (!all.is_empty()).then(|| format!("known: {}", all.join(", ")))
}

/// Serde names the unknown key first and the known ones behind it, all in backticks.
fn nearest_key(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let key = words.next()?;
    let near = hint::nearest(key, words)?;
    Some(format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Sample {
        title: String,
        packages: Vec<String>,
    }

    #[test]
    fn a_misspelt_key_names_line_and_nearest_key() {
        let error = parse::<Sample>(Path::new("a.toml"), "title = \"x\"\npakages = []\n").unwrap_err();
        assert_eq!(error.to_string(), "a.toml:2: unknown field `pakages`, expected `title` or `packages`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `packages`?"));
    }
}
