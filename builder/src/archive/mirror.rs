//! Where packages come from. A mirror is never written down in the repository or in the lock.
//!
//! Precedence: flag, `SKERRY_MIRROR`, the host's apt sources, else an error that names the flag.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{apt::Source, suite::Suite};
use crate::{fsx, report::Explain};

/// The top folder of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// An address that starts with `http://` or `https://`, without a slash at the end.
    Http(String),
    /// A folder, such as `skerry vendor` makes.
    Folder(PathBuf),
}

/// The archive and the archive of security updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Release and updates.
    pub main: Location,
    /// Security updates.
    pub security: Location,
}

/// What the person, the environment and the host say about mirrors.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// `--mirror`.
    pub flag: Option<String>,
    /// `--mirror-security`.
    pub security_flag: Option<String>,
    /// `SKERRY_MIRROR`.
    pub variable: Option<String>,
    /// `SKERRY_MIRROR_SECURITY`.
    pub security_variable: Option<String>,
    /// The host's apt sources.
    pub apt: Vec<Source>,
}

/// No mirror, or not a usable one.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MirrorError {
    /// Nothing names one.
    #[error(
        "no Debian mirror is known: no `--mirror`, no `SKERRY_MIRROR`, no Debian archive in the host's apt sources"
    )]
    None,
    /// It is of a kind that cannot be read from.
    #[error("cannot read from mirror `{0}`")]
    Scheme(String),
}

impl Explain for MirrorError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::None => "give one: `--mirror http://HOST/debian`, or a folder made by `skerry vendor`".to_owned(),
            Self::Scheme(_) => "a mirror is `http://…`, `https://…`, `file://…` or a folder".to_owned(),
        })
    }

    fn exit_code(&self) -> u8 {
        2
    }
}

impl Mirror {
    /// The mirror that the given flags, the environment and the host's apt sources name.
    ///
    /// # Errors
    /// If nothing names one.
    pub fn find(flag: Option<&str>, security_flag: Option<&str>) -> Result<Self, MirrorError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::choose(&Choice {
            flag: flag.map(str::to_owned),
            security_flag: security_flag.map(str::to_owned),
            variable: variable("SKERRY_MIRROR"),
            security_variable: variable("SKERRY_MIRROR_SECURITY"),
            apt: super::apt::read(Path::new("/etc/apt")).unwrap_or_default(),
        })
    }

    /// The mirror that a choice comes to.
    ///
    /// # Errors
    /// If nothing names one, or what does cannot be read from.
    pub fn choose(choice: &Choice) -> Result<Self, MirrorError> {
        let named = choice.flag.as_ref().or(choice.variable.as_ref());
        let found = choice.apt.iter().find(|source| source.is_debian()).map(|source| &source.uri);
        let main: Location = named.or(found).ok_or(MirrorError::None)?.parse()?;
        let security_named = choice.security_flag.as_ref().or(choice.security_variable.as_ref());
        // The host's security mirror belongs to the host's main mirror, not to one that was named.
        let security_found = choice.apt.iter().find(|source| source.is_security() && named.is_none());
        let security = match security_named.or(security_found.map(|source| &source.uri)) {
            Some(text) => text.parse()?,
            None => main.security_by_convention(),
        };
        Ok(Self { main, security })
    }

    /// The archive that a suite lies in.
    #[must_use]
    pub const fn of(&self, suite: Suite) -> &Location {
        match suite {
            Suite::Release | Suite::Updates => &self.main,
            Suite::Security => &self.security,
        }
    }
}

impl Location {
    /// A folder of `skerry vendor` holds all suites; otherwise security updates lie beside, in `debian-security`.
    fn security_by_convention(&self) -> Self {
        match self {
            Self::Http(uri) => {
                let above = uri.rsplit_once('/').map_or(uri.as_str(), |(above, _)| above);
                Self::Http(format!("{above}/debian-security"))
            }
            Self::Folder(folder) if is_there(&folder.join(Suite::Security.inrelease_path())) => self.clone(),
            Self::Folder(folder) => Self::Folder(folder.with_file_name("debian-security")),
        }
    }
}

fn is_there(path: &Path) -> bool {
    fsx::size(path).is_ok_and(|size| size.is_some())
}

impl std::str::FromStr for Location {
    type Err = MirrorError;

    fn from_str(text: &str) -> Result<Self, MirrorError> {
        let trimmed = text.trim_end_matches('/');
        if trimmed.starts_with("http://") || trimmed.starts_with("https://") {
            return Ok(Self::Http(trimmed.to_owned()));
        }
        match text.split_once("://") {
            Some(("file", path)) => Ok(Self::Folder(PathBuf::from(path))),
            Some(_) => Err(MirrorError::Scheme(text.to_owned())),
            None => Ok(Self::Folder(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(uri) => f.write_str(uri),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{archive::apt, report::print_error};

    fn apt() -> Vec<Source> {
        apt::parse_lines("deb http://a/debian x main\ndeb http://s/debian-security x-security main\n")
    }

    #[test]
    fn the_flag_wins_over_the_variable_over_the_host() {
        let mut choice = Choice { apt: apt(), ..Choice::default() };
        let mirror = |choice: &Choice| {
            let mirror = Mirror::choose(choice).unwrap();
            (mirror.main.to_string(), mirror.security.to_string())
        };
        let pair = |main: &str, security: &str| (main.to_owned(), security.to_owned());
        assert_eq!(mirror(&choice), pair("http://a/debian", "http://s/debian-security"));
        choice.variable = Some("http://b/debian/".to_owned());
        assert_eq!(mirror(&choice), pair("http://b/debian", "http://b/debian-security"));
        choice.flag = Some("file:///c/debian".to_owned());
        assert_eq!(mirror(&choice), pair("/c/debian", "/c/debian-security"));
        choice.security_flag = Some("https://d/sec".to_owned());
        assert_eq!(mirror(&choice), pair("/c/debian", "https://d/sec"));
    }

    #[test]
    fn no_mirror_names_the_flag() {
        let error = Mirror::choose(&Choice::default()).unwrap_err();
        assert_eq!(print_error(&error), include_str!("../../golden/archive/no-mirror.txt"));
    }

    #[test]
    fn a_foreign_scheme_is_rejected() {
        let choice = Choice { flag: Some("ftp://x/debian".to_owned()), ..Choice::default() };
        assert_eq!(Mirror::choose(&choice), Err(MirrorError::Scheme("ftp://x/debian".to_owned())));
    }
}
