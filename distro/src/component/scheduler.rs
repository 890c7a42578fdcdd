//! kube-scheduler.

use std::time::Duration;

use super::{
    Plan, share,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::pki::LeafId;

const ID: ComponentId = ComponentId::KubeScheduler;

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let (program, mut args) = plan.kube(ID);
    let kubeconfig = plan.own(ID, "kubeconfig");
    let elect = plan.duty.admits();
    args.extend([
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--tls-cert-file={}", plan.certificate(LeafId::SchedulerServer)),
        format!("--tls-private-key-file={}", plan.key(LeafId::SchedulerServer)),
        "--profiling=false".to_owned(),
        format!("--leader-elect={elect}"),
    ]);
    ComponentSpec {
        id: ID,
        program,
        args,
        env: share::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: vec![Need { component: ComponentId::KubeApiserver, stage: Stage::Ready }],
        probe: Probe::Tls(10259),
        grace: Duration::from_secs(5),
        scope: KillScope::Group,
        handover: None,
    }
}
