//! Looks at the machine.

use std::{
    collections::BTreeSet,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use super::{
    ResetError,
    found::{Common, Entry, Found, Holder, Ledger},
    mounts::{self, Mount},
    netfilter::{self, Table},
    places::Places,
    process::Process,
};
use crate::{
    images::external_runtime,
    network,
    paths::Paths,
    payload,
    service::{self, Control, Init, ServiceRole},
    sys::{fs, netlink, process as programs},
};

/// Looks.
///
/// # Errors
/// If the kernel's own files cannot be read. What else cannot be looked at is taken as not there, and told.
pub fn observe(places: &Places) -> Result<Found, ResetError> {
    let mounts = mounts::parse(&fs::read_lossy(Path::new("/proc/self/mountinfo"))?);
    let (folders, symlinks) = ours(places);
    let services = services();
    let links: Vec<PathBuf> = places.both().into_iter().flat_map(network::left).collect();
    Ok(Found {
        processes: processes()?,
        links: told(netlink::links()),
        tables: nft(places).map_or_else(Vec::new, |nft| tables(&nft)),
        saved: saved(),
        groups: groups(&mounts),
        common: COMMON.iter().filter_map(|folder| common(Path::new(folder), &links)).collect(),
        folders,
        symlinks,
        files: told(service::logs()),
        ledger: ledger(&places.real),
        runtime: external_runtime(&places.real)?,
        accounts: service::accounts::ours(&fs::read_lossy(Path::new("/etc/passwd"))?),
        services,
        mounts,
    })
}

/// Our folders that are there, by their real paths, and the links that lead to folders of ours or did so.
fn ours(places: &Places) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let pairs = places.pairs();
    let there = pairs.iter().filter(|(_, real)| fs::exists(real)).map(|(_, real)| (*real).to_owned());
    // A path that ends with a slash is that of the folder behind the link.
    let plain = pairs.iter().map(|(spelled, _)| spelled.components().collect::<PathBuf>());
    let links = plain.filter(|spelled| fs::read_link(spelled).is_ok_and(|target| target.is_some()));
    (there.collect(), links.collect())
}

fn told<T: Default, E: std::error::Error>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| {
        tracing::warn!(error = %crate::supervisor::chain(&error), "not looked at");
        T::default()
    })
}

pub(super) fn services() -> Vec<Control> {
    let all = Init::ALL.into_iter().flat_map(|init| ServiceRole::ALL.map(|role| Control { init, role }));
    all.filter(|control| fs::exists(&control.init.file(control.role))).collect()
}

/// All processes but this one and those that it runs for. One that ends while it is looked at is left out.
pub(super) fn processes() -> Result<Vec<Process>, fs::FsError> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<i32>().ok();
    let own_namespace = fs::read_link(Path::new("/proc/self/ns/mnt"))?;
    let pids = fs::list(Path::new("/proc"))?;
    let mut found: Vec<Process> =
        pids.iter().filter_map(number).filter_map(|pid| look(pid, own_namespace.as_deref())).collect();
    let mut own = i32::try_from(std::process::id()).ok();
    while let Some(pid) = own {
        own = found.iter().find(|process| process.pid == pid).map(|process| process.parent);
        found.retain(|process| process.pid != pid);
    }
    Ok(found)
}

fn look(pid: i32, own_namespace: Option<&Path>) -> Option<Process> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let stat = fs::read_lossy(&folder.join("stat")).ok()?;
    // The name is in parentheses and may hold any: state and parent follow the last.
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    let state = rest.next()?;
    let parent = rest.next()?.parse().ok()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    let command = fs::read_lossy(&folder.join("cmdline")).ok()?;
    let argv = command.split_terminator('\0').map(ToOwned::to_owned).collect();
    let elsewhere = fs::read_link(&folder.join("ns/mnt")).ok().flatten().as_deref() != own_namespace;
    let mountinfo = elsewhere.then(|| fs::read_lossy(&folder.join("mountinfo")).ok()).flatten();
    let layer = mountinfo.and_then(|text| mounts::root_layer(&mounts::parse(&text)));
    Some(Process { pid, parent, argv, layer })
}

/// Places that all kubelets and runtimes share, each before its parent.
const COMMON: [&str; 13] = [
    "/run/containerd/s",
    "/run/containerd/fifo",
    "/run/containerd/runc/k8s.io",
    "/run/containerd/runc",
    "/run/containerd",
    "/var/lib/cni/results",
    "/var/lib/cni",
    "/var/log/containers",
    "/var/log/pods",
    network::CONFIGURATION,
    "/etc/cni",
    network::PROGRAMS,
    "/opt/cni",
];

fn common(folder: &Path, ours: &[PathBuf]) -> Option<Common> {
    if !fs::exists(folder) {
        return None;
    }
    let entries = told(fs::list(folder)).into_iter().map(|path| {
        let holder = if ours.contains(&path) { Holder::Ours } else { whose(folder, &path) };
        Entry { path, holder }
    });
    let entries = entries.collect();
    Some(Common { folder: folder.to_owned(), entries })
}

fn whose(folder: &Path, path: &Path) -> Holder {
    let pod = |path: &Path| pod_of(path).map_or(Holder::Unknown, |uid| Holder::Pod(uid.to_owned()));
    match folder.to_str() {
        Some("/run/containerd/s") => match UnixStream::connect(path) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Holder::Nobody,
            _ => Holder::Unknown,
        },
        Some("/var/lib/cni/results") => {
            let json = fs::read_lossy(path).ok().and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
            let namespace = json.as_ref().and_then(|json| json["netns"].as_str()).map(real);
            namespace.map_or(Holder::Unknown, Holder::Namespace)
        }
        Some("/var/log/pods") => pod(path),
        Some("/var/log/containers") => {
            fs::read_link(path).ok().flatten().map_or(Holder::Unknown, |target| pod(&target))
        }
        _ => Holder::Unknown,
    }
}

/// `/var/run` is a link everywhere.
fn real(path: &str) -> PathBuf {
    path.strip_prefix("/var/run/").map_or_else(|| path.into(), |rest| Path::new("/run").join(rest))
}

/// The UID in a path below `/var/log/pods`: the last part of `NAMESPACE_NAME_UID`.
fn pod_of(path: &Path) -> Option<&str> {
    let name = path.strip_prefix("/var/log/pods").ok()?.components().next()?.as_os_str().to_str()?;
    name.rsplit_once('_').map(|(_, uid)| uid)
}

fn ledger(paths: &Paths) -> Ledger {
    let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let pods = told(fs::list(&paths.kubelet.join("pods"))).into_iter().filter_map(name).collect();
    let bundles = told(fs::folders(&paths.run.join("containerd/io.containerd.runtime.v2.task/k8s.io")));
    let socket = |bundle: PathBuf| {
        let text = fs::read_lossy(&bundle.join("bootstrap.json")).ok()?;
        let json: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(PathBuf::from(json["address"].as_str()?.strip_prefix("unix://")?))
    };
    Ledger { pods, sockets: bundles.into_iter().filter_map(socket).collect() }
}

/// Our own `nft`, or the machine's: an older one than has made the rules may end on them (1.0.6 on those of 1.1.3 does).
pub(super) fn nft(places: &Places) -> Option<PathBuf> {
    payload::spare("nft", &places.real.data).or_else(|| programs::find("nft"))
}

fn tables(nft: &Path) -> Vec<Table> {
    let mut tables = netfilter::tables(&told(programs::output(nft, &["list", "tables"])));
    for table in tables.iter_mut().filter(|table| table.is_shared()) {
        let rules = told(programs::output(nft, &["list", "table", &table.family, &table.name]));
        table.networks = netfilter::networks(&rules);
    }
    tables
}

fn saved() -> Vec<(&'static str, String)> {
    let text = |name: &'static str| programs::find(name).map(|program| (name, told(programs::output(&program, &[]))));
    ["iptables-save", "ip6tables-save"].into_iter().filter_map(text).collect()
}

/// What kubelets, runtimes and our services call their groups at the top of a tree, and a service's in systemd's and
/// OpenRC's places.
const GROUPS: [&str; 12] = [
    "kubepods",
    "kubepods.slice",
    "k8s.io",
    "sk8s-shims",
    "system.slice/sk8scontroller.service",
    "system.slice/sk8sworker.service",
    "sk8scontroller",
    "sk8sworker",
    "openrc.sk8scontroller",
    "openrc.sk8sworker",
    "openrc/sk8scontroller",
    "openrc/sk8sworker",
];

pub(super) fn groups(mounts: &[Mount]) -> Vec<PathBuf> {
    let trees: BTreeSet<&PathBuf> =
        mounts.iter().filter(|mount| mount.kind.starts_with("cgroup")).map(|mount| &mount.point).collect();
    let mut found = Vec::new();
    for top in trees.into_iter().flat_map(|tree| GROUPS.map(|name| tree.join(name))) {
        descend(&top, &mut found);
    }
    found
}

/// A group and those in it, each after its parent.
fn descend(group: &Path, found: &mut Vec<PathBuf>) {
    if fs::exists(group) {
        found.push(group.to_owned());
        told(fs::folders(group)).iter().for_each(|child| descend(child, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_names_its_pod() {
        let uid = "27401e04-5099-471a-9ff2-8e8deba5d192";
        let log = format!("/var/log/pods/default_client_{uid}/c/0.log");
        assert_eq!(pod_of(Path::new(&log)), Some(uid));
        assert_eq!(pod_of(Path::new("/var/log/syslog")), None);
    }

    #[test]
    fn this_process_is_not_among_those_to_end() {
        let own = i32::try_from(std::process::id()).expect("small");
        assert!(processes().expect("readable").iter().all(|process| process.pid != own));
    }
}
