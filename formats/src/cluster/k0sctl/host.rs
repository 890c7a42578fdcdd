//! One host of a k0sctl.yaml.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    str::FromStr as _,
};

use serde_yaml_ng::Value;

use super::{Remarks, flags::Flags, map, way};
use crate::{cluster::Host, duty::Duty, node_address::NodeAddress, seed::HostName, token::Server};

/// Keys below which a host's address stands.
const WAYS: [&str; 3] = ["ssh", "openSSH", "winRM"];
/// Keys of the address by which hosts reach each other; the first goes before the second.
const PRIVATE: [&str; 2] = ["privateAddress", "privateInterface"];
const CARRIED: [&str; 9] =
    ["role", "hostname", "noTaints", PRIVATE[0], PRIVATE[1], "installFlags", "ssh", "openSSH", "localhost"];

/// A host, as far as it can be carried over, and what k0s is installed with there; none without a role. Its name is one that is not taken, unless k0sctl says it.
pub fn host(
    index: usize,
    value: &Value,
    taken: &mut BTreeSet<HostName>,
    remarks: &mut Remarks,
) -> Option<(Host, Flags)> {
    let at = format!("spec.hosts[{index}]");
    let role = match value["role"].as_str().unwrap_or_default().parse::<Duty>() {
        Ok(role) => role,
        Err(error) => {
            remarks.add(&format!("{at}.role"), &format!("the host is left out: {error}"));
            return None;
        }
    };
    remarks.left(&at, &map(value), &CARRIED);
    let address = address(value);
    let name = named(value).unwrap_or_else(|| {
        let name = numbered(role, taken);
        remarks.add(&at, &format!("k0sctl does not say its host name: it is called `{name}`; change it as you like"));
        name
    });
    let flags = Flags::read(value, &at, remarks);
    let mut host = Host {
        name,
        role,
        no_taints: value["noTaints"].as_bool().unwrap_or_default() || flags.no_taints,
        addresses: Vec::new(),
        node_address: node_address(value, &at, remarks).or_else(|| flags.node_address()),
        ssh: way::ssh(value, &at, remarks),
        localhost: value["localhost"]["enabled"].as_bool().unwrap_or_default(),
        board: None,
        network: Vec::new(),
        labels: BTreeMap::new(),
        taints: Vec::new(),
        config: flags.config(&at, remarks),
    };
    if host.no_taints && role != Duty::ControllerWorker {
        remarks.add(&format!("{at}.noTaints"), "left out: only a `controller+worker` has a taint to do without");
        host.no_taints = false;
    }
    if role.controls() {
        let named = [value["privateAddress"].as_str(), address];
        host.addresses = servers(named.into_iter().flatten(), &at, remarks);
    }
    if role.works() {
        (host.labels, host.taints) = (flags.labels(&at, remarks), flags.taints(&at, remarks));
    } else if flags.is_of_a_node() {
        remarks.flag(&at, "labels and taints left out: a `controller` is no node");
    }
    Some((host, flags))
}

/// Its `hostname`, or the first label of the name it is called by.
pub fn named(value: &Value) -> Option<HostName> {
    let of_address =
        address(value).filter(|text| text.parse::<IpAddr>().is_err()).and_then(|text| text.split('.').next());
    [value["hostname"].as_str(), of_address].into_iter().flatten().find_map(|text| text.to_lowercase().parse().ok())
}

fn address(value: &Value) -> Option<&str> {
    WAYS.iter().find_map(|way| value[*way]["address"].as_str())
}

/// What it does and the first number that is free, which is taken from now on.
fn numbered(role: Duty, taken: &mut BTreeSet<HostName>) -> HostName {
    let stem = if role.controls() { "controller" } else { "worker" };
    let mut names = (0..=taken.len()).filter_map(|number| HostName::from_str(&format!("{stem}-{}", number + 1)).ok());
    let name = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}

/// Which of its addresses other hosts reach it at.
fn node_address(value: &Value, at: &str, remarks: &mut Remarks) -> Option<NodeAddress> {
    let mut given = PRIVATE.into_iter().filter_map(|key| Some((key, value[key].as_str()?)));
    let (key, text) = given.next()?;
    for (other, _) in given {
        remarks.add(&format!("{at}.{other}"), &format!("left out: `{key}` goes before it"));
    }
    let why = match (key, text.parse()) {
        ("privateAddress", Ok(found @ NodeAddress::Fixed(_))) => return Some(found),
        ("privateInterface", Ok(found @ NodeAddress::On(_))) => return Some(found),
        (_, Ok(_)) => format!("left out: `{text}` is none"),
        (_, Err(error)) => format!("left out: {error}"),
    };
    remarks.add(&format!("{at}.{key}"), &why);
    None
}

/// Where a controller is called, each address once.
fn servers<'a>(texts: impl Iterator<Item = &'a str>, at: &str, remarks: &mut Remarks) -> Vec<Server> {
    let mut found: Vec<Server> = Vec::new();
    for text in texts {
        let bracketed = if text.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{text}]") } else { text.to_owned() };
        match bracketed.parse() {
            Ok(server) if !found.contains(&server) => found.push(server),
            Ok(_) => {}
            Err(error) => remarks.add(at, &format!("address `{text}` left out: {error}")),
        }
    }
    found
}
