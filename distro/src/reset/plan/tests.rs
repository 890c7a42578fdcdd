//! What goes, in which order, and what stays.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::{
    super::{
        found::{Common, Entry, Found, Holder, Ledger},
        mounts::Mount,
        netfilter::{self, Table},
        places::Places,
        process::Process,
        step::{Keep, Stage, Step},
    },
    plan,
};
use crate::{
    golden,
    paths::Paths,
    service::{Control, Init, ServiceRole},
    sys::netlink::Link,
};

const POD: &str = "27401e04-5099-471a-9ff2-8e8deba5d192";

fn process(pid: i32, parent: i32, line: &str) -> Process {
    Process { pid, parent, argv: line.split(' ').map(ToOwned::to_owned).collect(), layer: None }
}

fn mount(point: &str) -> Mount {
    let device = format!("0:{}", point.len());
    Mount { point: point.into(), device, root: "/".into(), kind: "tmpfs".into(), options: "rw".into() }
}

fn link(index: u32, name: &str, bridge: Option<u32>) -> Link {
    Link { index, name: name.into(), bridge, kind: None }
}

fn entry(path: &str, holder: Holder) -> Entry {
    Entry { path: path.into(), holder }
}

fn common(folder: &str, entries: Vec<Entry>) -> Common {
    Common { folder: folder.into(), entries }
}

fn shared() -> Vec<Common> {
    let namespace = |path: &str| Holder::Namespace(path.into());
    let log = format!("/var/log/pods/default_web_{POD}");
    vec![
        common("/run/containerd/s", vec![entry("/run/containerd/s/4b58", Holder::Unknown)]),
        common("/run/containerd", vec![entry("/run/containerd/s", Holder::Unknown)]),
        common(
            "/var/lib/cni/results",
            vec![entry(
                "/var/lib/cni/results/sk8s-a-eth0",
                namespace("/run/sk8s/containerd/io.containerd.grpc.v1.cri/netns/cni-1"),
            )],
        ),
        common("/var/lib/cni", vec![entry("/var/lib/cni/results", Holder::Unknown)]),
        common("/var/log/containers", vec![entry("/var/log/containers/web.log", Holder::Pod(POD.into()))]),
        common("/var/log/pods", vec![entry(&log, Holder::Pod(POD.into()))]),
    ]
}

fn tables() -> Vec<Table> {
    let mut tables = netfilter::tables(
        "table ip kube-proxy\ntable inet filter\ntable inet cni_plugins_masquerade\ntable ip cni_hostport\n",
    );
    tables[2].networks = BTreeSet::from(["sk8s".to_owned()]);
    tables
}

/// A node that was stopped with a pod on it.
fn node() -> Found {
    let paths = Paths::default();
    let pods = format!("/var/lib/kubelet/pods/{POD}");
    let shim = "/usr/libexec/sk8s/containerd-shim-runc-v2 -namespace k8s.io -id a -address /run/sk8s/containerd.sock";
    let group = |name: &str| PathBuf::from(format!("/sys/fs/cgroup/{name}"));
    Found {
        processes: vec![process(1, 0, "/sbin/init"), process(10, 1, shim), process(11, 10, "/pause")],
        mounts: ["/", "/run", "/run/sk8s/containerd/rootfs", &format!("{pods}/volumes/token"), "/home"]
            .map(mount)
            .to_vec(),
        links: vec![
            link(1, "lo", None),
            link(2, "eth0", None),
            link(5, "cni0", None),
            link(6, "vethab", Some(5)),
            link(7, "veth1", Some(9)),
        ],
        tables: tables(),
        saved: vec![("iptables-save", "*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n".into())],
        groups: vec![
            group("kubepods"),
            group(&format!("kubepods/pod{POD}")),
            group(&format!("kubepods/pod{POD}/a")),
            group("sk8s-shims"),
        ],
        common: shared(),
        folders: BTreeSet::from([paths.data, paths.run, paths.kubelet]),
        symlinks: BTreeSet::new(),
        files: Vec::new(),
        ledger: Ledger {
            pods: BTreeSet::from([POD.to_owned()]),
            sockets: BTreeSet::from(["/run/containerd/s/4b58".into()]),
        },
        runtime: None,
        services: vec![Control { init: Init::Systemd, role: ServiceRole::Controller }],
        accounts: vec!["kine", "kube-apiserver"],
    }
}

fn words(found: &Found) -> Vec<String> {
    plan(found, &Paths::default().into()).iter().map(ToString::to_string).collect()
}

#[test]
fn the_plan_of_a_stopped_node_is_the_golden_one() {
    let text: String = words(&node()).iter().map(|line| format!("{line}\n")).collect();
    golden::check("reset.txt", &text);
}

#[test]
fn a_machine_without_us_is_left_as_it_is() {
    let found = Found {
        processes: vec![process(1, 0, "/sbin/init")],
        folders: BTreeSet::from([Paths::default().kubelet]),
        ledger: Ledger::default(),
        services: Vec::new(),
        accounts: Vec::new(),
        mounts: ["/", "/var/lib/kubelet/pods/x"].map(mount).to_vec(),
        common: vec![common("/var/log/pods", vec![entry("/var/log/pods/a_b_c", Holder::Pod("c".into()))])],
        ..node()
    };
    assert_eq!(words(&found), Vec::<String>::new());
}

#[test]
fn beside_another_node_only_what_is_surely_ours_goes() {
    let mut found = node();
    found.processes.push(process(90, 1, "/usr/bin/kubelet"));
    let steps = words(&found);
    for gone in ["process 10: containerd-shim-runc-v2", "folder: `/var/lib/sk8s`", "`/run/containerd/s/4b58`"] {
        assert!(steps.iter().any(|step| step == gone), "{gone}: {steps:?}");
    }
    assert!(steps.contains(&format!("control group: `/sys/fs/cgroup/kubepods/pod{POD}`")));
    for stays in
        ["network interface", "nftables", "chains", "/var/lib/kubelet", "folder: `/run/containerd", "cgroup/kubepods`"]
    {
        assert!(!steps.iter().any(|step| step.contains(stays)), "{stays}: {steps:?}");
    }
}

#[test]
fn flannels_interfaces_are_known_by_their_kind_whatever_the_networks_identifier_is() {
    let mut found = node();
    let names = ["flannel.1", "flannel.4096", "flannel-v6.4096", "flannel.", "flannel.x", "flannel-wg", "vxlan.calico"];
    found.links = names.iter().map(|name| Link { kind: Some("vxlan".into()), ..link(9, name, None) }).collect();
    found.links.push(link(9, "flannel.7", None));
    let gone: Vec<String> = words(&found).into_iter().filter(|step| step.starts_with("network")).collect();
    assert_eq!(gone, ["flannel.1", "flannel.4096", "flannel-v6.4096"].map(|name| format!("network interface: {name}")));
}

#[test]
fn port_maps_of_other_networks_stay() {
    let mut found = node();
    let other = entry("/var/lib/cni/results/podman-b-eth0", Holder::Namespace("/run/netns/b".into()));
    found.common[2].entries.push(other);
    let steps = words(&found);
    assert!(!steps.iter().any(|step| step.contains("cni_hostport") || step.contains("podman")), "{steps:?}");
    assert!(!steps.contains(&"folder: `/var/lib/cni/results`".to_owned()));
    assert!(!steps.contains(&"folder: `/var/lib/cni`".to_owned()));
}

#[test]
fn a_disk_mounted_as_our_folder_is_emptied_and_stays_mounted() {
    let mut found = node();
    found.mounts.push(mount("/var/lib/sk8s"));
    let steps = plan(&found, &Paths::default().into());
    assert!(steps.contains(&Step::Folder("/var/lib/sk8s".into(), Keep::Itself)));
    assert!(!steps.contains(&Step::Unmount("/var/lib/sk8s".into())));
}

/// A node whose kubelet's folder lies behind a link in the middle of its path, and whose data folder is a link itself.
fn linked() -> (Found, Places) {
    let spelled = Paths { data: "/data".into(), kubelet: "/srv/kubelet".into(), ..Paths::default() };
    let real = Paths { data: "/mnt/disk/sk8s".into(), kubelet: "/var/srv/kubelet".into(), ..spelled.clone() };
    let found = Found {
        folders: BTreeSet::from([real.data.clone(), real.kubelet.clone()]),
        symlinks: BTreeSet::from([spelled.data.clone()]),
        mounts: ["/", "/mnt/disk", "/var/srv/kubelet/pods/a/volumes/nfs"].map(mount).to_vec(),
        ..node()
    };
    (found, Places { spelled, real })
}

#[test]
fn what_is_mounted_behind_a_link_is_unmounted_and_the_link_goes_last() {
    let (found, places) = linked();
    let steps = plan(&found, &places);
    assert!(steps.contains(&Step::Unmount("/var/srv/kubelet/pods/a/volumes/nfs".into())), "{steps:?}");
    let folders: Vec<&Step> = steps.iter().filter(|step| step.stage() == Stage::Folders).collect();
    let kubelet = Step::Folder("/var/srv/kubelet".into(), Keep::Nothing);
    let data = Step::Folder("/mnt/disk/sk8s".into(), Keep::Nothing);
    assert_eq!(folders, [&kubelet, &data, &Step::Link("/data".into())]);
}

#[test]
fn a_link_to_a_disk_stays_with_it_and_one_to_nothing_goes() {
    let (mut found, places) = linked();
    found.mounts.push(mount("/mnt/disk/sk8s"));
    let steps = plan(&found, &places);
    assert!(steps.contains(&Step::Folder("/mnt/disk/sk8s".into(), Keep::Itself)));
    assert!(!steps.contains(&Step::Link("/data".into())));
    found.folders.remove(&places.real.data);
    assert!(plan(&found, &places).contains(&Step::Link("/data".into())));
}

#[test]
fn command_lines_name_folders_as_they_are_spelled_or_as_they_are() {
    let (mut found, places) = linked();
    let program = "/data/components/abc/bin/kube kubelet --root-dir=/srv/kubelet";
    found.processes = vec![process(7, 1, program), process(8, 1, &program.replace("/srv/", "/var/srv/"))];
    found.processes.push(process(9, 1, &program.replace("/data/", "/mnt/disk/sk8s/")));
    let killed = plan(&found, &places).iter().filter(|step| step.stage() == Stage::Processes).count();
    assert_eq!(killed, 3);
}

#[test]
fn stages_are_in_order() {
    let stages: Vec<Stage> = plan(&node(), &Paths::default().into()).iter().map(Step::stage).collect();
    assert!(stages.is_sorted(), "{stages:?}");
    assert_eq!(stages.iter().copied().collect::<BTreeSet<_>>(), Stage::ALL.into());
}

fn points() -> impl Strategy<Value = Vec<String>> {
    let top =
        prop::sample::select(vec!["/var/lib/sk8s", "/run/sk8s", "/var/lib/kubelet", "/home", "/run/sk8score", ""]);
    let point = (top, prop::collection::vec("[ab]", 0..4)).prop_map(|(top, rest)| format!("{top}/{}", rest.join("/")));
    prop::collection::vec(point.prop_map(|point| point.trim_end_matches('/').to_owned()), 0..12)
}

proptest! {
    /// Carried out in order: nothing is unmounted while something is mounted in it, nothing removed that a mount shows, and
    /// nothing outside our folders touched.
    #[test]
    fn every_mount_in_our_folders_goes_before_what_it_lies_in(points in points()) {
        let folders = [Paths::default().data, Paths::default().run, Paths::default().kubelet];
        let mut mounted: Vec<PathBuf> = points.iter().filter(|p| !p.is_empty()).map(PathBuf::from).collect();
        let found = Found { mounts: points.iter().filter(|p| !p.is_empty()).map(|p| mount(p)).collect(), ..node() };
        let inside = |path: &Path, folder: &Path| path != folder && path.starts_with(folder);
        for step in plan(&found, &Paths::default().into()) {
            match step {
                Step::Unmount(point) => {
                    prop_assert!(folders.iter().any(|folder| inside(&point, folder)), "{point:?} is not ours");
                    prop_assert!(!mounted.iter().any(|other| inside(other, &point)), "{point:?} is in use");
                    let last = mounted.iter().rposition(|other| *other == point);
                    mounted.remove(last.expect("mounted"));
                }
                Step::Folder(folder, keep) => {
                    prop_assert!(!mounted.iter().any(|other| inside(other, &folder)), "{folder:?} shows a mount");
                    prop_assert_eq!(keep == Keep::Itself, mounted.contains(&folder));
                }
                _ => {}
            }
        }
    }
}
