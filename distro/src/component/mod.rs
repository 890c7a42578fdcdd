//! Upstream's components: what each is started with. Pure: values in, command lines and files out.

mod apiserver;
mod containerd;
mod controller_manager;
pub mod etcd;
mod flannel;
mod kine;
mod kubelet;
mod metrics_server;
mod owner;
mod proxy;
mod reason;
mod scheduler;
mod share;
mod spec;

use std::{net::Ipv6Addr, path::PathBuf};

pub use containerd::{REGISTRIES, images};
pub use etcd::CLIENT_URL as ETCD_CLIENT_URL;
pub use flannel::HEALTH_PORT as FLANNEL_PORT;
pub use kine::SOURCE_VARIABLE;
pub use metrics_server::PORT as METRICS_PORT;
pub use owner::account;
pub use reason::Reason;
pub use spec::{ComponentId, ComponentSpec, Handover, KillScope, Need, Probe, Stage};

use crate::{
    config::{DualStack, MetricsServer, Provider, Runtime, Settings, Storage},
    datastore,
    duty::Duty,
    network,
    paths::Paths,
    peers::Known,
    pki::LeafId,
    sys::machine::Machine,
};

/// What components are made from.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What the node does.
    pub duty: Duty,
    /// What the node is to be.
    pub settings: &'a Settings,
    /// Where things are.
    pub paths: &'a Paths,
    /// What the machine is.
    pub machine: &'a Machine,
    /// What is known of other members of etcd.
    pub known: &'a Known,
    /// Reference of the pause image.
    pub pause: &'a str,
}

/// A file that a component reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Where it is written.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A node's components, in the order in which they are named to people; none comes before one that it needs.
#[must_use]
pub fn components(plan: &Plan<'_>) -> Vec<ComponentSpec> {
    owner::adjust(plan, of(plan.duty, plan.settings).filter_map(|id| spec(id, plan)).collect())
}

/// What a node of this duty may run for a cluster that is to be so; none comes before one that it needs.
pub fn of(duty: Duty, settings: &Settings) -> impl Iterator<Item = ComponentId> + use<> {
    let kept = datastore::component(&settings.storage);
    let own = settings.runtime == Runtime::Own;
    let metrics = settings.metrics_server == MetricsServer::On;
    let keeps = move |id| match id {
        ComponentId::Kine | ComponentId::Etcd => kept == Some(id),
        ComponentId::Containerd => own,
        ComponentId::MetricsServer => metrics,
        _ => true,
    };
    ComponentId::ALL.into_iter().filter(move |id| id.runs_on(duty) && keeps(*id))
}

/// `None` for a datastore that the cluster's objects are not in.
fn spec(id: ComponentId, plan: &Plan<'_>) -> Option<ComponentSpec> {
    let mut spec = match (id, &plan.settings.storage) {
        (ComponentId::Kine, Storage::Kine { source }) => kine::spec(plan, source),
        (ComponentId::Etcd, Storage::Etcd(member)) => etcd::spec(plan, member),
        (ComponentId::Kine | ComponentId::Etcd, _) => return None,
        (ComponentId::KubeApiserver, _) => apiserver::spec(plan),
        (ComponentId::KubeControllerManager, _) => controller_manager::spec(plan),
        (ComponentId::KubeScheduler, _) => scheduler::spec(plan),
        (ComponentId::MetricsServer, _) => metrics_server::spec(plan),
        (ComponentId::Containerd, _) => containerd::spec(plan),
        (ComponentId::Kubelet, _) => kubelet::spec(plan),
        (ComponentId::KubeProxy, _) => proxy::spec(plan),
        (ComponentId::Flannel, _) => flannel::spec(plan),
    };
    // What runs on another node is reached through this node's own way to it, and is not waited for here; nor is what its
    // owner runs.
    spec.needs.retain(|need| of(plan.duty, plan.settings).any(|id| id == need.component));
    Some(spec)
}

/// The files that a node's components read, certificates aside.
#[must_use]
pub fn files(plan: &Plan<'_>) -> Vec<Rendered> {
    of(plan.duty, plan.settings).flat_map(|id| files_of(id, plan)).chain(pod_network(plan)).collect()
}

/// What the runtime is told of the pods' network, as far as it is known before the cluster runs: a part of a network of several
/// nodes is known only once the cluster has given it.
fn pod_network(plan: &Plan<'_>) -> Option<Rendered> {
    let text = match plan.settings.provider {
        Provider::None if plan.duty.works() => network::nobody(),
        Provider::Flannel(_) if plan.duty == Duty::Single => {
            network::single(plan.settings, plan.dual().map(|(dual, _)| dual), plan.paths)
        }
        Provider::None | Provider::Flannel(_) | Provider::Custom => return None,
    };
    Some(Rendered { path: network::path(plan.settings, plan.paths), text })
}

fn files_of(id: ComponentId, plan: &Plan<'_>) -> Vec<Rendered> {
    match id {
        ComponentId::KubeApiserver => vec![apiserver::file(plan)],
        ComponentId::Containerd => containerd::files(plan),
        ComponentId::Kubelet => kubelet::files(plan),
        ComponentId::KubeProxy => proxy::file(plan).into_iter().collect(),
        ComponentId::Flannel => flannel::file(plan).into_iter().collect(),
        ComponentId::Kine
        | ComponentId::Etcd
        | ComponentId::KubeControllerManager
        | ComponentId::KubeScheduler
        | ComponentId::MetricsServer => Vec::new(),
    }
}

impl Plan<'_> {
    /// IPv6 beside IPv4, and the node's own address of that family; `None` also where the machine has none.
    fn dual(&self) -> Option<(DualStack, Ipv6Addr)> {
        self.settings.dual.zip(self.machine.second)
    }

    /// The node's addresses, the first before the second.
    fn node_addresses(&self) -> String {
        let first = self.machine.address;
        self.dual().map_or_else(|| first.to_string(), |(_, second)| format!("{first},{second}"))
    }

    /// Path of a leaf's certificate.
    fn certificate(&self, leaf: LeafId) -> String {
        leaf.certificate(self.paths).display().to_string()
    }

    /// Path of a leaf's key.
    fn key(&self, leaf: LeafId) -> String {
        leaf.key(self.paths).display().to_string()
    }

    /// A path in a component's own folder.
    fn own(&self, component: ComponentId, name: &str) -> String {
        self.paths.of(component).join(name).display().to_string()
    }

    /// The multi-call program and the part of it to be.
    fn kube(&self, component: ComponentId) -> (PathBuf, Vec<String>) {
        (self.paths.components.join("kube"), vec![component.as_str().to_owned()])
    }
}

#[cfg(test)]
pub(crate) mod tests;
