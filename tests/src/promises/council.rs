//! Two controllers on two machines with one network, made by the seeds of `skerry cluster new` and switched on at once. It
//! takes minutes of waiting for nobody, so that it is checked only where it is asked for.

use serde_json::json;
use skerry_formats::arch::Arch;
use skerry_qemu::{Cable, Deadline, Forward, Network, Vm};

use super::made::{self, Made};
use crate::{Broken, Check, kubectl::Kubectl, lab::Lab, report::Report};

/// Seconds from the machines' power on to what is waited for, under emulation with two control planes on two processors.
const READY: u64 = 1800;
/// Where the machines are on the cable between them.
const TOWER: &str = "192.168.8.1";
const MILL: &str = "192.168.8.2";

const ONE: &str = "controllers that are switched on at once by their seeds are one cluster";

/// Checks it.
pub fn run(lab: &Lab, report: &mut Report) {
    report.long_promise(ONE, || one(lab));
}

fn one(lab: &Lab) -> Check {
    let image = lab.built("council", &[])?;
    let cable = made::port()?;
    let ends = [("tower", TOWER, Cable::First(cable)), ("mill", MILL, Cable::Second(cable))];
    let hosts = ends.iter().map(|(name, address, end)| {
        let card = json!([{ "mac": end.mac(), "addresses": [format!("{address}/24")] }]);
        json!({ "name": name, "role": "controller", "network": card })
    });
    let spec = json!({ "storage": { "type": "etcd" }, "hosts": hosts.collect::<Vec<_>>() });
    let seeds = Made::new(lab, "council", &spec)?;
    let mut machines: Vec<(Vm, Kubectl)> = Vec::new();
    for (name, _, end) in ends {
        let api = made::port()?;
        let mut options = lab.small(&format!("council-{name}"), Arch::Amd64, &image)?;
        options.network = Network::Both(vec![Forward { host: api, guest: 6443 }], end);
        options.media = vec![seeds.medium(lab, name)?];
        options.memory_mib = 2048;
        machines.push((lab.start(options)?, seeds.kubectl(lab, api)?));
    }
    let deadline = Deadline::seconds(READY);
    let mut ids = Vec::new();
    for (_, kubectl) in &machines {
        ids.push(kubectl.until("both have a vote", deadline, |kubectl| {
            let roll = kubectl.json(&["get", "configmap", "sk8s-etcd", "--namespace=kube-system"])?["data"].clone();
            if roll != json!({ "mill": "voter", "tower": "voter" }) {
                return Err(Broken(format!("the members are {roll}")));
            }
            Ok(kubectl.json(&["get", "namespace", "kube-system"])?["metadata"]["uid"].to_string())
        })?);
    }
    if ids[0] == ids[1] { Ok(()) } else { Err(Broken(format!("two clusters: {}", ids.join(", ")))) }
}
