//! Upstream's components: what each is started with. Pure: values in, command lines and files out.

mod apiserver;
mod containerd;
mod controller_manager;
mod flannel;
mod kine;
mod kubelet;
mod memory;
mod owner;
mod proxy;
mod scheduler;
mod spec;

use std::path::PathBuf;

pub use containerd::images;
pub use owner::account;
pub use spec::{ComponentId, ComponentSpec, Handover, KillScope, Need, Probe, Stage};

use crate::{config::Settings, duty::Duty, paths::Paths, pki::LeafId, sys::machine::Machine};

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
    let all = ComponentId::ALL.into_iter().filter(|id| plan.duty.runs(*id)).map(|id| spec(id, plan)).collect();
    owner::adjust(plan, all)
}

fn spec(id: ComponentId, plan: &Plan<'_>) -> ComponentSpec {
    let mut spec = match id {
        ComponentId::Kine => kine::spec(plan),
        ComponentId::KubeApiserver => apiserver::spec(plan),
        ComponentId::KubeControllerManager => controller_manager::spec(plan),
        ComponentId::KubeScheduler => scheduler::spec(plan),
        ComponentId::Containerd => containerd::spec(plan),
        ComponentId::Kubelet => kubelet::spec(plan),
        ComponentId::KubeProxy => proxy::spec(plan),
        ComponentId::Flannel => flannel::spec(plan),
    };
    // What runs on another node is reached through this node's own way to it, and is not waited for here.
    spec.needs.retain(|need| plan.duty.runs(need.component));
    spec
}

/// The files that a node's components read, certificates aside.
#[must_use]
pub fn files(plan: &Plan<'_>) -> Vec<Rendered> {
    ComponentId::ALL.into_iter().filter(|id| plan.duty.runs(*id)).flat_map(|id| files_of(id, plan)).collect()
}

fn files_of(id: ComponentId, plan: &Plan<'_>) -> Vec<Rendered> {
    match id {
        ComponentId::KubeApiserver => vec![apiserver::file(plan)],
        ComponentId::Containerd => containerd::files(plan),
        ComponentId::Kubelet => kubelet::files(plan),
        ComponentId::KubeProxy => proxy::file(plan).into_iter().collect(),
        ComponentId::Flannel => flannel::file(plan).into_iter().collect(),
        ComponentId::Kine | ComponentId::KubeControllerManager | ComponentId::KubeScheduler => Vec::new(),
    }
}

impl Plan<'_> {
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
