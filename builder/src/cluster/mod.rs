//! A cluster on the host that owns it: its keys, its hosts, a seed for each, and how it is now.
//!
//! A cluster's folder holds `pki/`, the keys; `admin.kubeconfig`, which reaches it; and either `seed.yaml`, which makes a node
//! the cluster's single node, or for a cluster of named hosts `cluster.yaml`, `tokens.json`, `founder`, `seeds/HOST.yaml` and, while the cluster
//! has not been told who is gone, `departures.json`. All of it is for its owner alone.

mod departures;
mod identity;
mod kept;
mod plan;
mod reach;
mod seeds;

pub mod status;

#[cfg(test)]
mod tests;

use sk8s::{api::ApiError, link::TlsError, pki::CertError};
use skerry_formats::{
    cluster::k0sctl::ImportError,
    name::Name,
    seed::{BadText, Problems},
    storage::StorageType,
};

use crate::{fsx::FsError, report::Explain};

pub use departures::{Departures, Farewell, LastDuty, LastToken, Registry};
pub use identity::{Handed, create, hand_out};
pub use kept::{Applied, Folder, SeedFile, read};
pub use plan::{Change, Plan, plan};
pub use reach::Reached;
pub use seeds::{Owner, seeds};

/// A cluster that cannot be made, kept, handed out or reached.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A file.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Keys or certificates.
    #[error("could not make the cluster's keys")]
    Cert(#[from] CertError),
    /// The authority's certificate.
    #[error("the cluster's authority cannot be used")]
    Authority(#[from] TlsError),
    /// The system gave no token.
    #[error("could not make a join token")]
    Token(#[from] sk8s::join::BadRecord),
    /// A name that no host may have.
    #[error("`{name}` cannot be the cluster's name, as its node has the same")]
    Name {
        /// The name.
        name: Name,
        /// What is wrong with it.
        #[source]
        source: BadText,
    },
    /// A kept key that is none.
    #[error("a kept key of the cluster cannot be used")]
    Text(#[from] BadText),
    /// The seed cannot be put into words.
    #[error("could not write the seed as YAML")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// Kept tokens that are none.
    #[error("`{path}` is damaged")]
    Tokens {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file of hosts is wrong; each problem is a line.
    #[error("{0}")]
    Hosts(Problems),
    /// The file of hosts is another cluster's.
    #[error("the file is for the cluster `{found}`, not for `{wanted}`")]
    OtherName {
        /// The file's.
        found: Name,
        /// The one asked for.
        wanted: Name,
    },
    /// Objects that are kept in one thing, and were to be in another.
    #[error("`spec.storage.type`: the cluster keeps its objects in `{kept}`, and seeds cannot move them to `{wanted}`")]
    Storage {
        /// What keeps them.
        kept: StorageType,
        /// What the file says.
        wanted: StorageType,
    },
    /// There is a cluster already.
    #[error("there is a cluster in `{0}` already")]
    Exists(String),
    /// There is none.
    #[error("there is no cluster in `{0}`")]
    Missing(String),
    /// The API does not answer, wherever it is called.
    #[error("the cluster's API does not answer at {servers}")]
    Unreachable {
        /// Where it was called.
        servers: String,
        /// The last answer.
        #[source]
        source: ApiError,
    },
    /// The API answered, and not with what was asked for.
    #[error("the cluster's API at {server} refused")]
    Refused {
        /// Where it was called.
        server: String,
        /// The answer.
        #[source]
        source: ApiError,
    },
    /// Nobody said where the API is.
    #[error("`{0}` does not say where the cluster's API is")]
    NoServer(String),
}

/// Whether somebody answered whom this cluster's authority does not know.
fn is_strange(error: &ApiError) -> bool {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    cause.is_some_and(|text| text.contains("invalid peer certificate"))
}

impl Explain for ClusterError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Exists(_) => {
                "choose another name, or another folder: `--out DIR`; to add hosts: `skerry cluster apply NAME --hosts FILE`"
            }
            Self::Missing(_) => "make it: `skerry cluster new NAME`, or name its folder: `--out DIR`",
            Self::Name { .. } => "use lower-case letters, digits and `-`",
            Self::Hosts(_) => "docs/cluster.md lists the keys of the file",
            Self::Storage { .. } => {
                "leave it as it was, or make another cluster: `skerry cluster new OTHER --hosts FILE`, and flash its hosts anew"
            }
            Self::OtherName { .. } => "give that name, or change `metadata.name`",
            Self::Unreachable { source, .. } if is_strange(source) => {
                "another cluster answers there: check the address, and that its controller was made from this folder's seed"
            }
            Self::Unreachable { .. } => {
                "check that the controller is on and what its console says, and that this host reaches it; name another \
                 address: `--server URL`"
            }
            Self::NoServer(_) => "name the address: `--server URL`",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Hosts(_) | Self::OtherName { .. } | Self::Storage { .. } => 2,
            _ => 1,
        }
    }
}

impl Explain for ImportError {
    fn hint(&self) -> Option<String> {
        self.hint().map(str::to_owned)
    }

    fn exit_code(&self) -> u8 {
        2
    }
}
