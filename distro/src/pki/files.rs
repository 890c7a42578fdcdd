//! Keys and certificates on disk: authorities that last, leaves of this boot.

use std::{collections::BTreeMap, path::Path};

use skerry_formats::name::Name;

use super::{
    authority::{Authority, CertError, LEAF_DAYS, Leaf},
    identity::{Identity, KeyPairPem},
    kubeconfig::{ClusterLink, Credentials, kubeconfig},
    leaf::{LeafId, Shared, Signer},
    moment::UnixTime,
    renewal::Held,
};
use crate::{
    component::ComponentId,
    config::{Settings, Storage},
    paths::Paths,
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
        machine::Machine,
    },
};

/// Whether a cluster keeps its objects in an etcd of its own, which has an authority of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtcdUse {
    /// An etcd that sk8s runs.
    Own,
    /// Anything else.
    None,
}

impl EtcdUse {
    /// What the configuration asks for.
    #[must_use]
    pub const fn of(storage: &Storage) -> Self {
        match storage {
            Storage::Etcd(_) => Self::Own,
            Storage::Kine { .. } | Storage::External(_) => Self::None,
        }
    }
}

/// Keys that cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// A certificate.
    #[error(transparent)]
    Cert(#[from] CertError),
    /// One half of a pair lies there without the other.
    #[error("`{found}` is there, but `{missing}` is not: put it beside, or remove both to have new ones made")]
    Half {
        /// The file that is there.
        found: String,
        /// The one that is not.
        missing: String,
    },
    /// A leaf of etcd's, in a cluster that has none.
    #[error("the cluster has no etcd authority")]
    NoEtcd,
}

/// Takes the authorities that lie in a folder as the cluster's own, and makes those that do not; etcd's only where it is
/// used.
///
/// # Errors
/// If half of a pair is missing, or a file cannot be read or written.
pub fn load_or_make(folder: &Path, cluster: &Name, etcd: EtcdUse, now: UnixTime) -> Result<Identity, PkiError> {
    fs::create_folder(folder, Access::Private, Account::ROOT)?;
    let etcd_ca = match (pair(folder, ETCD_CA)?, etcd) {
        (Some([certificate, key]), _) => Some(Authority { certificate, key }),
        (None, EtcdUse::None) => None,
        (None, EtcdUse::Own) => {
            fs::create_folder(&folder.join("etcd"), Access::Private, Account::ROOT)?;
            Some(Authority::generate(&format!("{cluster} etcd-ca"), now)?)
        }
    };
    let ca = pair(folder, ["ca.crt", "ca.key"])?;
    let front = pair(folder, ["front-proxy-ca.crt", "front-proxy-ca.key"])?;
    let tokens = pair(folder, ["sa.pub", "sa.key"])?;
    let fresh = Identity::generate(cluster, now)?;
    let authority = |found: Option<[String; 2]>, made: Authority| match found {
        Some([certificate, key]) => Authority { certificate, key },
        None => made,
    };
    let identity = Identity {
        ca: authority(ca, fresh.ca),
        front_proxy_ca: authority(front, fresh.front_proxy_ca),
        service_account: match tokens {
            Some([public, private]) => KeyPairPem { public, private },
            None => fresh.service_account,
        },
        etcd_ca,
    };
    for (name, text, access) in identity.files() {
        let path = folder.join(name);
        if !fs::exists(&path) {
            fs::write(&path, text.as_bytes(), access, Account::ROOT)?;
        }
    }
    Ok(identity)
}

const ETCD_CA: [&str; 2] = ["etcd/ca.crt", "etcd/ca.key"];

fn pair(folder: &Path, names: [&str; 2]) -> Result<Option<[String; 2]>, PkiError> {
    let [first, second] = names.map(|name| folder.join(name));
    let half = |found: &Path, missing: &Path| PkiError::Half {
        found: found.display().to_string(),
        missing: missing.display().to_string(),
    };
    match (fs::read_if_there(&first)?, fs::read_if_there(&second)?) {
        (Some(a), Some(b)) => Ok(Some([a, b])),
        (None, None) => Ok(None),
        (Some(_), None) => Err(half(&first, &second)),
        (None, Some(_)) => Err(half(&second, &first)),
    }
}

impl Identity {
    /// The files of an identity: name, text, who may read it.
    #[must_use]
    pub fn files(&self) -> Vec<(&'static str, &str, Access)> {
        let mut files = vec![
            ("ca.crt", self.ca.certificate.as_str(), Access::Public),
            ("ca.key", &self.ca.key, Access::Private),
            ("front-proxy-ca.crt", &self.front_proxy_ca.certificate, Access::Public),
            ("front-proxy-ca.key", &self.front_proxy_ca.key, Access::Private),
            ("sa.pub", &self.service_account.public, Access::Public),
            ("sa.key", self.service_account.private.as_str(), Access::Private),
        ];
        if let Some(etcd) = &self.etcd_ca {
            let [certificate, key] = ETCD_CA;
            files.extend([(certificate, etcd.certificate.as_str(), Access::Public), (key, &etcd.key, Access::Private)]);
        }
        files
    }

    /// `None` for what the cluster does not have.
    fn shared(&self, what: Shared) -> Option<&str> {
        Some(match what {
            Shared::Ca => &self.ca.certificate,
            Shared::CaKey => &self.ca.key,
            Shared::FrontProxyCa => &self.front_proxy_ca.certificate,
            Shared::ServiceAccountPublic => &self.service_account.public,
            Shared::ServiceAccountPrivate => &self.service_account.private,
            Shared::EtcdCa => &self.etcd_ca.as_ref()?.certificate,
        })
    }
}

/// Writes certificates of this boot.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// Signs.
    pub identity: &'a Identity,
    /// What the node is to be.
    pub settings: &'a Settings,
    /// What the machine is.
    pub machine: &'a Machine,
    /// Where things are.
    pub paths: &'a Paths,
}

impl Desk<'_> {
    /// Makes a component's folder with what it shares of the cluster's keys.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn furnish(&self, component: ComponentId) -> Result<(), PkiError> {
        let owner = self.owner(Some(component));
        let folder = self.paths.of(component);
        // The database's socket is for another account, and containers may be: these two folders let them pass.
        let access = match component {
            ComponentId::Kine | ComponentId::Containerd => Access::Public,
            _ => Access::Private,
        };
        fs::create_folder(&folder, access, owner)?;
        for what in Shared::of(component) {
            if let Some(text) = self.identity.shared(*what) {
                fs::write(&folder.join(what.file()), text.as_bytes(), Access::Private, owner)?;
            }
        }
        Ok(())
    }

    /// Issues a leaf and writes it, key first, and its kubeconfig where it has one.
    ///
    /// # Errors
    /// If it cannot be signed or written.
    pub fn issue(&self, leaf: LeafId, now: UnixTime) -> Result<(Leaf, Held), PkiError> {
        let request = leaf.request(self.settings, self.machine);
        let signer = match leaf.signer() {
            Signer::Cluster => &self.identity.ca,
            Signer::FrontProxy => &self.identity.front_proxy_ca,
            Signer::Etcd => self.identity.etcd_ca.as_ref().ok_or(PkiError::NoEtcd)?,
        };
        let issued = signer.issue(&request, now)?;
        let owner = self.owner(leaf.user());
        let (certificate, key) = (leaf.certificate(self.paths), leaf.key(self.paths));
        fs::write(&key, issued.key.as_bytes(), Access::Private, owner)?;
        fs::write(&certificate, issued.certificate.as_bytes(), Access::Private, owner)?;
        if leaf.has_kubeconfig() {
            let link = ClusterLink {
                name: self.settings.cluster.as_str(),
                server: LOCAL_SERVER,
                ca_certificate: &self.identity.ca.certificate,
            };
            let files = Credentials::Files { certificate: &certificate, key: &key };
            let text = kubeconfig(&link, &request.common_name, &files);
            fs::write(&leaf.folder(self.paths).join("kubeconfig"), text.as_bytes(), Access::Private, owner)?;
        }
        Ok((issued, Held { request, expires: now.floored().plus_days(LEAF_DAYS) }))
    }

    /// What every leaf in use is to say now.
    #[must_use]
    pub fn wanted(&self) -> BTreeMap<LeafId, super::authority::LeafRequest> {
        LeafId::of(&self.settings.storage)
            .into_iter()
            .map(|leaf| (leaf, leaf.request(self.settings, self.machine)))
            .collect()
    }

    fn owner(&self, user: Option<ComponentId>) -> Account {
        user.map_or(Account::ROOT, |component| component.account(self.machine))
    }
}

/// Where a node's own components find the API server, whatever its addresses are.
pub const LOCAL_SERVER: &str = "https://127.0.0.1:6443";
