//! `spec.network` of k0s's.

use serde_yaml_ng::{Mapping, Value};

use super::{
    rules::{
        Rule::{self, Drop, Lost, Same, Unless, With},
        section,
    },
    work::{Work, scalar},
};
use crate::config::refused::is_empty;

const PROVIDER: &str = "spec.network.provider";
const MODE: &str = "spec.network.kubeProxy.mode";

/// kube-router and Calico enforce network policies; flannel does not.
pub(super) fn provider(work: &mut Work<'_>, path: &str, value: &Value) {
    match scalar(value).as_deref() {
        Some("custom") => work.set(path, "custom"),
        Some(name @ ("kuberouter" | "calico")) => {
            work.set(path, "flannel");
            let text = format!(
                "`{name}` becomes `flannel`, which does not enforce network policies; to keep them, write `custom` and \
                 install a network that does"
            );
            work.lost(path, text);
        }
        other => work.lost(path, format!("unknown in k0s: `{}`", other.unwrap_or_default())),
    }
}

const FLANNEL: &str = "flannel has no such setting";

const CALICO: &[(&str, Rule)] = &[
    ("mode", With(calico_mode)),
    ("overlay", Unless(&["Always"], "flannel wraps packets between nodes always (vxlan) or never (host-gw)")),
    ("vxlanPort", With(|work, key, value| vxlan(work, (key, "spec.network.flannel.port", "4789"), value))),
    ("vxlanVNI", With(|work, key, value| vxlan(work, (key, "spec.network.flannel.vni", "4096"), value))),
    ("mtu", With(mtu)),
    ("wireguard", Unless(&["false"], "flannel encrypts nothing between nodes")),
    ("envVars", Lost(FLANNEL)),
    ("flexVolumeDriverPath", Drop),
    ("ipAutodetectionMethod", Lost(FLANNEL)),
    ("ipV6AutodetectionMethod", Lost(FLANNEL)),
    ("patches", Lost("sk8s installs no Calico")),
];

const KUBEROUTER: &[(&str, Rule)] = &[
    ("autoMTU", Drop),
    ("mtu", With(mtu)),
    ("metricsPort", Unless(&["8080"], FLANNEL)),
    ("hairpin", Unless(&["Enabled", "Allowed"], "a pod always reaches itself through its service")),
    ("hairpinMode", Unless(&["true"], "a pod always reaches itself through its service")),
    ("ipMasq", Drop),
    ("peerRouterASNs", Lost("flannel speaks no BGP")),
    ("peerRouterIPs", Lost("flannel speaks no BGP")),
    ("extraArgs", Lost("sk8s installs no kube-router")),
    ("rawArgs", Lost("sk8s installs no kube-router")),
    ("patches", Lost("sk8s installs no kube-router")),
];

/// `spec.network.calico`.
pub(super) fn calico(work: &mut Work<'_>, path: &str, value: &Value) {
    match work.text_at(PROVIDER) {
        Some("calico") => section(work, CALICO, (path, value)),
        _ => work.note(path, "without effect in k0s too, as the provider is another"),
    }
}

/// `spec.network.kuberouter`.
pub(super) fn kuberouter(work: &mut Work<'_>, path: &str, value: &Value) {
    match work.text_at(PROVIDER) {
        None | Some("kuberouter") => section(work, KUBEROUTER, (path, value)),
        _ => work.note(path, "without effect in k0s too, as the provider is another"),
    }
}

fn calico_mode(work: &mut Work<'_>, path: &str, value: &Value) {
    match scalar(value).as_deref() {
        Some("vxlan") => {}
        Some("bird") => {
            work.set("spec.network.flannel.backend", "host-gw");
            work.note(path, "`bird` becomes flannel's backend `host-gw`: nodes must be on one link");
        }
        other => work.lost(path, format!("`{}` becomes flannel's backend `vxlan`", other.unwrap_or_default())),
    }
}

/// A number of vxlan's, unless it is k0s's own for Calico or vxlan is not used.
fn vxlan(work: &mut Work<'_>, (path, ours, usual): (&str, &str, &str), value: &Value) {
    if scalar(value).as_deref() == Some(usual) {
        return;
    }
    match work.text_at("spec.network.calico.mode") {
        None | Some("vxlan") => work.set(ours, value.clone()),
        Some(_) => work.note(path, "without effect in this mode"),
    }
}

/// 0 stands for the network's own choice.
fn mtu(work: &mut Work<'_>, _: &str, value: &Value) {
    if value.as_u64() != Some(0) {
        work.set("spec.network.flannel.mtu", value.clone());
    }
}

/// `spec.network.dualStack`.
pub(super) fn dual_stack(work: &mut Work<'_>, path: &str, value: &Value) {
    if value.get("enabled").and_then(Value::as_bool) == Some(true) {
        work.set(path, value.clone());
    }
}

/// `spec.network.nodeLocalLoadBalancing`.
pub(super) fn node_balancing(work: &mut Work<'_>, path: &str, value: &Value) {
    if value.get("enabled").and_then(Value::as_bool) == Some(true) {
        work.note(path, "each node's supervisor knows all controllers: there is nothing to configure");
    }
}

/// `spec.network.controlPlaneLoadBalancing`.
pub(super) fn control_balancing(work: &mut Work<'_>, path: &str, value: &Value) {
    if value.get("enabled").and_then(Value::as_bool) == Some(true) {
        work.lost(path, "sk8s has no virtual address: name a load balancer in spec.api.externalAddress");
    }
}

const OPEN: &str = "kube-proxy's health and metrics are on loopback only: a worker has no open port";

const PROXY: &[(&str, Rule)] = &[
    ("disabled", Drop),
    ("mode", With(mode)),
    ("metricsBindAddress", Rule::Otherwise(&["0.0.0.0:10249"], OPEN)),
    ("healthzBindAddress", Rule::Otherwise(&["0.0.0.0:10256"], OPEN)),
    ("iptables", With(|work, key, value| tuning(work, (key, "iptables"), value))),
    ("nftables", With(|work, key, value| tuning(work, (key, "nftables"), value))),
    ("ipvs", With(|work, key, value| tuning(work, (key, "ipvs"), value))),
    ("nodePortAddresses", Same),
    ("extraArgs", Lost("kube-proxy takes no flags of the owner's")),
    ("rawArgs", Lost("kube-proxy takes no flags of the owner's")),
    ("patches", Lost("kube-proxy is a process of the host, not an object")),
];

/// `spec.network.kubeProxy`.
pub(super) fn proxy(work: &mut Work<'_>, path: &str, value: &Value) {
    if value.get("disabled").and_then(Value::as_bool) == Some(true) {
        work.set("spec.network.kubeProxy.disabled", true);
    } else {
        section(work, PROXY, (path, value));
    }
}

fn mode(work: &mut Work<'_>, path: &str, value: &Value) {
    match scalar(value).as_deref() {
        Some("iptables" | "nftables") => work.set(path, value.clone()),
        other => work.lost(path, format!("`{}` becomes `nftables`", other.unwrap_or_default())),
    }
}

/// A mode's own section: without what is k0s's default, and only where the mode is in use. k0s's mode is iptables where
/// none is named.
fn tuning(work: &mut Work<'_>, (path, section): (&str, &str), value: &Value) {
    let says = |value: &Value| {
        let nothing = ["0s", "false", ""];
        !is_empty(value) && scalar(value).is_none_or(|text| !nothing.contains(&text.as_str()))
    };
    let entries = value.as_mapping().into_iter().flatten().filter(|(_, value)| says(value));
    let kept: Mapping = entries.map(|(key, value)| (key.clone(), value.clone())).collect();
    let mode = work.text_at(MODE).unwrap_or("iptables");
    if kept.is_empty() {
        return;
    }
    match section {
        "ipvs" if mode == "ipvs" => work.lost(path, "there is no such mode"),
        _ if section == mode => {
            work.set(MODE, mode);
            work.set(path, kept);
        }
        _ => work.note(path, "without effect in k0s too, as the mode is another"),
    }
}
