//! kube-proxy as a process of the host.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Plan, Rendered, owner, share,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::config::{Tuning, duration_text};

const ID: ComponentId = ComponentId::KubeProxy;
const HEALTH_PORT: u16 = 10256;

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let (program, mut args) = plan.kube(ID);
    args.push(format!("--config={}", plan.own(ID, "config.json")));
    ComponentSpec {
        id: ID,
        program,
        args,
        env: share::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: vec![Need { component: ComponentId::KubeApiserver, stage: Stage::Ready }],
        probe: Probe::Plain(HEALTH_PORT),
        grace: Duration::from_secs(3),
        scope: KillScope::Group,
        handover: None,
    }
}

/// kube-proxy's configuration; none if something else does its work.
pub(super) fn file(plan: &Plan<'_>) -> Option<Rendered> {
    let proxy = plan.settings.proxy.as_ref()?;
    let mut config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": proxy.mode.as_str(),
        "clientConnection": { "kubeconfig": plan.own(ID, "kubeconfig") },
        "hostnameOverride": plan.settings.node.as_str(),
        "clusterCIDR": plan.settings.pod_ranges(),
        "detectLocalMode": "ClusterCIDR",
        "healthzBindAddress": format!("127.0.0.1:{HEALTH_PORT}"),
        "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": { "maxPerCore": 0 },
    });
    let tuning = tuning(&proxy.tuning);
    if !tuning.is_empty() {
        config[proxy.mode.as_str()] = tuning.into();
    }
    if !proxy.node_ports.is_empty() {
        config["nodePortAddresses"] = json!(proxy.node_ports);
    }
    if let Some(gates) = owner::gates(plan, ID) {
        config["featureGates"] = gates;
    }
    Some(Rendered { path: plan.paths.of(ID).join("config.json"), text: format!("{config:#}\n") })
}

fn tuning(tuning: &Tuning) -> serde_json::Map<String, Value> {
    let span = |span: Option<Duration>| span.map(|span| Value::from(duration_text(span)));
    let keys = [
        ("masqueradeAll", tuning.masquerade_all.map(Value::from)),
        ("masqueradeBit", tuning.masquerade_bit.map(Value::from)),
        ("localhostNodePorts", tuning.localhost_node_ports.map(Value::from)),
        ("syncPeriod", span(tuning.sync_period)),
        ("minSyncPeriod", span(tuning.min_sync_period)),
    ];
    keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
