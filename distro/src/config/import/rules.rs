//! What becomes of each key.

use serde_yaml_ng::Value;

use super::{
    charts, lists, network, storage,
    work::{Work, scalar},
};
use crate::config::{flags::Target, refused::is_empty};

/// What becomes of a key.
pub(super) enum Rule {
    /// The same key with the same value.
    Same,
    /// Nothing if it has one of these values, which change nothing; with any other, something is lost.
    Unless(&'static [&'static str], &'static str),
    /// Nothing if it has one of these values; with any other, sk8s does it in another way.
    Otherwise(&'static [&'static str], &'static str),
    /// Nothing, and nobody misses it.
    Drop,
    /// Something is lost.
    Lost(&'static str),
    /// More than a line.
    With(fn(&mut Work<'_>, &str, &Value)),
}

use Rule::{Drop, Lost, Otherwise, Same, Unless, With};

const PATCHES: &str = "sk8s does not patch its built-in objects";
const ANY: &[&str] = &[];

/// k0s's keys. A key below one with a rule follows that rule.
const RULES: &[(&str, Rule)] = &[
    ("apiVersion", Drop),
    ("kind", Drop),
    ("status", Drop),
    ("metadata.name", With(lists::name)),
    ("metadata", Drop),
    ("spec.api.address", Same),
    ("spec.api.externalAddress", Same),
    ("spec.api.sans", Same),
    ("spec.api.ca.expiresAfter", Same),
    ("spec.api.ca.certificatesExpireAfter", Same),
    ("spec.api.extraArgs", With(|work, key, value| lists::flags(work, (key, Target::KubeApiserver), value))),
    ("spec.api.rawArgs", With(|work, key, value| lists::raw_flags(work, (key, Target::KubeApiserver), value))),
    ("spec.api.port", Unless(&["6443"], "sk8s has one port, 6443: put a load balancer in front for another")),
    ("spec.api.k0sApiPort", Otherwise(&["9443"], "nodes join over port 6443 too")),
    ("spec.api.onlyBindToAddress", Unless(&["false"], "the API server listens on every address")),
    (
        "spec.controllerManager.extraArgs",
        With(|work, key, value| lists::flags(work, (key, Target::KubeControllerManager), value)),
    ),
    (
        "spec.controllerManager.rawArgs",
        With(|work, key, value| lists::raw_flags(work, (key, Target::KubeControllerManager), value)),
    ),
    ("spec.scheduler.extraArgs", With(|work, key, value| lists::flags(work, (key, Target::KubeScheduler), value))),
    ("spec.scheduler.rawArgs", With(|work, key, value| lists::raw_flags(work, (key, Target::KubeScheduler), value))),
    ("spec.storage.type", Same),
    ("spec.storage.etcd", With(storage::etcd)),
    ("spec.storage.kine", With(storage::kine)),
    ("spec.network.provider", With(network::provider)),
    ("spec.network.calico", With(network::calico)),
    ("spec.network.kuberouter", With(network::kuberouter)),
    ("spec.network.podCIDR", Same),
    ("spec.network.serviceCIDR", Same),
    ("spec.network.clusterDomain", Same),
    ("spec.network.primaryAddressFamily", Unless(&["IPv4", "Unknown", ""], "services have IPv4 addresses only")),
    ("spec.network.dualStack", With(network::dual_stack)),
    ("spec.network.kubeProxy", With(network::proxy)),
    ("spec.network.nodeLocalLoadBalancing", With(network::node_balancing)),
    ("spec.network.controlPlaneLoadBalancing", With(network::control_balancing)),
    ("spec.network.coreDNS.patches", Lost(PATCHES)),
    ("spec.workerProfiles", With(lists::profiles)),
    ("spec.featureGates", With(lists::gates)),
    ("spec.images.repository", Same),
    ("spec.images.default_pull_policy", Same),
    ("spec.images.pause", With(lists::image)),
    ("spec.images.coredns", With(lists::image)),
    ("spec.images.kubeproxy", Otherwise(ANY, "kube-proxy is a process of the host, not an image")),
    ("spec.images.konnectivity", Otherwise(ANY, "sk8s' own link stands for konnectivity")),
    ("spec.images.metricsserver", Otherwise(ANY, "metrics-server is a process of the host, not an image")),
    ("spec.images.pushgateway", Otherwise(ANY, "sk8s installs no push gateway")),
    ("spec.images.calico", Otherwise(ANY, "sk8s installs no Calico")),
    ("spec.images.kuberouter", Otherwise(ANY, "sk8s installs no kube-router")),
    ("spec.images.windows", Otherwise(ANY, "nodes run Linux")),
    ("spec.extensions.helm.concurrencyLevel", With(charts::at_once)),
    ("spec.extensions.helm.repositories", With(charts::repositories)),
    ("spec.extensions.helm.charts", With(charts::charts)),
    ("spec.extensions.storage.type", Unless(&["external_storage", "none", ""], "sk8s installs no storage provider")),
    ("spec.extensions.storage.create_default_storage_class", Unless(&["false"], "sk8s installs no storage provider")),
    ("spec.konnectivity.agentPort", Otherwise(&["8132"], "sk8s' own link stands for konnectivity, over port 6443")),
    ("spec.konnectivity.adminPort", Drop),
    (
        "spec.konnectivity.externalAddress",
        Otherwise(ANY, "sk8s' own link calls where nodes join: spec.api.externalAddress"),
    ),
    ("spec.installConfig.users.etcdUser", With(lists::user)),
    ("spec.installConfig.users.kineUser", With(lists::user)),
    ("spec.installConfig.users.kubeAPIserverUser", With(lists::user)),
    ("spec.installConfig.users.kubeSchedulerUser", With(lists::user)),
    ("spec.installConfig.users.konnectivityUser", Drop),
    ("spec.telemetry", Drop),
    ("spec.metricsServer.patches", Lost(PATCHES)),
];

/// Converts the whole file.
pub(super) fn walk(work: &mut Work<'_>) {
    below(work, "", work.source());
    // k0s runs it whatever the file says; people who come from there use it.
    work.set("spec.metricsServer.enabled", true);
    if work.at("spec.network.provider").is_none() {
        let text = "k0s's own provider, which stands where none is named, enforces network policies; sk8s' does not";
        work.note("spec.network.provider", text);
    }
    if work.at("spec.storage.type").is_none() {
        let text = "where none is named, k0s uses etcd unless started with `--single`; sk8s uses SQLite";
        work.note("spec.storage.type", text);
    }
}

fn below(work: &mut Work<'_>, path: &str, value: &Value) {
    for (key, value) in value.as_mapping().into_iter().flatten() {
        let Some(key) = scalar(key) else { continue };
        let path = if path.is_empty() { key } else { format!("{path}.{key}") };
        if !is_empty(value) {
            one(work, &path, value);
        }
    }
}

fn one(work: &mut Work<'_>, path: &str, value: &Value) {
    let is_below = |path: &str, key: &str| path.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    let deeper = value.is_mapping() && RULES.iter().any(|(key, _)| is_below(key, path));
    match RULES.iter().find(|(key, _)| *key == path || is_below(path, key)) {
        _ if deeper => below(work, path, value),
        Some((_, rule)) => apply(work, (path, rule), value),
        None => work.lost(path, "sk8s has no such key"),
    }
}

/// What becomes of the keys of a section that has rules of its own.
pub(super) fn section(work: &mut Work<'_>, rules: &[(&str, Rule)], (path, value): (&str, &Value)) {
    for (key, value) in value.as_mapping().into_iter().flatten() {
        let Some(key) = scalar(key).filter(|_| !is_empty(value)) else { continue };
        let path = format!("{path}.{key}");
        match rules.iter().find(|(known, _)| *known == key) {
            Some((_, rule)) => apply(work, (&path, rule), value),
            None => work.lost(&path, "sk8s has no such key"),
        }
    }
}

fn apply(work: &mut Work<'_>, (path, rule): (&str, &Rule), value: &Value) {
    let among = |values: &[&str]| scalar(value).is_some_and(|text| values.contains(&text.as_str()));
    match rule {
        Same => work.set(path, value.clone()),
        Unless(usual, why) if !among(usual) => work.lost(path, *why),
        Otherwise(usual, why) if !among(usual) => work.note(path, *why),
        Lost(why) => work.lost(path, *why),
        With(convert) => convert(work, path, value),
        Drop | Unless(..) | Otherwise(..) => {}
    }
}
