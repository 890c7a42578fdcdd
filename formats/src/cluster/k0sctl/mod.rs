//! A k0sctl.yaml as a file of hosts: what has a word here is carried over, and every other key is remarked upon. Pure.

mod flags;
mod host;
mod way;
mod words;

use serde_yaml_ng::{Mapping, Value};

use super::{Cluster, Storage};
use crate::storage::StorageType;

/// What became of a k0sctl.yaml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The file of hosts, without what only sk8s' configuration has words for.
    pub cluster: Cluster,
    /// k0s' own configuration as k0sctl has it, with the type of storage that k0sctl means; whoever knows how makes
    /// `spec.config` of it.
    pub config: Option<Value>,
    /// What was not carried over or needs a look, a line each.
    pub remarks: Vec<String>,
}

/// A text that is no k0sctl.yaml.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no YAML.
    #[error("not YAML")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// It is something else.
    #[error("not a k0sctl.yaml: its `apiVersion` is `{0}`; wanted: `k0sctl.k0sproject.io/…`")]
    Other(String),
    /// It names no hosts.
    #[error("not a k0sctl.yaml: `spec.hosts` has no hosts")]
    NoHosts,
}

impl ImportError {
    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Other(found) if found.starts_with("k0s.") => Some(
                "that is k0s' own configuration, which `sk8s config import` converts; k0sctl.yaml has it below `spec.k0s.config`",
            ),
            _ => None,
        }
    }
}

/// Remarks about keys.
#[derive(Debug, Default)]
struct Remarks(Vec<String>);

impl Remarks {
    fn add(&mut self, path: &str, why: &str) {
        self.0.push(format!("`{path}`: {why}"));
    }

    /// Something about the flags that k0s is installed with on a host.
    fn flag(&mut self, host: &str, why: &str) {
        self.add(&format!("{host}.installFlags"), why);
    }

    /// Every key that is not among those carried over, with the reason where there is one.
    fn left(&mut self, at: &str, map: &Mapping, carried: &[&str]) {
        for key in map.keys().map(shown).filter(|key| !carried.contains(&key.as_str())) {
            let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            self.add(&path, words::why(&path, &key));
        }
    }
}

fn shown(key: &Value) -> String {
    key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned)
}

/// Carries over what can be.
///
/// # Errors
/// If the text is not k0sctl's.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    let root: Value = serde_yaml_ng::from_str(text)?;
    let api_version = root["apiVersion"].as_str().unwrap_or_default();
    if !api_version.starts_with("k0sctl.k0sproject.io/") {
        return Err(ImportError::Other(api_version.chars().take(80).collect()));
    }
    let mut remarks = Remarks::default();
    let mut cluster = Cluster::default();
    remarks.left("", &map(&root), &["apiVersion", "kind", "metadata", "spec"]);
    let metadata = map(&root["metadata"]);
    remarks.left("metadata", &metadata, &["name"]);
    if let Some(name) = root["metadata"]["name"].as_str() {
        match name.parse() {
            Ok(name) => cluster.metadata.name = Some(name),
            Err(_) => remarks.add("metadata.name", "not a name here: lower-case letters, digits, `.`, `_` and `-`"),
        }
    }
    let spec = &root["spec"];
    remarks.left("spec", &map(spec), &["hosts", "k0s"]);
    let hosts = spec["hosts"].as_sequence().filter(|hosts| !hosts.is_empty()).ok_or(ImportError::NoHosts)?;
    let mut taken = hosts.iter().filter_map(host::named).collect();
    // k0s runs it unless its flags say otherwise; people who come from there use it.
    cluster.spec.metrics_server.enabled = true;
    for (index, value) in hosts.iter().enumerate() {
        let Some((host, flags)) = host::host(index, value, &mut taken, &mut remarks) else { continue };
        cluster.spec.metrics_server.enabled &= !flags.is_without(flags::METRICS_SERVER);
        cluster.spec.hosts.push(host);
    }
    let config = k0s(&spec["k0s"], &mut cluster, &mut remarks);
    Ok(Imported { cluster, config, remarks: remarks.0 })
}

fn map(value: &Value) -> Mapping {
    value.as_mapping().cloned().unwrap_or_default()
}

/// The distribution's part: of its configuration, what every host must agree upon. The rest is handed on.
fn k0s(k0s: &Value, cluster: &mut Cluster, remarks: &mut Remarks) -> Option<Value> {
    remarks.left("spec.k0s", &map(k0s), &["config"]);
    let mut config = k0s["config"].clone();
    let at = "spec.k0s.config.spec";
    storage(&config["spec"]["storage"], cluster, remarks);
    let (api, network) = (&config["spec"]["api"], &config["spec"]["network"]);
    for name in api["sans"].as_sequence().into_iter().flatten().filter_map(Value::as_str) {
        match name.parse() {
            Ok(san) if !cluster.spec.api.sans.contains(&san) => cluster.spec.api.sans.push(san),
            Ok(_) => {}
            Err(_) => remarks.add(&format!("{at}.api"), &format!("`{name}` is no DNS name and no address")),
        }
    }
    let mut range = |key: &str| {
        let text = network[key].as_str()?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            remarks.add(&format!("{at}.network.{key}"), "not a range of addresses without host bits");
        }
        parsed
    };
    cluster.spec.network.pods = range("podCIDR");
    cluster.spec.network.services = range("serviceCIDR");
    if let Some(domain) = network["clusterDomain"].as_str() {
        cluster.spec.network.domain = domain.parse().ok();
        if cluster.spec.network.domain.is_none() {
            remarks.add(&format!("{at}.network.clusterDomain"), "not a domain");
        }
    }
    let spec = config.get_mut("spec")?.as_mapping_mut()?;
    let mut storage = map(&spec.remove("storage").unwrap_or_default());
    storage.insert("type".into(), cluster.spec.storage.kind.to_string().into());
    spec.insert("storage".into(), storage.into());
    Some(config)
}

/// k0s keeps the objects of several controllers in etcd unless it is told otherwise.
fn storage(value: &Value, cluster: &mut Cluster, remarks: &mut Remarks) {
    let controllers = cluster.spec.hosts.iter().filter(|host| host.role.controls()).count();
    let kind = value["type"].as_str().unwrap_or(if controllers > 1 { "etcd" } else { "kine" });
    match kind.parse::<StorageType>() {
        Ok(kind) => cluster.spec.storage = Storage { kind },
        Err(error) => remarks.add("spec.k0s.config.spec.storage.type", &error.to_string()),
    }
}
