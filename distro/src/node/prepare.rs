//! What must be there before the first component starts: kernel settings, folders, keys, rendered files.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{
    run::Order,
    standing::{EnrolError, Standing},
    upgrade::UpgradeError,
};
use crate::{
    api::{ApiError, Client},
    backup::BackupError,
    component::{self, ComponentSpec, Plan},
    config::{DualStack, Invalid, Raw, Runtime, Settings},
    datastore::{self, DatastoreError},
    duty::Duty,
    images::{self, Ctr, ImportError},
    join::Membership,
    link::{Credentials, Own, PORT, Ranges, TlsError},
    network,
    paths::Paths,
    peers::{EtcdError, Known, KnownError},
    pki::{CertError, Desk, Held, Identity, LeafId, PkiError, Shelf},
    supervisor::chain,
    sys::{
        accounts::Account,
        clock,
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
    /// The configuration of a controller that makes the cluster.
    #[error("the configuration asks for what cannot be")]
    Invalid(#[source] Invalid),
    /// An account that the configuration names.
    #[error("spec.installConfig.users: there is no account `{name}` for `{component}` to run as")]
    NoAccount {
        /// Who would run as it.
        component: &'static str,
        /// Its name.
        name: String,
    },
    /// The keys of Secrets are gone, and the Secrets are there.
    #[error(
        "`{}` is gone, and with it the keys of the Secrets in `{}`: take it from another controller's folder or from a backup",
        .keyring.display(), .objects.display()
    )]
    NoKeyring {
        /// The file that is gone.
        keyring: PathBuf,
        /// The datastore.
        objects: PathBuf,
    },
    /// Our own client.
    #[error(transparent)]
    Client(#[from] ApiError),
    /// Our own etcd.
    #[error(transparent)]
    Etcd(#[from] EtcdError),
    /// What is known of other controllers.
    #[error(transparent)]
    Known(#[from] KnownError),
    /// A certificate of our own.
    #[error(transparent)]
    Cert(#[from] CertError),
    /// A certificate of the supervisor itself was not issued.
    #[error("the supervisor has no keys of its own")]
    NoKeys,
    /// Joining.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The link's keys.
    #[error(transparent)]
    Link(#[from] TlsError),
    /// The API's port on loopback.
    #[error("could not listen on 127.0.0.1:{PORT}, where this node's components look for the API")]
    Port(#[source] std::io::Error),
    /// A restore that did not end.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Where the cluster's objects are kept.
    #[error(transparent)]
    Datastore(#[from] DatastoreError),
    /// What another version left.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
}

/// What a node is made from.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What it does.
    pub duty: Duty,
    /// What it is to be, as its owner wrote it.
    pub raw: Raw,
    /// What other nodes are to be too: the text of a configuration.
    pub shared: String,
    /// What other controllers are to be too: the text of a configuration.
    pub controllers: String,
    /// What is known of other members of etcd.
    pub known: Known,
    /// What it is to be.
    pub settings: Settings,
    /// Where things are.
    pub paths: Paths,
    /// What the machine is.
    pub machine: Machine,
    /// What it has of its cluster.
    pub standing: Standing,
    /// The built-in images by name.
    pub images: BTreeMap<String, String>,
    /// The certificates that it issued itself.
    pub held: BTreeMap<LeafId, Held>,
}

/// Makes everything that components find when they start, and the client of the supervisor itself.
///
/// # Errors
/// At the first thing that cannot be made.
pub fn prepare(order: Order, machine: Machine, standing: Standing) -> Result<(Prepared, Keys), NodeError> {
    let Order { duty, raw, settings, paths, .. } = order;
    kernel(settings.dual);
    accounts(&settings, &machine)?;
    let images = settings.images.over(images::builtin(&paths)?);
    if settings.proxy.is_none() {
        without_proxy(&paths);
    }
    if duty.works() {
        network::settle(&settings, &paths)?;
    }
    let (shared, controllers) = (raw.shared(), raw.controllers());
    let known = Known::load(&paths.peers(), &paths.etcd())?;
    let mut node = Prepared {
        duty,
        raw,
        shared,
        controllers,
        known,
        settings,
        paths,
        machine,
        standing,
        images,
        held: BTreeMap::new(),
    };
    node.folders()?;
    node.note_runtime()?;
    for component in component::of(duty, &node.settings) {
        if !component.needs_root() && component::account(&node.settings, &node.machine, component) == Account::ROOT {
            tracing::warn!("`{component}` has no account of its own: it runs as root");
        }
    }
    let keys = match node.standing.clone() {
        Standing::Owner(identity) => node.issue_all(&identity)?,
        Standing::Member(member) => node.put_all(&member)?,
    };
    if duty.controls() {
        datastore::copy_proof(&node.settings, &node.paths, &node.machine)?;
    }
    node.render()?;
    Ok((node, keys))
}

fn accounts(settings: &Settings, machine: &Machine) -> Result<(), NodeError> {
    let missing = settings.users.all().find(|(_, name)| Account::find(&machine.passwd, name).is_none());
    missing.map_or(Ok(()), |(component, name)| Err(NodeError::NoAccount { component, name: name.to_owned() }))
}

/// The supervisor's own keys.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The API: with the owner's rights on a controller, with the node's on a worker.
    pub client: Client,
    /// The link: a controller answers with it, a worker calls.
    pub link: Credentials,
    /// With which a controller where pods run calls other controllers.
    pub node: Option<Credentials>,
}

/// kube-proxy's rules outlive it: where something else is to do its work, they would stand in the way.
fn without_proxy(paths: &Paths) {
    let search = process::search_path(&paths.components);
    let env = [("PATH", search.as_str())];
    if let Err(error) = process::tool(&paths.components.join("kube"), &["kube-proxy", "--cleanup"], &env) {
        tracing::warn!(error = %chain(&error), "rules of an earlier kube-proxy may be left");
    }
}

/// Modules that may be built in, and settings that routing between pods needs: what cannot be set shows later in what
/// does not work, and is told here.
fn kernel(dual: Option<DualStack>) {
    for module in ["overlay", "br_netfilter", "nf_conntrack"] {
        if let Err(error) = process::output(Path::new("modprobe"), &["--quiet", module]) {
            tracing::debug!(module, %error, "not loaded");
        }
    }
    let mut settings =
        vec![("net/ipv4/ip_forward".to_owned(), "1"), ("net/bridge/bridge-nf-call-iptables".to_owned(), "1")];
    if dual.is_some() {
        settings.extend(advertised().map(|name| (format!("net/ipv6/conf/{name}/accept_ra"), "2")));
        settings.push(("net/ipv6/conf/all/forwarding".to_owned(), "1"));
        settings.push(("net/bridge/bridge-nf-call-ip6tables".to_owned(), "1"));
    }
    for (key, value) in settings {
        if let Err(error) = fs::write_kernel(&Path::new("/proc/sys").join(key), value) {
            tracing::warn!(%error, "pods may not reach each other");
        }
    }
}

/// The interfaces that get addresses and routes from a router's advertisements: once the kernel forwards, it heeds those only
/// where it is told so (`accept_ra` in ip-sysctl).
fn advertised() -> impl Iterator<Item = String> {
    let folders = fs::list(Path::new("/proc/sys/net/ipv6/conf")).unwrap_or_default();
    folders.into_iter().filter_map(|folder| {
        let heeds = fs::read_to_string(&folder.join("accept_ra")).is_ok_and(|value| value.trim() == "1");
        heeds.then(|| folder.file_name().map(|name| name.to_string_lossy().into_owned())).flatten()
    })
}

impl Prepared {
    /// What components are made from.
    ///
    /// # Errors
    /// If the pause image is not known.
    pub fn plan(&self) -> Result<Plan<'_>, NodeError> {
        let pause = self.image("pause")?;
        Ok(Plan {
            duty: self.duty,
            settings: &self.settings,
            paths: &self.paths,
            machine: &self.machine,
            known: &self.known,
            pause,
        })
    }

    fn folders(&self) -> Result<(), FsError> {
        let Self { duty, paths, .. } = self;
        let mut folders = vec![paths.data.clone(), paths.run.clone(), paths.link()];
        if duty.controls() {
            folders.push(paths.manifests());
        }
        if duty.works() {
            folders.extend([paths.kubelet.clone(), paths.cni_config()]);
        }
        for folder in &folders {
            fs::create_folder(folder, Access::Public, Account::ROOT)?;
        }
        if duty.controls() {
            fs::create_folder(&paths.admin(), Access::Private, Account::ROOT)?;
            datastore::folder(&self.settings, paths, &self.machine)?;
        }
        Ok(())
    }

    /// Notes another runtime than ours, for whoever removes sk8s from the machine: what runs there is not ours to end.
    fn note_runtime(&self) -> Result<(), FsError> {
        let path = self.paths.external_runtime();
        match &self.settings.runtime {
            Runtime::External(socket) if self.duty.works() => {
                let text = format!("{}\n", socket.display());
                fs::write(&path, text.as_bytes(), Access::Public, Account::ROOT)
            }
            Runtime::Own | Runtime::External(_) => fs::remove_file(&path),
        }
    }

    /// The node's images, as far as its runtime is a containerd.
    pub(super) fn ctr(&self) -> Ctr {
        Ctr::new(&self.paths, &self.settings.runtime.socket(&self.paths))
    }

    /// A controller issues all its certificates anew at each start.
    fn issue_all(&mut self, identity: &Identity) -> Result<Keys, NodeError> {
        let now = clock::now();
        let desk = Desk { identity, shelf: self.shelf() };
        for component in component::of(self.duty, &self.settings) {
            desk.furnish(component)?;
        }
        let mut held = BTreeMap::new();
        let mut own = BTreeMap::new();
        for leaf in LeafId::of(self.duty, &self.settings) {
            let (issued, has) = desk.issue(leaf, now)?;
            held.insert(leaf, has);
            own.insert(leaf, issued);
        }
        self.held = held;
        let leaf = |id| own.get(&id).cloned().ok_or(NodeError::NoKeys);
        let client = Client::new(&identity.ca.certificate, &leaf(LeafId::Admin)?)?;
        let authority = identity.ca.certificate.clone();
        let node = own.get(&LeafId::Kubelet).cloned().map(|leaf| Credentials { authority: authority.clone(), leaf });
        Ok(Keys { client, link: Credentials { authority, leaf: leaf(LeafId::Link)? }, node })
    }

    /// A worker lays out what it was given.
    pub(super) fn put_all(&self, member: &Membership) -> Result<Keys, NodeError> {
        let shelf = self.shelf();
        for component in component::of(self.duty, &self.settings) {
            shelf.furnish(component)?;
        }
        shelf.put(LeafId::Kubelet, &member.node_leaf())?;
        shelf.put(LeafId::KubeletServer, &member.server_leaf())?;
        shelf.put(LeafId::KubeProxy, &member.proxy_leaf())?;
        let client = Client::new(&member.admission.authority, &member.node_leaf())?;
        Ok(Keys { client, link: member.credentials(), node: None })
    }

    /// Where the keys of this boot lie.
    #[must_use]
    pub fn shelf(&self) -> Shelf<'_> {
        Shelf {
            duty: self.duty,
            settings: &self.settings,
            machine: &self.machine,
            paths: &self.paths,
            authority: self.standing.authority(),
        }
    }

    /// Where other members of etcd reach this node's.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.settings.peer_address().unwrap_or(self.machine.address)
    }

    /// What the node knows of itself when it is called over the link.
    #[must_use]
    pub fn own(&self) -> Own {
        Own {
            node: self.settings.node.clone(),
            addresses: self.machine.addresses.clone(),
            ranges: Ranges { pods: self.settings.pods, services: self.settings.services, dual: self.settings.dual },
        }
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
        Ok(component::components(&self.plan()?))
    }

    /// Writes the files that components read, those that are not as they should be.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn render(&self) -> Result<(), NodeError> {
        for file in component::files(&self.plan()?) {
            if fs::read_if_there(&file.path)?.as_deref() != Some(&file.text) {
                fs::write(&file.path, file.text.as_bytes(), Access::Public, Account::ROOT)?;
            }
        }
        Ok(())
    }
}
