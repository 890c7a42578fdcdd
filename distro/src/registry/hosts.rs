//! Where a registry's images are pulled from: `hosts.toml` in containerd's format, whose reference is its `docs/hosts.md`.
//!
//! Keys that are not known are left alone, as containerd does: the format is its own, and the same folder serves both.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use super::{
    endpoint::{BadAddress, Endpoint, Stem},
    error::Cause,
};
use crate::sys::fs;

const FILE: &str = "hosts.toml";
const DEFAULT: &str = "_default";

/// A server that has a registry's images, or some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub at: Endpoint,
    pub may: May,
    /// Files of authorities besides the system's.
    pub authorities: Vec<PathBuf>,
    /// Files of certificates for ourselves, each with the file of its key unless that is in the same.
    pub clients: Vec<(PathBuf, Option<PathBuf>)>,
    pub check: Check,
    pub headers: Vec<(String, String)>,
}

/// What a server may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct May {
    /// What a tag stands for.
    pub resolve: bool,
    /// What has a digest.
    pub pull: bool,
}

/// Whether a server's certificate is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// It must prove who it is.
    Verify,
    /// It is believed.
    Skip,
}

/// A `hosts.toml` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadHosts {
    /// It is no TOML, or a key has a value of another kind.
    #[error("not of the format of `hosts.toml`")]
    Format(#[from] toml::de::Error),
    /// No address of a server.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// No capability.
    #[error("unknown capability: `{0}`; known: `pull`, `resolve`, `push`, `referrers`")]
    Capability(String),
}

#[derive(Deserialize)]
struct RawFile {
    #[serde(default)]
    server: String,
    #[serde(default)]
    host: BTreeMap<String, Spanned<RawHost>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawHost {
    capabilities: Option<Vec<String>>,
    ca: Words,
    client: Clients,
    skip_verify: bool,
    header: BTreeMap<String, Words>,
    override_path: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Clients {
    One(String),
    Many(Vec<Words>),
}

impl Default for Words {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Words {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(word) => vec![word],
            Self::Many(words) => words,
        }
    }
}

impl RawHost {
    const fn stem(&self) -> Stem {
        if self.override_path { Stem::Whole } else { Stem::Before }
    }
}

/// The servers of a registry, in the order in which they are asked.
///
/// # Errors
/// If its folder cannot be read or used.
pub(super) fn of(folder: &Path, registry: &str) -> Result<Vec<Host>, Cause> {
    for name in names(registry) {
        let base = folder.join(name);
        if let Some(text) = fs::read_if_there(&base.join(FILE))? {
            let path = base.join(FILE);
            return parse(&text, registry, &base).map_err(|source| Cause::Hosts { path, source });
        }
    }
    Ok(vec![plain(Endpoint::of(registry))])
}

/// The names that a registry's folder may have, the first that is there counts.
fn names(registry: &str) -> impl Iterator<Item = String> {
    let unlike = registry.rsplit_once(':').map(|(host, port)| format!("{host}_{port}_"));
    unlike.into_iter().chain([registry.to_owned(), DEFAULT.to_owned()])
}

fn plain(at: Endpoint) -> Host {
    let may = May { resolve: true, pull: true };
    Host { at, may, authorities: Vec::new(), clients: Vec::new(), check: Check::Verify, headers: Vec::new() }
}

/// Reads a `hosts.toml` that lies in the folder `base`: the named hosts as they stand, and the server itself at the end.
fn parse(text: &str, registry: &str, base: &Path) -> Result<Vec<Host>, BadHosts> {
    let file: RawFile = toml::from_str(text)?;
    let mut named: Vec<(String, Spanned<RawHost>)> = file.host.into_iter().collect();
    named.sort_by_key(|(_, host)| host.span().start);
    let mut hosts = Vec::new();
    for (address, host) in named {
        let host = host.into_inner();
        hosts.push(checked(Endpoint::parse(&address, host.stem())?, host, base)?);
    }
    let own: RawHost = toml::from_str(text)?;
    let at = match file.server.as_str() {
        "" => Endpoint::of(registry),
        address => Endpoint::parse(address, own.stem())?,
    };
    hosts.push(checked(at, own, base)?);
    Ok(hosts)
}

fn checked(at: Endpoint, raw: RawHost, base: &Path) -> Result<Host, BadHosts> {
    let known = ["pull", "resolve", "push", "referrers"];
    let unknown = raw.capabilities.iter().flatten().find(|word| !known.contains(&word.as_str()));
    if let Some(word) = unknown {
        return Err(BadHosts::Capability(word.clone()));
    }
    let has = |wanted: &str| raw.capabilities.as_ref().is_none_or(|words| words.iter().any(|word| word == wanted));
    let pairs = match raw.client {
        Clients::One(file) => vec![vec![file]],
        Clients::Many(all) => all.into_iter().map(Words::into_vec).collect(),
    };
    let pair = |pair: Vec<String>| {
        let mut files = pair.into_iter().map(|file| base.join(file));
        Some((files.next()?, files.next()))
    };
    let fields = raw
        .header
        .into_iter()
        .flat_map(|(name, values)| values.into_vec().into_iter().map(move |value| (name.clone(), value)));
    Ok(Host {
        at,
        may: May { resolve: has("resolve"), pull: has("pull") },
        authorities: raw.ca.into_vec().into_iter().map(|file| base.join(file)).collect(),
        clients: pairs.into_iter().filter_map(pair).collect(),
        check: if raw.skip_verify { Check::Skip } else { Check::Verify },
        headers: fields.collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{BadHosts, Check, Host, May, names, parse};

    fn read(text: &str) -> Result<Vec<Host>, BadHosts> {
        parse(text, "r.example:5000", Path::new("/r"))
    }

    fn urls(hosts: &[Host]) -> Vec<String> {
        hosts.iter().map(|host| format!("{}{}", host.at.url(), host.at.path)).collect()
    }

    #[test]
    fn hosts_are_asked_in_the_order_of_the_file_and_the_registry_last() {
        let text = "[host.'http://z.example']\n[host.'a.example/mirror']\n[host.'https://b.example/x/v2/']\n";
        let hosts = read(text).expect("hosts");
        let wanted = [
            "http://z.example/v2",
            "https://a.example/mirror/v2",
            "https://b.example/x/v2",
            "https://r.example:5000/v2",
        ];
        assert_eq!(urls(&hosts), wanted);
        let text = "server = 'https://other.example/api'\noverride_path = true\n";
        assert_eq!(urls(&read(text).expect("hosts")), ["https://other.example/api"]);
    }

    #[test]
    fn everything_that_is_said_of_a_host_is_taken() {
        let text = "
[host.'https://m.example']
capabilities = ['pull']
ca = ['one.crt', '/two.crt']
client = [['c.crt', 'c.key'], 'both.pem']
skip_verify = true
[host.'https://m.example'.header]
Authorization = 'Basic eDp5'
X-Two = ['a', 'b']
";
        let host = &read(text).expect("hosts")[0];
        assert_eq!(host.may, May { resolve: false, pull: true });
        assert_eq!(host.authorities, [Path::new("/r/one.crt"), Path::new("/two.crt")]);
        let clients = [("/r/c.crt".into(), Some("/r/c.key".into())), ("/r/both.pem".into(), None)];
        assert_eq!(host.clients, clients);
        assert_eq!(host.check, Check::Skip);
        let headers = [("Authorization", "Basic eDp5"), ("X-Two", "a"), ("X-Two", "b")];
        assert_eq!(host.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(matches!(read("server = 7"), Err(BadHosts::Format(_))));
        assert!(matches!(read("server = 'ftp://a'"), Err(BadHosts::Address(_))));
        assert!(matches!(read("server = 'https://u:p@a'"), Err(BadHosts::Address(_))));
        assert!(matches!(read("capabilities = ['fly']"), Err(BadHosts::Capability(_))));
    }

    #[test]
    fn a_folder_may_be_named_without_a_colon() {
        assert_eq!(names("r:5").collect::<Vec<_>>(), ["r_5_", "r:5", "_default"]);
    }
}
