//! `manifest.json`, version 1: what a backup holds. Values in, values out.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use skerry_formats::digest::Digest;

use crate::{datastore::Summary, version::Release};

/// The `format` of a manifest.
const FORMAT: &str = "sk8s-backup";

/// The version that is written, and the highest that is understood.
const VERSION: u32 = 1;

/// The longest manifest that is read, in bytes.
pub(super) const MANIFEST_LIMIT: u64 = 16 << 20;

/// Name of the archive's first entry.
pub(super) const MANIFEST: &str = "manifest.json";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    version: u32,
    /// The sk8s that last worked on what it holds.
    pub made_by: Release,
    /// When, in seconds since 1970 by that node's clock.
    pub made_at: u64,
    /// The cluster's name.
    pub cluster: String,
    /// The node that made it.
    pub node: String,
    /// Where the objects come from.
    pub datastore: Datastore,
    /// Every other entry, in the archive's order.
    pub members: Vec<Member>,
}

/// Where a backup's objects come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Datastore {
    /// `datastore/state.db`.
    Sqlite {
        /// Its last revision.
        revision: u64,
        /// Its keys.
        keys: u64,
    },
    /// `datastore/etcd.db`.
    Etcd {
        /// Its last revision.
        revision: u64,
        /// Its keys.
        keys: u64,
    },
    /// A server that somebody else runs and saves.
    External,
}

impl Datastore {
    /// SQLite with what is known of it.
    #[must_use]
    pub const fn sqlite(Summary { revision, keys }: Summary) -> Self {
        Self::Sqlite { revision, keys }
    }

    /// etcd with what is known of it.
    #[must_use]
    pub const fn etcd(Summary { revision, keys }: Summary) -> Self {
        Self::Etcd { revision, keys }
    }

    /// The entry that holds the objects.
    #[must_use]
    pub const fn file(self) -> Option<&'static str> {
        match self {
            Self::Sqlite { .. } => Some("datastore/state.db"),
            Self::Etcd { .. } => Some("datastore/etcd.db"),
            Self::External => None,
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name.
    pub path: MemberPath,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Who may read it where it is restored.
    pub readable: Readable,
}

/// Who may read a restored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readable {
    /// Root alone.
    Owner,
    /// All.
    Everyone,
}

/// The name of an entry: a relative path of plain names below one of the four folders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberPath(String);

const FOLDERS: [&str; 4] = ["configuration", "datastore", "manifests", "pki"];

/// A manifest that is none, or one that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadManifest {
    /// Not JSON of this shape.
    #[error("not a manifest")]
    Json(#[source] serde_json::Error),
    /// Of something else.
    #[error("a manifest of `{0}`, not of a backup of sk8s")]
    Format(String),
    /// A newer one.
    #[error("version {0} is newer than this sk8s understands ({VERSION}): restore with the sk8s that made it")]
    Version(u32),
    /// A path that could lead out of the folder.
    #[error("not a name of an entry: `{0}`")]
    Path(String),
    /// Names that are not in order, or twice there.
    #[error("entries are not in order at `{0}`")]
    Order(MemberPath),
    /// The datastore and the entries do not go together.
    #[error("the datastore's entry is missing, or there without a datastore")]
    Datastore,
}

/// Who made a backup, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The version of sk8s that last worked on it.
    pub made_by: Release,
    /// Seconds since 1970.
    pub made_at: u64,
    /// The cluster's name.
    pub cluster: String,
    /// The node's name.
    pub node: String,
}

impl Manifest {
    /// A manifest of these entries, which it puts in order.
    #[must_use]
    pub fn new(origin: Origin, datastore: Datastore, mut members: Vec<Member>) -> Self {
        members.sort_by(|a, b| a.path.cmp(&b.path));
        let Origin { made_by, made_at, cluster, node } = origin;
        Self { format: FORMAT.to_owned(), version: VERSION, made_by, made_at, cluster, node, datastore, members }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// If it is none, is newer, or names entries that could do harm.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadManifest> {
        let head: Head = serde_json::from_slice(bytes).map_err(BadManifest::Json)?;
        if head.format != FORMAT {
            return Err(BadManifest::Format(head.format.chars().take(40).collect()));
        }
        if head.version > VERSION {
            return Err(BadManifest::Version(head.version));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(BadManifest::Json)?;
        for pair in manifest.members.windows(2) {
            if let [first, second] = pair
                && first.path >= second.path
            {
                return Err(BadManifest::Order(second.path.clone()));
            }
        }
        let stored: Vec<&str> =
            manifest.members.iter().map(|m| m.path.as_str()).filter(|p| p.starts_with("datastore/")).collect();
        if stored == manifest.datastore.file().as_slice() { Ok(manifest) } else { Err(BadManifest::Datastore) }
    }
}

/// What every version of a manifest has.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl MemberPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MemberPath {
    type Err = BadManifest;

    fn from_str(text: &str) -> Result<Self, BadManifest> {
        let plain = |name: &str| !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.contains('\0');
        let (first, rest) = text.split_once('/').unwrap_or((text, ""));
        if FOLDERS.contains(&first) && rest.split('/').all(plain) && text.len() <= 2048 {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadManifest::Path(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for MemberPath {
    type Error = BadManifest;

    fn try_from(text: String) -> Result<Self, BadManifest> {
        text.parse()
    }
}

impl From<MemberPath> for String {
    fn from(path: MemberPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use skerry_formats::digest::Digest;

    use super::{Datastore, Manifest, Member, MemberPath, Origin, Readable};

    fn member(path: &str, readable: Readable) -> Member {
        Member { path: path.parse().expect("a name"), size: 3, sha256: Digest::of(b"abc"), readable }
    }

    fn manifest() -> Manifest {
        let origin = Origin {
            made_by: "v1.36.3+sk8s.1".parse().expect("a version"),
            made_at: 1_795_244_000,
            cluster: "shed".into(),
            node: "barn".into(),
        };
        let members = ["pki/ca.key", "datastore/state.db", "manifests/web.yaml"].map(|p| member(p, Readable::Owner));
        Manifest::new(origin, Datastore::Sqlite { revision: 812, keys: 240 }, members.into())
    }

    fn edited(from: &str, to: &str) -> String {
        let text = serde_json::to_string(&manifest()).expect("JSON");
        assert!(text.contains(from), "{text}");
        let error = Manifest::parse(text.replace(from, to).as_bytes()).expect_err("refused");
        crate::supervisor::chain(&error)
    }

    #[test]
    fn the_manifest_is_the_golden_one() {
        let text = serde_json::to_string_pretty(&manifest()).expect("JSON") + "\n";
        assert_eq!(text, include_str!("../../golden/backup-manifest.json"));
        assert_eq!(Manifest::parse(text.as_bytes()).expect("ours"), manifest());
    }

    #[test]
    fn a_newer_version_is_told_apart_from_a_damaged_one() {
        let text = r#"{"format":"sk8s-backup","version":2,"whatever":true}"#;
        let error = Manifest::parse(text.as_bytes()).expect_err("newer").to_string();
        assert_eq!(error, "version 2 is newer than this sk8s understands (1): restore with the sk8s that made it");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in ["/etc/passwd", "../x", "pki/../../x", "pki", "pki/", "pki//x", "etc/x", "", "manifests/./a"] {
            assert!(bad.parse::<MemberPath>().is_err(), "{bad}");
        }
        assert!(edited("pki/ca.key", "pki/../ca.key").contains("not a name of an entry"));
    }

    #[test]
    fn a_name_twice_is_refused() {
        assert!(edited("manifests/web.yaml", "datastore/state.db").contains("not in order"));
    }

    #[test]
    fn a_datastore_without_its_file_is_refused() {
        assert!(edited("datastore/state.db", "datastore/other.db").contains("datastore's entry is missing"));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Manifest::parse(&bytes);
        }

        #[test]
        fn a_name_that_is_taken_stays_below_its_folder(text in "(pki|manifests)?[a-z./]{0,12}") {
            if let Ok(path) = text.parse::<MemberPath>() {
                let mut depth = 0_i32;
                for part in std::path::Path::new(path.as_str()).components() {
                    prop_assert!(matches!(part, std::path::Component::Normal(_)));
                    depth += 1;
                }
                prop_assert!(depth >= 2);
            }
        }
    }
}
