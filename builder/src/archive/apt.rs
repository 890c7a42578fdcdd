//! The host's apt sources: where this machine already gets Debian packages from.

use std::path::{Path, PathBuf};

use super::deb822;
use crate::fsx::{self, FsError};

/// One archive that the host uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its address, without a slash at the end.
    pub uri: String,
    /// The suites that are used of it.
    pub suites: Vec<String>,
}

impl Source {
    /// Whether this is a mirror of Debian's main archive: its path ends in `/debian`, or it has Debian's suites.
    #[must_use]
    pub fn is_debian(&self) -> bool {
        self.uri.ends_with("/debian") && !self.is_security()
    }

    /// Whether this is a mirror of Debian's security archive.
    #[must_use]
    pub fn is_security(&self) -> bool {
        self.uri.ends_with("/debian-security") || self.suites.iter().any(|suite| suite.ends_with("-security"))
    }
}

/// Reads the apt sources below a folder, `/etc/apt` as a rule; what is not there is passed over.
///
/// # Errors
/// If a file that is there cannot be read.
pub fn read(etc_apt: &Path) -> Result<Vec<Source>, FsError> {
    let mut files: Vec<PathBuf> = vec![etc_apt.join("sources.list")];
    let parts = etc_apt.join("sources.list.d");
    if fsx::symlink_metadata(&parts)?.is_some() {
        files.extend(fsx::read_dir(&parts)?);
    }
    let mut sources = Vec::new();
    for file in files {
        let kind = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if !matches!(kind, "list" | "sources") || fsx::size(&file)?.is_none() {
            continue;
        }
        let text = fsx::read_to_string(&file)?;
        sources.extend(if kind == "list" { parse_lines(&text) } else { parse_stanzas(&text) });
    }
    Ok(sources)
}

/// Reads the one-line style: `deb [options] uri suite component…`.
#[must_use]
pub fn parse_lines(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next().unwrap_or_default();
    let rest = line.trim().strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
    let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
    let mut words = rest.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    Some(Source { uri: without_slash(uri), suites: vec![suite.to_owned()] })
}

/// Reads the deb822 style; a stanza that is disabled, broken or of sources only is passed over, as apt itself warns of it.
#[must_use]
pub fn parse_stanzas(text: &str) -> Vec<Source> {
    let plain: String = text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    let mut sources = Vec::new();
    for stanza in deb822::stanzas(&plain) {
        let Ok(fields) = deb822::fields(stanza) else { continue };
        let words = |name| deb822::value(&fields, name).unwrap_or_default().split_whitespace();
        let off = words("Enabled").any(|word| matches!(word, "no" | "false"));
        if off || !words("Types").any(|word| word == "deb") {
            continue;
        }
        let suites: Vec<String> = words("Suites").map(str::to_owned).collect();
        sources.extend(words("URIs").map(|uri| Source { uri: without_slash(uri), suites: suites.clone() }));
    }
    sources
}

fn without_slash(uri: &str) -> String {
    uri.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_are_read() {
        let lines = "# deb http://no/debian trixie main\ndeb [arch=amd64 signed-by=/k] http://a/debian/ bookworm main # x\n\
                     deb-src http://a/debian bookworm main\n";
        let stanzas = "Types: deb deb-src\n# a comment\nURIs: http://b/debian http://c/debian\nSuites: bookworm\n\n\
                       Enabled: no\nTypes: deb\nURIs: http://d/debian\nSuites: x\n\n\
                       Types: deb\nURIs: http://b/debian-security\nSuites: bookworm-security\n";
        let uris = |sources: &[Source]| sources.iter().map(|source| source.uri.clone()).collect::<Vec<_>>();
        assert_eq!(uris(&parse_lines(lines)), ["http://a/debian"]);
        let sources = parse_stanzas(stanzas);
        assert_eq!(uris(&sources), ["http://b/debian", "http://c/debian", "http://b/debian-security"]);
        assert!(sources[0].is_debian() && !sources[2].is_debian() && sources[2].is_security());
    }
}
