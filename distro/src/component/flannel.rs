//! flannel, the pod network between nodes, as a process of the host: for a cluster of several nodes.

use std::time::Duration;

use serde_json::json;

use super::{
    Plan, Rendered, memory,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::network::Backend;

const ID: ComponentId = ComponentId::Flannel;
const HEALTH_PORT: u16 = 10261;

/// Linux' own number and UDP port for VXLAN, which firewalls are told of (RFC 7348 has another port).
const VXLAN: (u32, u16) = (1, 8472);

/// How flannel is started. It speaks as the node does, with the kubelet's certificate: it may read all nodes, and change
/// its own alone. Where the address that others reach the node at changes, so does its command line.
#[must_use]
pub fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let args = vec![
        format!("--kubeconfig={}", plan.own(ComponentId::Kubelet, "kubeconfig")),
        format!("--node-name={}", plan.settings.node),
        format!("--iface-address={}", plan.machine.address),
        format!("--net-config={}", plan.own(ID, "network.json")),
        format!("--subnet-file={}", plan.paths.flannel_subnet().display()),
        format!("--healthz-address=127.0.0.1:{HEALTH_PORT}"),
    ];
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("flannel"),
        args,
        env: memory::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: memory::limits(ID, plan.machine),
        needs: vec![
            Need { component: ComponentId::KubeApiserver, stage: Stage::Ready },
            Need { component: ComponentId::Kubelet, stage: Stage::Listening },
        ],
        probe: Probe::Plain(HEALTH_PORT),
        grace: Duration::from_secs(3),
        scope: KillScope::Group,
        handover: None,
    }
}

/// What flannel reads.
#[must_use]
pub fn files(plan: &Plan<'_>, backend: Backend) -> Vec<Rendered> {
    let way = match backend {
        Backend::Vxlan => json!({ "Type": backend.as_str(), "VNI": VXLAN.0, "Port": VXLAN.1 }),
        Backend::HostGateway => json!({ "Type": backend.as_str() }),
    };
    let network = json!({ "Network": plan.settings.pods.to_string(), "Backend": way });
    vec![Rendered { path: plan.paths.of(ID).join("network.json"), text: format!("{network:#}\n") }]
}
