//! kube-controller-manager.

use std::time::Duration;

use super::{
    Plan, share,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::{
    config::{Lifetimes, Provider, Settings, duration_text},
    pki::{LeafId, Shared},
};

const ID: ComponentId = ComponentId::KubeControllerManager;

/// Controllers that a cluster without a cloud and without routes of its own has no work for.
const IDLE: [&str; 5] = [
    "cloud-node-lifecycle-controller",
    "node-route-controller",
    "service-lb-controller",
    "storageversion-garbage-collector-controller",
    "ttl-controller",
];

/// Gives each node its part of the pods' addresses.
const NODE_NETWORKS: &str = "node-ipam-controller";

/// Whether nodes get their networks from here: more than one of ours does, and a network of the owner's may ask for them.
fn gives_networks(plan: &Plan<'_>) -> bool {
    match plan.settings.provider {
        Provider::Flannel(_) => plan.duty.admits(),
        Provider::Custom => true,
        Provider::None => false,
    }
}

/// How many addresses a node gets, in each family there is.
fn node_sizes(settings: &Settings) -> Vec<String> {
    let v4 = settings.pods.first(24).prefix();
    settings.dual.map_or_else(
        || vec![format!("--node-cidr-mask-size={v4}")],
        |dual| {
            let v6 = dual.node_prefix();
            vec![format!("--node-cidr-mask-size-ipv4={v4}"), format!("--node-cidr-mask-size-ipv6={v6}")]
        },
    )
}

/// What follows from the owner's configuration, and from whether there are other nodes.
fn owned(plan: &Plan<'_>) -> Vec<String> {
    let leaf = plan.settings.api.lifetimes.leaf;
    let mut idle = IDLE.to_vec();
    let mut args = vec![format!("--allocate-node-cidrs={}", gives_networks(plan))];
    if gives_networks(plan) {
        args.push(format!("--cluster-cidr={}", plan.settings.pod_ranges()));
        args.extend(node_sizes(plan.settings));
    } else {
        idle.push(NODE_NETWORKS);
    }
    args.push(format!(
        "--controllers=*,tokencleaner{}",
        idle.iter().map(|name| format!(",-{name}")).collect::<String>()
    ));
    if leaf != Lifetimes::default().leaf {
        args.push(format!("--cluster-signing-duration={}", duration_text(leaf)));
    }
    args
}

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
        format!("--service-cluster-ip-range={}", plan.settings.service_ranges()),
        "--node-monitor-period=10s".to_owned(),
    ]);
    args.extend(owned(plan));
    ComponentSpec {
        id: ID,
        program,
        args,
        env: share::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: vec![Need { component: ComponentId::KubeApiserver, stage: Stage::Ready }],
        probe: Probe::Tls(10257),
        grace: Duration::from_secs(5),
        scope: KillScope::Group,
        handover: None,
    }
}
