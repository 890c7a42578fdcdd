//! Leaves of this boot on disk, and what components share of the cluster's keys.

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf};

use super::{
    authority::{CertError, Leaf, LeafRequest},
    folder::ETCD_CA,
    identity::Identity,
    keyring::NoRandomness,
    kubeconfig::{ClusterLink, Credentials, kubeconfig},
    leaf::{LeafId, Shared, Signer},
    moment::UnixTime,
    renewal::Held,
};
use crate::{
    component::{self, ComponentId},
    config::{Settings, Storage},
    duty::Duty,
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
    /// The keys of Secrets lie there, but are unreadable: without them so are the Secrets.
    #[error("`{}` is damaged; take it from another controller or from a backup: with a new one, no Secret can be read", .path.display())]
    Keyring {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A key or certificate that is none.
    #[error("`{}` is damaged: it holds no {what}; put the right one there, or take it from a backup", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A cluster's keys that are still to be made, or are being made by the service.
    #[error("the cluster's keys in `{}` are not all there yet", .0.display())]
    NotMade(PathBuf),
    /// No key for Secrets could be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A leaf of etcd's, in a cluster that has none.
    #[error("the cluster has no etcd authority")]
    NoEtcd,
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
    fn shared(&self, what: Shared) -> Option<Cow<'_, str>> {
        let text = match what {
            Shared::Ca => &self.ca.certificate,
            Shared::CaKey => &self.ca.key,
            Shared::FrontProxyCa => &self.front_proxy_ca.certificate,
            Shared::ServiceAccountPublic => &self.service_account.public,
            Shared::ServiceAccountPrivate => &self.service_account.private,
            Shared::EtcdCa => &self.etcd_ca.as_ref()?.certificate,
            Shared::Keyring => return self.keyring.as_ref().map(|keyring| Cow::Owned(keyring.configuration())),
        };
        Some(Cow::Borrowed(text))
    }
}

/// Where the keys of this boot lie, each readable by the component that uses it alone.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'a> {
    /// What the node does.
    pub duty: Duty,
    /// What the node is to be.
    pub settings: &'a Settings,
    /// What the machine is.
    pub machine: &'a Machine,
    /// Where things are.
    pub paths: &'a Paths,
    /// The cluster authority's certificate, PEM.
    pub authority: &'a str,
}

impl Shelf<'_> {
    /// Makes a component's folder.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn furnish(&self, component: ComponentId) -> Result<(), PkiError> {
        // The database's socket is for another account, and containers may be: these two folders let them pass.
        let access = match component {
            ComponentId::Kine | ComponentId::Containerd => Access::Public,
            _ => Access::Private,
        };
        fs::create_folder(&self.paths.of(component), access, self.owner(Some(component)))?;
        if Shared::of(component).contains(&Shared::Ca) {
            self.share(component, Shared::Ca, self.authority)
        } else {
            Ok(())
        }
    }

    /// Gives a component a part of the cluster's keys.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn share(&self, component: ComponentId, what: Shared, text: &str) -> Result<(), PkiError> {
        let path = self.paths.of(component).join(what.file());
        Ok(fs::write(&path, text.as_bytes(), Access::Private, self.owner(Some(component)))?)
    }

    /// Writes a leaf, key first, and its kubeconfig where it has one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put(&self, leaf: LeafId, issued: &Leaf) -> Result<(), PkiError> {
        let owner = self.owner(leaf.user());
        let (certificate, key) = (leaf.certificate(self.paths), leaf.key(self.paths));
        fs::write(&key, issued.key.as_bytes(), Access::Private, owner)?;
        fs::write(&certificate, issued.certificate.as_bytes(), Access::Private, owner)?;
        if leaf.has_kubeconfig() {
            let link = ClusterLink {
                name: self.settings.cluster.as_str(),
                server: LOCAL_SERVER,
                ca_certificate: self.authority,
            };
            let files = Credentials::Files { certificate: &certificate, key: &key };
            let text = kubeconfig(&link, &leaf.request(self.settings, self.machine).common_name, &files);
            fs::write(&leaf.folder(self.paths).join("kubeconfig"), text.as_bytes(), Access::Private, owner)?;
        }
        Ok(())
    }

    /// What every leaf in use is to say now.
    #[must_use]
    pub fn wanted(&self) -> BTreeMap<LeafId, LeafRequest> {
        let own = LeafId::of(self.duty, self.settings);
        own.into_iter().map(|leaf| (leaf, leaf.request(self.settings, self.machine))).collect()
    }

    fn owner(&self, user: Option<ComponentId>) -> Account {
        user.map_or(Account::ROOT, |component| component::account(self.settings, self.machine, component))
    }
}

/// Issues certificates of this boot: a controller's, which holds the cluster's keys.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// Signs.
    pub identity: &'a Identity,
    /// Where they go.
    pub shelf: Shelf<'a>,
}

impl Desk<'_> {
    /// Makes a component's folder with what it shares of the cluster's keys.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn furnish(&self, component: ComponentId) -> Result<(), PkiError> {
        self.shelf.furnish(component)?;
        let has = |what: &Shared| Some((*what, self.identity.shared(*what)?));
        let shared = Shared::of(component).iter().filter_map(has);
        for (what, text) in shared {
            self.shelf.share(component, what, &text)?;
        }
        Ok(())
    }

    /// Issues a leaf and writes it.
    ///
    /// # Errors
    /// If it cannot be signed or written.
    pub fn issue(&self, leaf: LeafId, now: UnixTime) -> Result<(Leaf, Held), PkiError> {
        let request = leaf.request(self.shelf.settings, self.shelf.machine);
        let signer = match leaf.signer() {
            Signer::Cluster => &self.identity.ca,
            Signer::FrontProxy => &self.identity.front_proxy_ca,
            Signer::Etcd => self.identity.etcd_ca.as_ref().ok_or(PkiError::NoEtcd)?,
        };
        let issued = signer.issue(&request, now)?;
        self.shelf.put(leaf, &issued)?;
        let expires = now.floored().plus(request.lifetime);
        Ok((issued, Held { request, expires }))
    }
}

/// Where a node's own components find the API server, whatever its addresses are.
pub const LOCAL_SERVER: &str = "https://127.0.0.1:6443";
