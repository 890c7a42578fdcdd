//! flannel, the pod network between nodes, as a process of the host: for a cluster of several nodes.

use std::time::Duration;

use serde_json::json;

use super::{
    Plan, Rendered, share,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::config::{Backend, Provider};

const ID: ComponentId = ComponentId::Flannel;
/// Where it says whether pods of other nodes are reached, on loopback.
pub const HEALTH_PORT: u16 = 10261;

/// How flannel is started. It speaks as the node does, with the kubelet's certificate: it may read all nodes, and change
/// its own alone. Where the address that others reach the node at changes, so does its command line.
pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let args = vec![
        format!("--kubeconfig={}", plan.own(ComponentId::Kubelet, "kubeconfig")),
        format!("--node-name={}", plan.settings.node),
        format!("--iface-address={}", plan.node_addresses()),
        format!("--net-config={}", plan.own(ID, "network.json")),
        format!("--subnet-file={}", plan.paths.flannel_subnet().display()),
        format!("--healthz-address=127.0.0.1:{HEALTH_PORT}"),
    ];
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("flannel"),
        args,
        env: share::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
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

/// What flannel reads, where the cluster has it.
pub(super) fn file(plan: &Plan<'_>) -> Option<Rendered> {
    let Provider::Flannel(flannel) = &plan.settings.provider else { return None };
    let mut way = match flannel.backend {
        Backend::Vxlan { port, vni } => json!({ "Type": "vxlan", "VNI": vni, "Port": port }),
        Backend::HostGw => json!({ "Type": "host-gw" }),
    };
    if let Some(mtu) = flannel.mtu {
        way["MTU"] = json!(mtu);
    }
    let mut network = json!({ "Network": plan.settings.pods.to_string(), "Backend": way });
    if let Some((dual, _)) = plan.dual() {
        network["EnableIPv6"] = json!(true);
        network["IPv6Network"] = json!(dual.pods.to_string());
    }
    Some(Rendered { path: plan.paths.of(ID).join("network.json"), text: format!("{network:#}\n") })
}
