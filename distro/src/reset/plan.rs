//! What follows from what was found. Pure.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    found::{Common, Entry, Found, Holder},
    mounts, netfilter, process,
    step::{Keep, Step},
};
use crate::{paths::Paths, sys::netlink::Link};

/// The interfaces that the built-in pod network and kube-proxy make.
const INTERFACES: [&str; 6] = ["cni0", "flannel.1", "flannel-v6.1", "flannel-wg", "flannel-wg-v6", "kube-ipvs0"];

/// Whether what all kubelets share is ours to take away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// It is: sk8s was here, and no other kubelet or runtime runs.
    Alone,
    /// Only what is known to be ours by more than its name.
    Careful,
}

/// All that is left of sk8s, in the order in which it is to go; nothing once it is all gone.
#[must_use]
pub fn plan(found: &Found, paths: &Paths) -> Vec<Step> {
    let alone = found.is_here(paths) && process::neighbour(found, paths).is_none();
    let sharing = if alone { Sharing::Alone } else { Sharing::Careful };
    let mut steps: Vec<Step> = process::ours(&found.processes, paths)
        .into_iter()
        .map(|process| Step::Kill { pid: process.pid, name: process.name().to_owned() })
        .collect();
    let folders = [&paths.kubelet, &paths.run, &paths.data].map(|folder| folder.as_path());
    let mine: &[&Path] = if owns_kubelet(found, paths) { &folders } else { &folders[1..] };
    steps.extend(mounts::below(&found.mounts, mine).into_iter().map(|point| Step::Unmount(point.to_owned())));
    if sharing == Sharing::Alone {
        steps.extend(interfaces(&found.links));
        steps.extend(filters(found, paths));
    }
    steps.extend(common(found, paths, sharing));
    steps.extend(groups(found, sharing).map(|group| Step::Group(group.to_owned())));
    for folder in mine.iter().filter(|folder| found.folders.contains(**folder)) {
        let keep = if mounts::is_disk(&found.mounts, folder) { Keep::Itself } else { Keep::Nothing };
        steps.push(Step::Folder((*folder).to_owned(), keep));
    }
    steps.extend(found.services.iter().copied().map(Step::Service));
    steps.extend(found.accounts.iter().map(|name| Step::Account((*name).to_owned())));
    steps
}

/// The kubelet's folder has the same place for every kubelet: it is ours if it lies in a folder of ours, or if sk8s was here
/// and no other kubelet runs.
fn owns_kubelet(found: &Found, paths: &Paths) -> bool {
    let inside = paths.kubelet.starts_with(&paths.data) || paths.kubelet.starts_with(&paths.run);
    inside || (found.is_here(paths) && process::neighbour(found, paths).is_none())
}

fn interfaces(links: &[Link]) -> Vec<Step> {
    let bridge = links.iter().find(|link| link.name == "cni0").map(|link| link.index);
    let port = |link: &&Link| bridge.is_some() && link.bridge == bridge;
    let ports = links.iter().filter(port);
    let named = links.iter().filter(|link| INTERFACES.contains(&link.name.as_str()) && !port(link));
    ports.chain(named).map(|link| Step::Interface { index: link.index, name: link.name.clone() }).collect()
}

fn filters(found: &Found, paths: &Paths) -> Vec<Step> {
    let foreign = |common: &Common| common.entries.iter().any(|entry| is_foreign(entry, paths));
    let others_ports = found.common.iter().any(foreign);
    let ours = found.tables.iter().filter(|table| table.is_ours() && !(table.name == "cni_hostport" && others_ports));
    let tables = ours.map(|table| Step::Table(table.family.clone(), table.name.clone()));
    let restorer = |program: &str| match program {
        "ip6tables-save" => "ip6tables-restore",
        _ => "iptables-restore",
    };
    let chains = found.saved.iter().filter_map(|(program, text)| {
        netfilter::surgery(text).map(|script| Step::Chains { program: restorer(program), script })
    });
    tables.chain(chains).collect()
}

/// Whether it is of a pod that some other runtime put into a network.
fn is_foreign(entry: &Entry, paths: &Paths) -> bool {
    matches!(&entry.holder, Holder::Namespace(path) if !path.starts_with(&paths.run))
}

/// What is ours at shared places, and the places themselves once nothing is left in them.
fn common(found: &Found, paths: &Paths, sharing: Sharing) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut gone = BTreeSet::new();
    for Common { folder, entries } in &found.common {
        for entry in entries.iter().filter(|entry| is_ours(entry, found, (paths, sharing))) {
            gone.insert(entry.path.clone());
            steps.push(Step::Remove(entry.path.clone()));
        }
        let emptied = entries.iter().all(|entry| gone.contains(&entry.path))
            && (!entries.is_empty() || is_made_by_runtimes(folder));
        if sharing == Sharing::Alone && emptied {
            gone.insert(folder.clone());
            steps.push(Step::RemoveEmpty(folder.clone()));
        }
    }
    steps.extend(found.files.iter().cloned().map(Step::Remove));
    steps
}

/// Whether only runtimes and kubelets make it; other places may be there, empty, since before.
fn is_made_by_runtimes(folder: &Path) -> bool {
    folder.starts_with("/run") || folder.starts_with("/var")
}

fn is_ours(entry: &Entry, found: &Found, (paths, sharing): (&Paths, Sharing)) -> bool {
    match &entry.holder {
        Holder::Ours => true,
        Holder::Pod(uid) => sharing == Sharing::Alone || found.ledger.pods.contains(uid),
        Holder::Namespace(path) => path.starts_with(&paths.run),
        Holder::Nobody => sharing == Sharing::Alone || found.ledger.sockets.contains(&entry.path),
        Holder::Unknown => found.ledger.sockets.contains(&entry.path),
    }
}

/// The topmost groups that are ours: each goes with those in it.
fn groups(found: &Found, sharing: Sharing) -> impl Iterator<Item = &Path> {
    let ours = move |group: &Path| sharing == Sharing::Alone || is_pods(group, &found.ledger.pods);
    let top =
        move |group: &Path| group.parent().is_none_or(|above| !found.groups.iter().any(|g| g == above) || !ours(above));
    found.groups.iter().map(PathBuf::as_path).filter(move |group| ours(group) && top(group))
}

/// Whether a control group is that of a pod of ours: `…/podUID`, or `…-podUID.slice` with underscores, or below such a one.
fn is_pods(group: &Path, pods: &BTreeSet<String>) -> bool {
    let text = group.to_string_lossy();
    pods.iter()
        .any(|uid| text.contains(&format!("pod{uid}")) || text.contains(&format!("pod{}", uid.replace('-', "_"))))
}

#[cfg(test)]
mod tests;
