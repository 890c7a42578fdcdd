//! kube-proxy as a process of the host.

use std::time::Duration;

use serde_json::json;

use super::{
    Plan, Rendered, memory,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};

const ID: ComponentId = ComponentId::KubeProxy;
const HEALTH_PORT: u16 = 10256;

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let (program, mut args) = plan.kube(ID);
    args.push(format!("--config={}", plan.own(ID, "config.json")));
    ComponentSpec {
        id: ID,
        program,
        args,
        env: memory::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: memory::limits(ID, plan.machine),
        needs: vec![Need { component: ComponentId::KubeApiserver, stage: Stage::Ready }],
        probe: Probe::Plain(HEALTH_PORT),
        grace: Duration::from_secs(3),
        scope: KillScope::Group,
        handover: None,
    }
}

pub(super) fn file(plan: &Plan<'_>) -> Rendered {
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": { "kubeconfig": plan.own(ID, "kubeconfig") },
        "hostnameOverride": plan.settings.node.as_str(),
        "clusterCIDR": plan.settings.pods.to_string(),
        "detectLocalMode": "ClusterCIDR",
        "healthzBindAddress": format!("127.0.0.1:{HEALTH_PORT}"),
        "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": { "maxPerCore": 0 },
    });
    Rendered { path: plan.paths.of(ID).join("config.json"), text: format!("{config:#}\n") }
}
