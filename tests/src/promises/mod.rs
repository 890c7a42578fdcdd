//! The promises, in the order in which they are checked: builds first, then cheap machines, those with Kubernetes last.

mod arm;
mod clock;
mod conformance;
mod council;
mod debug;
mod hostile;
mod made;
mod pair;
mod recovery;
mod reproducible;
mod restart;
mod seeds;
mod verity;
mod workload;

use std::path::Path;

use skerry_formats::arch::Arch;
use skerry_qemu::Deadline;

use crate::{Broken, Check, lab::Lab, node::Node, report::Report};

/// Seconds from power on to Ready that a node may take under emulation on two busy processors.
const READY: u64 = 600;

/// Checks all that the report wants.
pub fn run(lab: &Lab, report: &mut Report) {
    reproducible::run(lab, report);
    hostile::run(lab, report);
    verity::run(lab, report);
    seeds::run(lab, report);
    debug::run(lab, report);
    arm::run(lab, report);
    single(lab, report);
    pair::run(lab, report);
    council::run(lab, report);
}

/// A promise that a booted node keeps.
type OnNode = (&'static str, fn(&mut Node) -> Check);

/// In this order on the one node.
const ON_NODE: [OnNode; 13] = [
    ("nothing is pulled: every image of the node is a preloaded one", workload::nothing_pulled),
    ("a Deployment of the preloaded image becomes available", workload::deployment),
    ("its ClusterIP answers from another pod", workload::cluster_ip),
    ("cluster DNS resolves it from another pod", workload::dns),
    ("nobody can log in: no getty and no SSH server runs", debug::nobody_logs_in),
    ("kubectl logs and exec work", workload::logs_and_exec),
    ("the node's metrics are read through the API", workload::metrics),
    ("a pod that asks for it runs in crun", workload::crun),
    ("kube-apiserver recovers when killed", recovery::apiserver),
    ("kine recovers when killed", recovery::kine),
    ("containerd recovers when killed, and pods live on", recovery::containerd),
    ("a reboot keeps the cluster", restart::reboot),
    ("Kubernetes' own conformance tests of the API pass", conformance::api),
];

/// Boots for minutes once more.
const RESET: OnNode = ("a reset keeps the cluster", restart::reset);
/// The last.
const STOPS: OnNode = ("Ctrl-C powers the machine off in order", restart::stops);

fn single(lab: &Lab, report: &mut Report) {
    const BOOTS: &str = "the image boots to a Ready single node";
    let on_node = ON_NODE.iter().chain([&RESET, &STOPS]);
    let names: Vec<&str> = on_node.map(|(name, _)| *name).chain(clock::NAMES).chain([BOOTS]).collect();
    if !report.wants(&names) {
        return;
    }
    let booted = lab.image(Arch::Amd64).and_then(|image| prepared(lab, &image));
    let mut node = match booted {
        Ok(node) => node,
        Err(Broken(why)) => {
            report.promise(BOOTS, || Err(Broken(why)));
            let missing = || Err(Broken::new("there is no node to show it on"));
            for (name, _) in ON_NODE.iter().chain([&STOPS]) {
                report.promise(name, missing);
            }
            for name in clock::NAMES.into_iter().chain([RESET.0]) {
                report.long_promise(name, missing);
            }
            return;
        }
    };
    let seconds = node.ready_seconds;
    report.promise(BOOTS, || {
        println!("      Ready after {seconds} s");
        node.kubectl.node_ready().map(|_| ())
    });
    for (name, check) in ON_NODE {
        report.promise(name, || check(&mut node));
    }
    report.long_promise(RESET.0, || RESET.1(&mut node));
    report.promise(STOPS.0, || STOPS.1(&mut node));
    clock::run(lab, report, node);
}

/// A booted node with the pods that the promises look at.
fn prepared(lab: &Lab, image: &Path) -> Check<Node> {
    let node = Node::boot(lab, image, Deadline::seconds(READY))?;
    node.inspector()?;
    workload::make(&node.kubectl, &node.busybox)?;
    Ok(node)
}
