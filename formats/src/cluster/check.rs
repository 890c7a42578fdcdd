//! What belongs together in a cluster's file.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use super::{Cluster, Host, Spec};
use crate::{
    duty::Duty,
    node_address::NodeAddress,
    seed::{Fault, KeyPath, interfaces},
    storage::StorageType,
    token::MOST_SERVERS,
};

type Faults = Vec<(KeyPath, Fault)>;

/// All that does not fit together, each with its place.
pub fn faults(cluster: &Cluster) -> Faults {
    let mut faults = Vec::new();
    let hosts = KeyPath::default().key("spec").key("hosts");
    controllers(&cluster.spec, &hosts, &mut faults);
    addresses(&cluster.spec, &hosts, &mut faults);
    for (index, host) in cluster.spec.hosts.iter().enumerate() {
        let at = hosts.item(index);
        alone(host, &at, &mut faults);
        faults.extend(interfaces(&host.network, &at.key("network")));
    }
    twice(&cluster.spec.hosts, &hosts, &mut faults);
    faults
}

fn note(faults: &mut Faults, path: KeyPath, why: impl Into<String>) {
    faults.push((path.clone(), Fault::Value { path, why: why.into() }));
}

/// A host controls; where several do, they share a datastore; and one that is a cluster by itself has no other beside it.
fn controllers(spec: &Spec, at: &KeyPath, faults: &mut Faults) {
    let found: Vec<usize> = controlling(spec).collect();
    if found.is_empty() {
        let why = "no host controls the cluster: one is a `controller`, `controller+worker` or `single`";
        return note(faults, at.clone(), why);
    }
    if spec.storage.kind != StorageType::Etcd && !spec.config.names_a_database() {
        let why = "a second controller needs a datastore that both share: `spec.storage.type: etcd`";
        found.iter().skip(1).for_each(|index| note(faults, at.item(*index).key("role"), why));
    }
    for (index, _) in spec.hosts.iter().enumerate().filter(|(_, host)| host.role == Duty::Single) {
        if spec.hosts.len() > 1 {
            let why = "no other host joins a `single` one; wanted here: `controller+worker` with `noTaints: true`";
            note(faults, at.item(index).key("role"), why);
        }
    }
}

fn controlling(spec: &Spec) -> impl Iterator<Item = usize> + '_ {
    spec.hosts.iter().enumerate().filter(|(_, host)| host.role.controls()).map(|(index, _)| index)
}

/// A host that joins is told where all controllers are.
fn addresses(spec: &Spec, at: &KeyPath, faults: &mut Faults) {
    let mut count = 0;
    for index in controlling(spec) {
        count += spec.hosts[index].servers().len();
        if count > MOST_SERVERS {
            let why = format!("the controllers have {count} up to here; the most is {MOST_SERVERS}");
            note(faults, at.item(index).key("addresses"), why);
        }
    }
}

/// Sections of sk8s' configuration that concern a worker. The rest it has from its controllers, if at all.
const OF_WORKERS: [&str; 5] = ["featureGates", "images", "network", "node", "workerProfiles"];

/// What does not fit together in one host.
fn alone(host: &Host, at: &KeyPath, faults: &mut Faults) {
    match host.role {
        Duty::Worker if !host.addresses.is_empty() => {
            let why = "only a controller is called: a worker dials out; its own address goes into `network`";
            note(faults, at.key("addresses"), why);
        }
        Duty::Worker => {}
        _ if host.servers().is_empty() => {
            let why = "missing: where workers and `kubectl` call this controller, as in `[192.168.1.10]`";
            note(faults, at.key("addresses"), why);
        }
        _ => {}
    }
    if host.no_taints && host.role != Duty::ControllerWorker {
        note(faults, at.key("noTaints"), "only a `controller+worker` has a taint to do without");
    }
    if host.localhost && host.ssh.is_some() {
        note(faults, at.key("localhost"), "a host is this machine or is reached by `ssh`, not both");
    }
    if host.role == Duty::Worker {
        let unread = host.config.keys().keys().filter_map(Value::as_str).filter(|key| !OF_WORKERS.contains(key));
        for key in unread {
            let why = format!("only controllers read it; a worker reads `{}`", OF_WORKERS.join("`, `"));
            note(faults, at.key("config").key(key), why);
        }
    }
    if !host.role.works() {
        let why = "a `controller` runs no workloads and is no node; wanted: `controller+worker`, or leave it out";
        let given = [("labels", host.labels.is_empty()), ("taints", host.taints.is_empty())];
        given.iter().filter(|(_, empty)| !empty).for_each(|(key, _)| note(faults, at.key(key), why));
    }
}

/// What two hosts cannot both have.
fn twice(hosts: &[Host], at: &KeyPath, faults: &mut Faults) {
    let mut owners: BTreeMap<String, &Host> = BTreeMap::new();
    let mut claim = |host, what: String, path: KeyPath| {
        if let Some(other) = owners.insert(what.clone(), host).filter(|other| !std::ptr::eq(*other, host)) {
            note(faults, path, format!("{what}: the host `{}` has it already", other.name));
        }
    };
    for (index, host) in hosts.iter().enumerate() {
        let at = at.item(index);
        claim(host, format!("the name `{}`", host.name), at.key("name"));
        for server in &host.addresses {
            claim(host, format!("the address `{server}`"), at.key("addresses"));
        }
        if let Some(NodeAddress::Fixed(address)) = &host.node_address {
            claim(host, format!("the node's address `{address}`"), at.key("nodeAddress"));
        }
        if let Some(ssh) = &host.ssh {
            claim(host, format!("the host `{}` port {}", ssh.address, ssh.port.unwrap_or(22)), at.key("ssh"));
        }
        if host.localhost {
            claim(host, "this machine".to_owned(), at.key("localhost"));
        }
        for (number, interface) in host.network.iter().enumerate() {
            let at = at.key("network").item(number);
            if let Some(mac) = &interface.mac {
                claim(host, format!("the hardware address `{}`", mac.as_str().to_lowercase()), at.key("mac"));
            }
            for address in &interface.addresses {
                let bare = address.as_str().split('/').next().unwrap_or_default();
                claim(host, format!("the fixed address `{bare}`"), at.key("addresses"));
            }
        }
    }
}
