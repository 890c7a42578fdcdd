//! What follows from what was found. Pure.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    found::{Common, Entry, Found, Holder},
    mounts, netfilter,
    places::Places,
    process,
    step::{Keep, Step},
};
use crate::sys::netlink::Link;

/// The interfaces that the built-in pod network and kube-proxy make, besides flannel's.
const INTERFACES: [&str; 2] = ["cni0", "kube-ipvs0"];
/// How flannel's begin, one for each family; the network's identifier (`spec.network.flannel.vni`) follows.
const FLANNEL: [&str; 2] = ["flannel.", "flannel-v6."];

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
pub fn plan(found: &Found, places: &Places) -> Vec<Step> {
    let alone = found.is_here(places) && process::neighbour(found, places).is_none();
    let sharing = if alone { Sharing::Alone } else { Sharing::Careful };
    let mut steps: Vec<Step> = process::ours(&found.processes, places)
        .into_iter()
        .map(|process| Step::Kill { pid: process.pid, name: process.name().to_owned() })
        .collect();
    let pairs = places.pairs();
    let mine = if owns_kubelet(found, places) { &pairs } else { &pairs[1..] };
    let real: Vec<&Path> = mine.iter().map(|(_, real)| *real).collect();
    steps.extend(mounts::below(&found.mounts, &real).into_iter().map(|point| Step::Unmount(point.to_owned())));
    if sharing == Sharing::Alone {
        steps.extend(interfaces(&found.links));
        steps.extend(filters(found, places));
    }
    steps.extend(common(found, places, sharing));
    steps.extend(groups(found, sharing).map(|group| Step::Group(group.to_owned())));
    steps.extend(mine.iter().flat_map(|pair| folder(found, *pair)));
    steps.extend(found.services.iter().copied().map(Step::Service));
    steps.extend(found.accounts.iter().map(|name| Step::Account((*name).to_owned())));
    steps
}

/// The kubelet's folder has the same place for every kubelet: it is ours if it lies in a folder of ours, or if sk8s was here
/// and no other kubelet runs.
fn owns_kubelet(found: &Found, places: &Places) -> bool {
    let real = &places.real;
    let inside = real.kubelet.starts_with(&real.data) || real.kubelet.starts_with(&real.run);
    inside || (found.is_here(places) && process::neighbour(found, places).is_none())
}

/// A folder, and then the link to it. Where a disk is mounted, the owner's link to that stays with it.
fn folder(found: &Found, (spelled, real): (&Path, &Path)) -> Vec<Step> {
    let there = found.folders.contains(real);
    let keep = if mounts::is_disk(&found.mounts, real) { Keep::Itself } else { Keep::Nothing };
    let goes = found.symlinks.contains(spelled) && !(there && keep == Keep::Itself);
    let folder = there.then(|| Step::Folder(real.to_owned(), keep));
    folder.into_iter().chain(goes.then(|| Step::Link(spelled.to_owned()))).collect()
}

fn interfaces(links: &[Link]) -> Vec<Step> {
    let bridge = links.iter().find(|link| link.name == "cni0").map(|link| link.index);
    let port = |link: &&Link| bridge.is_some() && link.bridge == bridge;
    let ports = links.iter().filter(port);
    let ours = |link: &Link| INTERFACES.contains(&link.name.as_str()) || is_flannels(link);
    let named = links.iter().filter(|link| ours(link) && !port(link));
    ports.chain(named).map(|link| Step::Interface { index: link.index, name: link.name.clone() }).collect()
}

fn is_flannels(link: &Link) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let named = FLANNEL.iter().any(|head| link.name.strip_prefix(head).is_some_and(is_number));
    named && link.kind.as_deref() == Some("vxlan")
}

fn filters(found: &Found, places: &Places) -> Vec<Step> {
    let foreign = |common: &Common| common.entries.iter().any(|entry| is_foreign(entry, places));
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
fn is_foreign(entry: &Entry, places: &Places) -> bool {
    matches!(&entry.holder, Holder::Namespace(path) if !is_in_run(path, places))
}

fn is_in_run(path: &Path, places: &Places) -> bool {
    places.both().iter().any(|paths| path.starts_with(&paths.run))
}

/// What is ours at shared places, and the places themselves once nothing is left in them.
fn common(found: &Found, places: &Places, sharing: Sharing) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut gone = BTreeSet::new();
    for Common { folder, entries } in &found.common {
        for entry in entries.iter().filter(|entry| is_ours(entry, found, (places, sharing))) {
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

fn is_ours(entry: &Entry, found: &Found, (places, sharing): (&Places, Sharing)) -> bool {
    match &entry.holder {
        Holder::Ours => true,
        Holder::Pod(uid) => sharing == Sharing::Alone || found.ledger.pods.contains(uid),
        Holder::Namespace(path) => is_in_run(path, places),
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
