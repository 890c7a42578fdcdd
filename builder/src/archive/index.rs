//! A component's index of packages, read as a stream: of each stanza only what is needed is kept.

use std::io::{self, BufRead, Read};

use skerry_formats::digest::Digest;

use super::{
    deb822::{self, BadStanza},
    name::{PackageArch, PackageName},
    suite::Suite,
    version::Version,
};

/// An index may unpack to this much; the largest seen has 56 MB.
const LARGEST: u64 = 512 << 20;
/// A stanza may have this much; the largest seen has 50 kB.
const LARGEST_STANZA: usize = 1 << 20;

/// How much a package is part of every system; decides among several that provide the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A system does not work without.
    Required,
    /// Expected on every system.
    Important,
    /// On an ordinary system.
    Standard,
    /// The rest.
    Optional,
}

/// One package file that the archive offers. Relations are kept as text, as few of them are ever looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its architecture.
    pub arch: PackageArch,
    /// The suite that offers it.
    pub suite: Suite,
    /// Its path from the top of the mirror.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its priority.
    pub priority: Priority,
    /// `Pre-Depends` and `Depends`.
    pub depends: String,
    /// `Provides`.
    pub provides: String,
    /// `Conflicts` and `Breaks`.
    pub conflicts: String,
}

/// An index that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It ends early, or its compression is damaged.
    #[error("cannot read it to the end")]
    Read(#[from] io::Error),
    /// It is larger than an index may be.
    #[error("it is larger than an index may be")]
    TooLarge,
    /// A stanza is no stanza.
    #[error(transparent)]
    Stanza(#[from] BadStanza),
    /// A field of a package is missing or not understood.
    #[error("package `{package}`: field `{field}` is missing or not understood")]
    Field {
        /// The package, as far as it is known.
        package: String,
        /// The field.
        field: &'static str,
    },
}

/// Reads an index packed as `.xz`.
///
/// # Errors
/// If it is damaged, too large, or a package lacks what is needed.
pub fn read_xz(suite: Suite, from: impl Read) -> Result<Vec<Record>, IndexError> {
    read(suite, liblzma::read::XzDecoder::new_multi_decoder(from))
}

/// Reads an index that is not packed.
///
/// # Errors
/// If it is damaged, too large, or a package lacks what is needed.
pub fn read(suite: Suite, from: impl Read) -> Result<Vec<Record>, IndexError> {
    let mut lines = io::BufReader::with_capacity(1 << 16, from.take(LARGEST + 1));
    let (mut records, mut stanza, mut total) = (Vec::new(), String::new(), 0);
    loop {
        let before = stanza.len();
        let count = lines.by_ref().take(LARGEST_STANZA as u64).read_line(&mut stanza)?;
        total += count as u64;
        if total > LARGEST || stanza.len() > LARGEST_STANZA {
            return Err(IndexError::TooLarge);
        }
        let ends = count == 0 || stanza[before..].trim().is_empty();
        if ends && !stanza.trim().is_empty() {
            records.extend(record(suite, &stanza)?);
        }
        if ends {
            stanza.clear();
        }
        if count == 0 {
            return Ok(records);
        }
    }
}

/// One stanza; `None` for an architecture that no image has.
fn record(suite: Suite, stanza: &str) -> Result<Option<Record>, IndexError> {
    let fields = deb822::fields(stanza)?;
    let text = |name| deb822::value(&fields, name).unwrap_or_default();
    let package = text("Package");
    let bad = |field| IndexError::Field { package: package.chars().take(80).collect(), field };
    let Some(arch) = PackageArch::from_word(text("Architecture")) else { return Ok(None) };
    let path = text("Filename");
    if !path.starts_with("pool/") || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(bad("Filename"));
    }
    Ok(Some(Record {
        name: package.parse().map_err(|_| bad("Package"))?,
        version: text("Version").parse().map_err(|_| bad("Version"))?,
        arch,
        suite,
        path: path.to_owned(),
        size: text("Size").parse().map_err(|_| bad("Size"))?,
        digest: text("SHA256").parse().map_err(|_| bad("SHA256"))?,
        priority: priority(text("Priority")),
        depends: joined(text("Pre-Depends"), text("Depends")),
        provides: text("Provides").to_owned(),
        conflicts: joined(text("Conflicts"), text("Breaks")),
    }))
}

fn joined(first: &str, second: &str) -> String {
    match (first, second) {
        ("", text) | (text, "") => text.to_owned(),
        (first, second) => format!("{first}, {second}"),
    }
}

fn priority(word: &str) -> Priority {
    match word {
        "required" => Priority::Required,
        "important" => Priority::Important,
        "standard" => Priority::Standard,
        _ => Priority::Optional,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "Package: ab\nVersion: 1\nArchitecture: all\nFilename: pool/main/a/ab/ab_1_all.deb\nSize: 3\n\
                       SHA256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nPre-Depends: x1\nDepends: y1\n";

    #[test]
    fn a_stanza_is_read_whatever_ends_it() {
        for text in [ONE.to_owned(), format!("{ONE}\n"), format!("\n{ONE}\n\n{ONE}")] {
            let records = read(Suite::Release, text.as_bytes()).unwrap();
            assert_eq!(records[0].depends, "x1, y1", "{text}");
        }
    }

    #[test]
    fn a_path_that_leaves_the_mirror_is_rejected() {
        let text = ONE.replace("pool/main/a/ab/", "pool/../../etc/");
        let error = read(Suite::Release, text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "package `ab`: field `Filename` is missing or not understood");
    }

    #[test]
    fn a_truncated_index_is_an_error() {
        let mut packed = Vec::new();
        let text = ONE.repeat(100);
        liblzma::read::XzEncoder::new(text.as_bytes(), 1).read_to_end(&mut packed).unwrap();
        assert!(read_xz(Suite::Release, &packed[..packed.len() / 2]).is_err());
        assert!(read_xz(Suite::Release, &b""[..]).is_err());
    }
}
