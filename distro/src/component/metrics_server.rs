//! metrics-server.

use std::time::Duration;

use super::{
    Plan, share,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::pki::{LeafId, Shared};

const ID: ComponentId = ComponentId::MetricsServer;

/// Where kube-apiserver beside it finds it, on loopback.
pub const PORT: u16 = 10262;

/// Its health is everybody's to know, as kube-scheduler's is: it is asked without a certificate.
const OPEN: &str = "/healthz,/readyz,/livez";

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let kubeconfig = plan.own(ID, "kubeconfig");
    let mut env = share::environment(ID, plan.machine);
    env.push(("SK8S_KUBELETS", plan.paths.kubelets_socket().display().to_string()));
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join(ID.as_str()),
        args: vec![
            format!("--kubeconfig={kubeconfig}"),
            format!("--authentication-kubeconfig={kubeconfig}"),
            "--authentication-skip-lookup=true".to_owned(),
            format!("--client-ca-file={}", plan.own(ID, Shared::Ca.file())),
            format!("--requestheader-client-ca-file={}", plan.own(ID, Shared::FrontProxyCa.file())),
            "--requestheader-allowed-names=front-proxy-client".to_owned(),
            format!("--authorization-kubeconfig={kubeconfig}"),
            format!("--authorization-always-allow-paths={OPEN}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={PORT}"),
            format!("--tls-cert-file={}", plan.certificate(LeafId::MetricsServerServer)),
            format!("--tls-private-key-file={}", plan.key(LeafId::MetricsServerServer)),
            "--profiling=false".to_owned(),
            "--kubelet-preferred-address-types=Hostname".to_owned(),
            "--metric-resolution=15s".to_owned(),
        ],
        env,
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: vec![Need { component: ComponentId::KubeApiserver, stage: Stage::Ready }],
        probe: Probe::Tls(PORT),
        grace: Duration::from_secs(5),
        scope: KillScope::Group,
        handover: None,
    }
}
