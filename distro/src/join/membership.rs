//! What a worker keeps of having joined: one file, written whole or not at all.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use skerry_formats::{
    digest::Digest,
    token::{MOST_SERVERS, Server},
};

use super::message::{Admission, SigningRequests};
use crate::{
    config::NodeName,
    link::{self, Credentials, TlsError},
    pki::{CertError, Leaf, UnixTime, new_key, signing_request},
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
    },
};

/// A membership that cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// The file.
    #[error(transparent)]
    File(#[from] FsError),
    /// The file's content.
    #[error("`{}` is damaged", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Keys.
    #[error(transparent)]
    Keys(#[from] CertError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Private keys of a worker, PEM. They are made here, and never leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateKeys {
    node: String,
    server: String,
    proxy: String,
}

/// A worker's place in its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Its name there.
    pub node: NodeName,
    /// Its keys.
    pub keys: PrivateKeys,
    /// What it was given.
    pub admission: Admission,
}

impl PrivateKeys {
    /// New keys.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate() -> Result<Self, CertError> {
        Ok(Self { node: new_key()?, server: new_key()?, proxy: new_key()? })
    }

    /// Requests to have them signed.
    ///
    /// # Errors
    /// If a key is damaged.
    pub fn requests(&self) -> Result<SigningRequests, CertError> {
        Ok(SigningRequests {
            node: signing_request(&self.node)?,
            server: signing_request(&self.server)?,
            proxy: signing_request(&self.proxy)?,
        })
    }
}

impl Membership {
    /// Reads it; `None` if the node has not joined.
    ///
    /// # Errors
    /// If it is unreadable.
    pub fn load(path: &Path) -> Result<Option<Self>, MembershipError> {
        let Some(text) = fs::read_if_there(path)? else { return Ok(None) };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|source| MembershipError::Damaged { path: path.to_owned(), source })
    }

    /// Writes it.
    ///
    /// # Errors
    /// If it cannot be written; then the one before is as it was.
    pub fn save(&self, path: &Path) -> Result<(), MembershipError> {
        let damaged = |source| MembershipError::Damaged { path: path.to_owned(), source };
        let text = serde_json::to_string_pretty(self).map_err(damaged)?;
        Ok(fs::write(path, text.as_bytes(), Access::Private, Account::ROOT)?)
    }

    /// SHA-256 of the authority's certificate (DER): which cluster this is.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn cluster(&self) -> Result<Digest, MembershipError> {
        Ok(link::print_of(&self.admission.authority)?)
    }

    /// The node as a caller.
    #[must_use]
    pub fn node_leaf(&self) -> Leaf {
        Leaf { certificate: self.admission.certificates.node.clone(), key: self.keys.node.clone() }
    }

    /// The node as a server.
    #[must_use]
    pub fn server_leaf(&self) -> Leaf {
        Leaf { certificate: self.admission.certificates.server.clone(), key: self.keys.server.clone() }
    }

    /// The node's proxy as a caller.
    #[must_use]
    pub fn proxy_leaf(&self) -> Leaf {
        Leaf { certificate: self.admission.certificates.proxy.clone(), key: self.keys.proxy.clone() }
    }

    /// What the link uses.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials { authority: self.admission.authority.clone(), leaf: self.node_leaf() }
    }

    /// Whether its certificates have less than a third of their life left.
    ///
    /// # Errors
    /// If they are damaged.
    pub fn is_due(&self, now: UnixTime) -> Result<bool, MembershipError> {
        let ends = link::expiry_of(&self.admission.certificates.node)?;
        Ok(ends < now.plus(Duration::from_secs(self.admission.lifetime / 3)))
    }

    /// Takes in controllers that the cluster tells of; whether there is news. Those known before stay known, unless they are
    /// too many.
    pub fn learn(&mut self, found: &[Server]) -> bool {
        let servers = &mut self.admission.servers;
        let mut all = merged(servers, found);
        while all.len() > MOST_SERVERS {
            let Some(oldest) = all.iter().position(|server| !found.contains(server)) else { break };
            all.remove(oldest);
        }
        let news = *servers != all;
        *servers = all;
        news
    }

    /// The same place with newer certificates and news of the cluster. Controllers known before stay known: a node may be
    /// where only the first one's address leads to the cluster.
    #[must_use]
    pub fn renewed(&self, admission: Admission) -> Self {
        let servers = merged(&self.admission.servers, &admission.servers);
        Self { admission: Admission { servers, ..admission }, ..self.clone() }
    }
}

/// Known servers first, each once.
pub(super) fn merged(known: &[Server], news: &[Server]) -> Vec<Server> {
    let mut all: Vec<Server> = known.to_vec();
    for server in news {
        if !all.contains(server) {
            all.push(server.clone());
        }
    }
    all
}
