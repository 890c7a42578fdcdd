//! kube-controller-manager.

use std::time::Duration;

use super::{
    Plan, memory,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::pki::{LeafId, Shared};

const ID: ComponentId = ComponentId::KubeControllerManager;

/// Controllers that a cluster without a cloud and without routes of its own has no work for.
const IDLE: [&str; 5] = [
    "cloud-node-lifecycle-controller",
    "node-route-controller",
    "service-lb-controller",
    "storageversion-garbage-collector-controller",
    "ttl-controller",
];

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let (program, mut args) = plan.kube(ID);
    let kubeconfig = plan.own(ID, "kubeconfig");
    let elect = plan.duty.admits();
    args.extend([
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--tls-cert-file={}", plan.certificate(LeafId::ControllerManagerServer)),
        format!("--tls-private-key-file={}", plan.key(LeafId::ControllerManagerServer)),
        "--profiling=false".to_owned(),
        format!("--leader-elect={elect}"),
        "--use-service-account-credentials=true".to_owned(),
        format!("--root-ca-file={}", plan.own(ID, Shared::Ca.file())),
        format!("--cluster-signing-cert-file={}", plan.own(ID, Shared::Ca.file())),
        format!("--cluster-signing-key-file={}", plan.own(ID, Shared::CaKey.file())),
        format!("--service-account-private-key-file={}", plan.own(ID, Shared::ServiceAccountPrivate.file())),
        format!("--cluster-name={}", plan.settings.cluster),
        format!("--service-cluster-ip-range={}", plan.settings.services),
        "--node-monitor-period=10s".to_owned(),
    ]);
    args.extend(pod_networks(plan));
    args.extend(
        ["deployment", "endpoint", "gc", "namespace", "replicaset", "resource-quota", "service-endpoint"]
            .map(|name| format!("--concurrent-{name}-syncs=2")),
    );
    ComponentSpec {
        id: ID,
        program,
        args,
        env: memory::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: memory::limits(ID, plan.machine),
        needs: vec![Need { component: ComponentId::KubeApiserver, stage: Stage::Ready }],
        probe: Probe::Tls(10257),
        grace: Duration::from_secs(5),
        scope: KillScope::Group,
        handover: None,
    }
}

/// Every node gets a part of the pods' network; where there is only one node, it is known which.
fn pod_networks(plan: &Plan<'_>) -> Vec<String> {
    let mut idle = IDLE.to_vec();
    let mut args = if plan.duty.admits() {
        vec!["--allocate-node-cidrs=true".to_owned(), format!("--cluster-cidr={}", plan.settings.pods)]
    } else {
        idle.push("node-ipam-controller");
        vec!["--allocate-node-cidrs=false".to_owned()]
    };
    let off: Vec<String> = idle.iter().map(|name| format!("-{name}")).collect();
    args.push(format!("--controllers=*,{}", off.join(",")));
    args
}
