//! Where things are: one value, so that tests and trials can live beside a real node.

use std::path::PathBuf;

use crate::component::ComponentId;

/// The folder with programs for machines that have none of their own, among the components.
pub const SPARE: &str = "spare";

/// The folders of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// State that outlives a boot: keys, database, images, manifests.
    pub data: PathBuf,
    /// State of this boot: sockets, certificates, rendered configuration.
    pub run: PathBuf,
    /// Upstream's programs.
    pub components: PathBuf,
    /// Programs of the container network interface.
    pub cni: PathBuf,
    /// Archives of images that need no registry, and their list.
    pub images: PathBuf,
    /// Archives of the owner's images that came with the root file system.
    pub shipped: PathBuf,
    /// The kubelet's folder, which storage drivers expect at its usual place.
    pub kubelet: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            data: "/var/lib/sk8s".into(),
            run: "/run/sk8s".into(),
            components: "/usr/libexec/sk8s".into(),
            cni: "/usr/libexec/cni".into(),
            images: "/usr/share/sk8s/images".into(),
            shipped: "/usr/share/sk8s/images.d".into(),
            kubelet: "/var/lib/kubelet".into(),
        }
    }
}

impl Paths {
    /// The list of built-in images, beside their folder.
    #[must_use]
    pub fn images_list(&self) -> PathBuf {
        self.images.with_file_name("images.json")
    }

    /// Programs for machines that have none of their own.
    #[must_use]
    pub fn spare(&self) -> PathBuf {
        self.components.join(SPARE)
    }

    /// The list of the components' versions, among them.
    #[must_use]
    pub fn versions_list(&self) -> PathBuf {
        self.components.join("versions.json")
    }

    /// Folder of the authorities.
    #[must_use]
    pub fn pki(&self) -> PathBuf {
        self.data.join("pki")
    }

    /// A component's own folder of this boot, readable by it alone.
    #[must_use]
    pub fn of(&self, component: ComponentId) -> PathBuf {
        self.run.join(component.as_str())
    }

    /// The administrator's folder of this boot.
    #[must_use]
    pub fn admin(&self) -> PathBuf {
        self.run.join("admin")
    }

    /// The database's socket, in the folder of the component that makes it.
    #[must_use]
    pub fn kine_socket(&self) -> PathBuf {
        self.of(ComponentId::Kine).join("kine.sock")
    }

    /// The database of a cluster that keeps its objects in SQLite.
    #[must_use]
    pub fn sqlite(&self) -> PathBuf {
        self.data.join("db/state.db")
    }

    /// The note of which cluster's objects have been on this machine, and where.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.data.join("has-objects")
    }

    /// The folder of this controller's member of etcd.
    #[must_use]
    pub fn etcd(&self) -> PathBuf {
        self.data.join("etcd")
    }

    /// The database of this controller's member of etcd.
    #[must_use]
    pub fn etcd_database(&self) -> PathBuf {
        self.etcd().join("member/snap/db")
    }

    /// Folder of what joins this node to others.
    #[must_use]
    pub fn link(&self) -> PathBuf {
        self.run.join("link")
    }

    /// Where kube-apiserver asks to be connected with nodes and pods.
    #[must_use]
    pub fn egress_socket(&self) -> PathBuf {
        self.link().join("egress.sock")
    }

    /// Where metrics-server asks to be connected with kubelets.
    #[must_use]
    pub fn kubelets_socket(&self) -> PathBuf {
        self.link().join("kubelets.sock")
    }

    /// What kube-apiserver takes for `/etc/hosts`.
    #[must_use]
    pub fn hosts(&self) -> PathBuf {
        self.of(ComponentId::KubeApiserver).join("hosts")
    }

    /// Backups that a controller makes at intervals, unless its configuration names another folder.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.data.join("snapshots")
    }

    /// Backups that are made before another version of sk8s goes on.
    #[must_use]
    pub fn upgrades(&self) -> PathBuf {
        self.data.join("upgrades")
    }

    /// Which sk8s worked last on the data.
    #[must_use]
    pub fn version(&self) -> PathBuf {
        self.data.join("version")
    }

    /// What a worker was given when it joined.
    #[must_use]
    pub fn membership(&self) -> PathBuf {
        self.data.join("membership.json")
    }

    /// What a controller keeps of having joined others: the cluster's keys, so for root alone.
    #[must_use]
    pub fn appointment(&self) -> PathBuf {
        self.data.join("appointment.json")
    }

    /// The note that a controller of the cluster has answered: this one joins it then, and makes none of its own.
    #[must_use]
    pub fn heard(&self) -> PathBuf {
        self.data.join("heard")
    }

    /// What a controller knows of the other members of etcd before its own runs.
    #[must_use]
    pub fn peers(&self) -> PathBuf {
        self.data.join("peers.json")
    }

    /// containerd's socket.
    #[must_use]
    pub fn containerd_socket(&self) -> PathBuf {
        self.run.join("containerd.sock")
    }

    /// The note of a runtime that is not sk8s' own: the path of its socket.
    #[must_use]
    pub fn external_runtime(&self) -> PathBuf {
        self.data.join("external-runtime")
    }

    /// Where `sk8s status` asks.
    #[must_use]
    pub fn status_socket(&self) -> PathBuf {
        self.run.join("status.sock")
    }

    /// Which configuration the running node was started with: its digest and its path, as sha256sum(1) writes them.
    #[must_use]
    pub fn started_with(&self) -> PathBuf {
        self.run.join("config.sha256")
    }

    /// Folder of the pod network's configuration.
    #[must_use]
    pub fn cni_config(&self) -> PathBuf {
        self.run.join("cni")
    }

    /// Where flannel tells what it made of the node's part of the pod network.
    #[must_use]
    pub fn flannel_subnet(&self) -> PathBuf {
        self.of(ComponentId::Flannel).join("subnet.env")
    }

    /// Where the owner puts archives of images.
    #[must_use]
    pub fn owners_images(&self) -> PathBuf {
        self.data.join("images")
    }

    /// What helm fetched, and a sign that charts were brought into the cluster from here.
    #[must_use]
    pub fn helm(&self) -> PathBuf {
        self.data.join("helm")
    }

    /// What helm is told in this boot.
    #[must_use]
    pub fn helm_private(&self) -> PathBuf {
        self.run.join("helm")
    }

    /// Folder of what the owner wants in the cluster.
    #[must_use]
    pub fn manifests(&self) -> PathBuf {
        self.data.join("manifests")
    }
}
