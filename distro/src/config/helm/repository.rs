//! Where charts come from.

use std::path::PathBuf;

use skerry_formats::seed::Secret;

use super::raw::RawRepository;

/// A repository of charts, or a registry with credentials or certificates of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// What charts call it.
    pub name: String,
    /// Where it is: `https://…`, `http://…` or `oci://…`.
    pub url: String,
    /// The authority of its certificate.
    pub ca: Option<PathBuf>,
    /// What we prove ourselves with: certificate and key.
    pub proof: Option<(PathBuf, PathBuf)>,
    /// Whether its certificate is looked at.
    pub trust: Trust,
    /// Who we are there, and with which password.
    pub login: Option<(String, Secret)>,
}

/// Whether a server's certificate is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Only a server with a good certificate is talked with.
    Checked,
    /// Any server is.
    Blind,
}

/// A repository that cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadRepository {
    /// No name.
    #[error("not a repository's name: `{0}`; wanted: letters, digits, `-`, `_` and `.`")]
    Name(String),
    /// Nowhere that charts could come from. The URL is not told: somebody may have put a password into it.
    #[error("{0}: url: not a place for charts; wanted: `https://HOST/PATH`, `http://HOST/PATH` or `oci://HOST/PATH`")]
    Url(String),
    /// Credentials where everybody sees them.
    #[error("{0}: url: it has a name or password in it; give them as `username` and `password`")]
    Login(String),
    /// Half of what belongs together.
    #[error("{name}: `{given}` is given without `{missing}`")]
    Half {
        /// Which repository.
        name: String,
        /// What there is.
        given: &'static str,
        /// What there is not.
        missing: &'static str,
    },
    /// A file of who knows where.
    #[error("{name}: {key}: not an absolute path: `{path}`")]
    Path {
        /// Which repository.
        name: String,
        /// Which key.
        key: &'static str,
        /// What was written.
        path: String,
    },
}

impl Repository {
    /// Checks one of `spec.extensions.helm.repositories`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn validate(raw: &RawRepository) -> Result<Self, Vec<BadRepository>> {
        let name = raw.name.clone();
        let mut bad = Vec::new();
        if !is_name(&name) {
            bad.push(BadRepository::Name(name.clone()));
        }
        bad.extend(wrong_url(&raw.url).map(|wrong| wrong(name.clone())));
        let mut file = |key, text: &Option<String>| {
            let path = PathBuf::from(given(text)?);
            if !path.is_absolute() {
                let path = path.display().to_string();
                bad.push(BadRepository::Path { name: name.clone(), key, path });
            }
            Some(path)
        };
        let ca = file("caFile", &raw.ca_file);
        let proof = (file("certFile", &raw.cert_file), file("keyfile", &raw.key_file));
        let login = (given(&raw.username).cloned(), raw.password.clone().filter(|secret| !secret.reveal().is_empty()));
        let half = |given, missing| BadRepository::Half { name: name.clone(), given, missing };
        let proof = together(proof, ("certFile", "keyfile")).map_err(|(given, missing)| bad.push(half(given, missing)));
        let login =
            together(login, ("username", "password")).map_err(|(given, missing)| bad.push(half(given, missing)));
        match (proof, login) {
            (Ok(proof), Ok(login)) if bad.is_empty() => {
                let trust = if raw.insecure == Some(true) { Trust::Blind } else { Trust::Checked };
                Ok(Self { name, url: raw.url.trim_end_matches('/').to_owned(), ca, proof, trust, login })
            }
            _ => Err(bad),
        }
    }

    /// Whether it stands for a registry, which has no list of its charts.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        self.url.starts_with("oci://")
    }
}

/// A text that says something.
fn given(text: &Option<String>) -> Option<&String> {
    text.as_ref().filter(|text| !text.is_empty())
}

/// Both or neither; otherwise which is there and which is not.
fn together<A, B>(
    both: (Option<A>, Option<B>),
    names: (&'static str, &'static str),
) -> Result<Option<(A, B)>, (&'static str, &'static str)> {
    match both {
        (Some(first), Some(second)) => Ok(Some((first, second))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(names),
        (None, Some(_)) => Err((names.1, names.0)),
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=63).contains(&text.len()) && text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn wrong_url(url: &str) -> Option<fn(String) -> BadRepository> {
    let rest = ["https://", "http://", "oci://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let Some(rest) = rest else { return Some(BadRepository::Url) };
    let host = rest.split('/').next().unwrap_or_default();
    if host.contains('@') {
        return Some(BadRepository::Login);
    }
    (host.is_empty() || rest.contains(char::is_whitespace)).then_some(BadRepository::Url)
}
