//! What must be there before the first component starts: kernel settings, folders, keys, rendered files.

use std::{collections::BTreeMap, path::Path};

use skerry_formats::role::Role;

use crate::{
    api::{ApiError, Client},
    backup::BackupError,
    component::{self, ComponentId, ComponentSpec, Plan},
    config::Settings,
    datastore::{self, DatastoreError},
    images::{self, ImportError},
    paths::Paths,
    pki::{self, Desk, EtcdUse, Held, Identity, LeafId, PkiError, UnixTime},
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
        machine::Machine,
        process,
    },
};

/// A node that cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// Keys.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The list of built-in images.
    #[error(transparent)]
    Images(#[from] ImportError),
    /// A built-in image is missing.
    #[error("`images.json` names no `{0}`")]
    NoImage(&'static str),
    /// Our own client.
    #[error(transparent)]
    Client(#[from] ApiError),
    /// A restore that did not end.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Where the cluster's objects are kept.
    #[error(transparent)]
    Datastore(#[from] DatastoreError),
}

/// What a node is made from.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What it is to be.
    pub settings: Settings,
    /// Its role.
    pub role: Role,
    /// Where things are.
    pub paths: Paths,
    /// What the machine is.
    pub machine: Machine,
    /// The cluster's keys.
    pub identity: Identity,
    /// The built-in images by name.
    pub images: BTreeMap<String, String>,
    /// The certificates that it has.
    pub held: BTreeMap<LeafId, Held>,
    /// The client with the owner's rights.
    pub client: Client,
}

/// Makes everything that components find when they start.
///
/// # Errors
/// At the first thing that cannot be made.
pub fn prepare(settings: Settings, role: Role, paths: Paths, machine: Machine) -> Result<Prepared, NodeError> {
    let now = crate::sys::clock::now();
    kernel();
    let images = images::builtin(&paths)?;
    let identity = pki::load_or_make(&paths.pki(), &settings.cluster, EtcdUse::of(&settings.storage), now)?;
    folders(&paths)?;
    datastore::folder(&settings.storage, &paths, &machine)?;
    let desk = Desk { identity: &identity, settings: &settings, machine: &machine, paths: &paths };
    for component in ROOMS.into_iter().chain(datastore::component(&settings.storage)) {
        if !component.needs_root() && component.account(&machine) == Account::ROOT {
            tracing::warn!("`{component}` has no account of its own: it runs as root");
        }
        desk.furnish(component)?;
    }
    let (held, client) = certificates(&desk, now)?;
    let prepared = Prepared { settings, role, paths, machine, identity, images, held, client };
    prepared.render()?;
    Ok(prepared)
}

const ROOMS: [ComponentId; 6] = [
    ComponentId::KubeApiserver,
    ComponentId::KubeControllerManager,
    ComponentId::KubeScheduler,
    ComponentId::Containerd,
    ComponentId::Kubelet,
    ComponentId::KubeProxy,
];

fn folders(paths: &Paths) -> Result<(), FsError> {
    for folder in [&paths.data, &paths.run, &paths.kubelet, &paths.manifests(), &paths.cni_config()] {
        fs::create_folder(folder, Access::Public, Account::ROOT)?;
    }
    fs::create_folder(&paths.admin(), Access::Private, Account::ROOT)
}

fn certificates(desk: &Desk<'_>, now: UnixTime) -> Result<(BTreeMap<LeafId, Held>, Client), NodeError> {
    let mut held = BTreeMap::new();
    let leaves = LeafId::of(&desk.settings.storage);
    for leaf in leaves.into_iter().filter(|leaf| *leaf != LeafId::Admin) {
        held.insert(leaf, desk.issue(leaf, now)?.1);
    }
    let (own, has) = desk.issue(LeafId::Admin, now)?;
    held.insert(LeafId::Admin, has);
    Ok((held, Client::new(&desk.identity.ca.certificate, &own)?))
}

/// Modules that may be built in, and settings that routing between pods needs: what cannot be set shows later in what
/// does not work, and is told here.
fn kernel() {
    for module in ["overlay", "br_netfilter", "nf_conntrack"] {
        if let Err(error) = process::output(Path::new("modprobe"), &["--quiet", module]) {
            tracing::debug!(module, %error, "not loaded");
        }
    }
    for key in ["net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"] {
        if let Err(error) = fs::write_kernel(&Path::new("/proc/sys").join(key), "1") {
            tracing::warn!(%error, "pods may not reach each other");
        }
    }
}

impl Prepared {
    /// What components are made from.
    ///
    /// # Errors
    /// If the pause image is not known.
    pub fn plan(&self) -> Result<Plan<'_>, NodeError> {
        let pause = self.image("pause")?;
        Ok(Plan { settings: &self.settings, paths: &self.paths, machine: &self.machine, pause })
    }

    /// Reference of a built-in image.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn image(&self, name: &'static str) -> Result<&str, NodeError> {
        self.images.get(name).map(String::as_str).ok_or(NodeError::NoImage(name))
    }

    /// The components as they are to be started.
    ///
    /// # Errors
    /// If the pause image is not known.
    pub fn components(&self) -> Result<Vec<ComponentSpec>, NodeError> {
        Ok(component::components(&self.plan()?, self.role))
    }

    /// Writes the files that components read, those that are not as they should be.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn render(&self) -> Result<(), NodeError> {
        datastore::copy_proof(&self.settings.storage, &self.paths, &self.machine)?;
        for file in component::files(&self.plan()?, self.role) {
            if fs::read_if_there(&file.path)?.as_deref() != Some(&file.text) {
                fs::write(&file.path, file.text.as_bytes(), Access::Public, Account::ROOT)?;
            }
        }
        Ok(())
    }

    /// The one who signs.
    #[must_use]
    pub fn desk(&self) -> Desk<'_> {
        Desk { identity: &self.identity, settings: &self.settings, machine: &self.machine, paths: &self.paths }
    }
}
