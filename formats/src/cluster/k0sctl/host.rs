//! One host of a k0sctl.yaml.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    str::FromStr as _,
};

use serde_yaml_ng::Value;

use super::{Remarks, map, way};
use crate::{cluster::Host, duty::Duty, node_address::NodeAddress, seed::HostName, token::Server};

/// Keys below which a host's address stands.
const WAYS: [&str; 3] = ["ssh", "openSSH", "winRM"];
/// Keys of the address by which hosts reach each other; the first goes before the second.
const PRIVATE: [&str; 2] = ["privateAddress", "privateInterface"];
const CARRIED: [&str; 9] =
    ["role", "hostname", "noTaints", PRIVATE[0], PRIVATE[1], "installFlags", "ssh", "openSSH", "localhost"];

/// A host, as far as it can be carried over; none without a role. Its name is one that is not taken, unless k0sctl says it.
pub fn host(index: usize, value: &Value, taken: &mut BTreeSet<HostName>, remarks: &mut Remarks) -> Option<Host> {
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
    let flags = flags(value, &at, remarks);
    let mut host = Host {
        name,
        role,
        no_taints: value["noTaints"].as_bool().unwrap_or_default() || flags.no_taints,
        addresses: Vec::new(),
        node_address: node_address(value, &at, remarks),
        ssh: way::ssh(value, &at, remarks),
        localhost: value["localhost"]["enabled"].as_bool().unwrap_or_default(),
        board: None,
        network: Vec::new(),
        labels: BTreeMap::new(),
        taints: Vec::new(),
    };
    for name in flags.without.iter().filter(|name| *name != METRICS_SERVER) {
        remarks.add(
            &format!("{at}.installFlags"),
            &format!("`--disable-components {name}` left out: this file has no key for it"),
        );
    }
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
    } else if !flags.labels.is_empty() || !flags.taints.is_empty() {
        remarks.add(&format!("{at}.installFlags"), "labels and taints left out: a `controller` is no node");
    }
    Some(host)
}

/// The one of k0s' components that a file of hosts may leave out.
const METRICS_SERVER: &str = "metrics-server";

/// Whether a controller is installed without metrics-server.
pub fn without_metrics_server(value: &Value) -> bool {
    flags(value, "", &mut Remarks::default()).without.iter().any(|name| name == METRICS_SERVER)
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

/// What k0s is installed with, as far as it is about the node.
#[derive(Debug, Default)]
struct Flags {
    labels: Vec<String>,
    taints: Vec<String>,
    no_taints: bool,
    without: Vec<String>,
}

fn flags(value: &Value, at: &str, remarks: &mut Remarks) -> Flags {
    let mut flags = Flags::default();
    let words = value["installFlags"].as_sequence().into_iter().flatten().filter_map(Value::as_str);
    let mut words = words.flat_map(|text| text.splitn(2, ' ')).map(|word| word.trim_matches(['"', '\'', ' ']));
    while let Some(word) = words.next() {
        let (flag, inline) = word.split_once('=').map_or((word, None), |(flag, rest)| (flag, Some(rest.to_owned())));
        let list = |text: Option<String>| -> Vec<String> {
            let text = text.unwrap_or_default();
            text.trim_matches(['"', '\'']).split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        match flag {
            "--labels" => flags.labels.extend(list(inline.or_else(|| words.next().map(str::to_owned)))),
            "--taints" => flags.taints.extend(list(inline.or_else(|| words.next().map(str::to_owned)))),
            "--no-taints" => flags.no_taints = true,
            "--disable-components" => flags.without.extend(list(inline.or_else(|| words.next().map(str::to_owned)))),
            "--enable-worker" => {}
            other => {
                let why = format!("`{other}` not carried over: this file has no key for it");
                remarks.add(&format!("{at}.installFlags"), &why);
            }
        }
    }
    flags
}

impl Flags {
    fn labels<K, V>(&self, at: &str, remarks: &mut Remarks) -> BTreeMap<K, V>
    where
        K: std::str::FromStr + Ord,
        V: std::str::FromStr,
    {
        let pair = |text: &String| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            Some((key.parse().ok()?, value.parse().ok()?))
        };
        each(&self.labels, (at, remarks), pair).collect()
    }

    fn taints<T: std::str::FromStr>(&self, at: &str, remarks: &mut Remarks) -> Vec<T> {
        each(&self.taints, (at, remarks), |text| text.parse().ok()).collect()
    }
}

/// Each text that can be read; the others are remarked upon.
fn each<T>(
    texts: &[String],
    (at, remarks): (&str, &mut Remarks),
    read: impl Fn(&String) -> Option<T>,
) -> impl Iterator<Item = T> {
    let mut found = Vec::new();
    for text in texts {
        match read(text) {
            Some(value) => found.push(value),
            None => remarks.add(&format!("{at}.installFlags"), &format!("`{text}` left out: Kubernetes refuses it")),
        }
    }
    found.into_iter()
}
