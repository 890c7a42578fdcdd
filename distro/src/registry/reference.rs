//! Names of images, in the form that containerd knows them by.

use std::{fmt, str::FromStr};

use skerry_formats::digest::Digest;

/// An image's full name: short forms are written out as all clients do (`busybox` is `docker.io/library/busybox:latest`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Host, with or without a port.
    pub registry: String,
    /// Path in it.
    pub repository: String,
    /// Which of its images.
    pub version: Version,
}

/// Which image of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// What the registry says it is today.
    Tag(String),
    /// This one.
    Digest(Digest),
}

/// Text that is no image's name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the name of an image: `{0}`; wanted: as in `registry.example/team/app:1.2`")]
pub struct BadReference(String);

const LONGEST: usize = 255;
const LONGEST_TAG: usize = 128;
/// The registry of names that name none, and the folder there of names without one.
const HUB: &str = "docker.io";
const HUB_FOLDER: &str = "library";

impl FromStr for Reference {
    type Err = BadReference;

    /// A tag beside a digest is dropped: the digest says more.
    fn from_str(text: &str) -> Result<Self, BadReference> {
        let bad = || BadReference(text.chars().take(LONGEST).collect());
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let hex = digest.strip_prefix("sha256:").filter(|hex| !hex.contains(|c: char| c.is_ascii_uppercase()));
                (rest, Some(hex.and_then(|hex| hex.parse().ok()).ok_or_else(bad)?))
            }
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (registry, repository) = placed(name);
        let fits = name.len() <= LONGEST && is_host(&registry) && repository.split('/').all(is_part);
        if !fits || !tag.is_none_or(is_tag) {
            return Err(bad());
        }
        let version = digest.map_or_else(|| Version::Tag(tag.unwrap_or("latest").to_owned()), Version::Digest);
        Ok(Self { registry, repository, version })
    }
}

/// Registry and repository of a name. The first part is a registry if it could be a host.
fn placed(name: &str) -> (String, String) {
    let own = name.split_once('/').filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost");
    let (registry, repository) = own.unwrap_or((HUB, name));
    match (registry, repository.contains('/')) {
        (HUB | "index.docker.io", false) => (HUB.to_owned(), format!("{HUB_FOLDER}/{repository}")),
        (HUB | "index.docker.io", true) => (HUB.to_owned(), repository.to_owned()),
        _ => (registry.to_owned(), repository.to_owned()),
    }
}

/// A name or an IPv4 address, or an IPv6 address in brackets, with or without a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, "1"),
    };
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric();
        label.starts_with(plain) && label.ends_with(plain) && label.chars().all(|c| plain(c) || c == '-')
    };
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let named = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(label),
    };
    named && port.len() <= 5 && port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p != 0)
}

/// Lower-case words with `.`, `_`, `__` or dashes between.
fn is_part(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between = |gap: &str| matches!(gap, "" | "." | "_" | "__") || gap.chars().all(|c| c == '-');
    text.starts_with(plain) && text.ends_with(plain) && text.split(plain).all(between)
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= LONGEST_TAG && text.starts_with(word) && text.chars().all(|c| word(c) || ".-".contains(c))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, repository, version } = self;
        match version {
            Version::Tag(tag) => write!(f, "{registry}/{repository}:{tag}"),
            Version::Digest(digest) => write!(f, "{registry}/{repository}@sha256:{digest}"),
        }
    }
}

impl fmt::Display for Version {
    /// As it stands in a registry's URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => write!(f, "sha256:{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Reference;

    fn full(text: &str) -> Option<String> {
        text.parse::<Reference>().ok().map(|reference| reference.to_string())
    }

    #[test]
    fn short_names_are_written_out() {
        let hex = "a".repeat(64);
        for (short, long) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("team/app:1", "docker.io/team/app:1"),
            ("index.docker.io/app", "docker.io/library/app:latest"),
            ("localhost/app:1", "localhost/app:1"),
            ("barn:5000/app", "barn:5000/app:latest"),
            ("[fd00::1]:5000/a/b__c-d.e:X_1", "[fd00::1]:5000/a/b__c-d.e:X_1"),
            ("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"),
        ] {
            assert_eq!(full(short).as_deref(), Some(long));
        }
        assert_eq!(full(&format!("r.example/app:1@sha256:{hex}")), Some(format!("r.example/app@sha256:{hex}")));
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        for text in [
            "",
            "App",
            "a//b",
            "a/../b",
            "r.example/..",
            "a:b:c",
            "a@sha256:1",
            "a:",
            "r.example:0/a",
            "http://r.example/a",
            "user@r.example/a",
            "r.example/a?b",
            "r.example/a b",
            "-r.example/a",
            "a.-b/c:/d",
        ] {
            assert_eq!(full(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_its_full_form_stands_for_itself(text in "[a-zA-Z0-9./:@_\\[\\]-]{0,40}") {
            if let Some(long) = full(&text) {
                prop_assert_eq!(full(&long), Some(long));
            }
        }
    }
}
