//! Upstream's components: what each is started with. Pure: values in, command lines and files out.

mod apiserver;
mod containerd;
mod controller_manager;
pub mod etcd;
mod kine;
mod kubelet;
mod memory;
mod proxy;
mod scheduler;
mod spec;

use std::path::PathBuf;

use skerry_formats::role::Role;

pub use containerd::images;
pub use kine::SOURCE_VARIABLE;
pub use spec::{ComponentId, ComponentSpec, Handover, KillScope, Need, Probe, Stage};

use crate::{
    config::{Settings, Storage},
    paths::Paths,
    pki::LeafId,
    sys::machine::Machine,
};

/// What components are made from.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
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

/// The components of a role, in the order in which they are named to people.
///
/// A role whose components are not all here yet has none: the command line does not offer it.
#[must_use]
pub fn components(plan: &Plan<'_>, role: Role) -> Vec<ComponentSpec> {
    let control = || {
        let mut control = Vec::from_iter(datastore(plan));
        control.extend([apiserver::spec(plan), controller_manager::spec(plan, role), scheduler::spec(plan, role)]);
        control
    };
    match role {
        Role::Controller => control(),
        Role::Worker => Vec::new(),
        Role::Single => {
            let mut all = control();
            all.extend([containerd::spec(plan), kubelet::spec(plan), proxy::spec(plan)]);
            all
        }
    }
}

/// What keeps the cluster's objects, where we run it.
fn datastore(plan: &Plan<'_>) -> Option<ComponentSpec> {
    match &plan.settings.storage {
        Storage::Kine { source } => Some(kine::spec(plan, source)),
        Storage::Etcd(member) => Some(etcd::spec(plan, member)),
        Storage::External(_) => None,
    }
}

/// The files that a role's components read, certificates aside.
#[must_use]
pub fn files(plan: &Plan<'_>, role: Role) -> Vec<Rendered> {
    match role {
        Role::Controller | Role::Worker => Vec::new(),
        Role::Single => {
            let mut all = containerd::files(plan);
            all.extend(kubelet::files(plan));
            all.push(proxy::file(plan));
            all
        }
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
mod tests;
