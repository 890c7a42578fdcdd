//! kube-apiserver.

use std::{net::IpAddr, time::Duration};

use super::{
    Plan, Rendered, etcd, share,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::{
    config::{DataSource, Storage},
    pki::{LeafId, Shared},
};

const ID: ComponentId = ComponentId::KubeApiserver;
const EGRESS: &str = "egress.yaml";

/// The server calls nodes, and what runs on them, through our link alone; nodes are named, since two of them behind two
/// routers may have the same address.
pub(super) fn file(plan: &Plan<'_>) -> Rendered {
    let text = format!(
        "apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds:
        udsName: {}
",
        plan.paths.egress_socket().display()
    );
    Rendered { path: plan.paths.of(ID).join(EGRESS), text }
}

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let (program, mut args) = plan.kube(ID);
    args.extend(serving(plan));
    args.extend(authentication(plan));
    args.extend(storage(plan));
    let mut env = share::environment(ID, plan.machine);
    env.push(("SK8S_HOSTS", plan.paths.hosts().display().to_string()));
    ComponentSpec {
        id: ID,
        program,
        args,
        env,
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: match &plan.settings.storage {
            Storage::Kine { .. } => vec![Need { component: ComponentId::Kine, stage: Stage::Ready }],
            Storage::Etcd(_) => vec![Need { component: ComponentId::Etcd, stage: Stage::Ready }],
            Storage::External(_) => Vec::new(),
        },
        probe: Probe::Api,
        grace: Duration::from_secs(3),
        scope: KillScope::Group,
        handover: None,
    }
}

fn serving(plan: &Plan<'_>) -> Vec<String> {
    let api = &plan.settings.api;
    let mut args = vec![
        format!("--advertise-address={}", api.address.map_or(plan.machine.address, IpAddr::V4)),
        "--bind-address=127.0.0.1".to_owned(),
        "--secure-port=6443".to_owned(),
        format!("--tls-cert-file={}", plan.certificate(LeafId::ApiServer)),
        format!("--tls-private-key-file={}", plan.key(LeafId::ApiServer)),
        "--tls-min-version=VersionTLS12".to_owned(),
        format!("--service-cluster-ip-range={}", plan.settings.service_ranges()),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
        format!("--kubelet-client-certificate={}", plan.certificate(LeafId::ApiServerKubeletClient)),
        format!("--kubelet-client-key={}", plan.key(LeafId::ApiServerKubeletClient)),
        format!("--kubelet-certificate-authority={}", plan.own(ID, Shared::Ca.file())),
        "--kubelet-preferred-address-types=Hostname".to_owned(),
        format!("--egress-selector-config-file={}", plan.own(ID, EGRESS)),
    ];
    args.extend(api.external.as_ref().map(|host| format!("--external-hostname={host}")));
    args
}

fn authentication(plan: &Plan<'_>) -> Vec<String> {
    vec![
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--anonymous-auth=false".to_owned(),
        format!("--client-ca-file={}", plan.own(ID, Shared::Ca.file())),
        format!("--requestheader-client-ca-file={}", plan.own(ID, Shared::FrontProxyCa.file())),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        format!("--proxy-client-cert-file={}", plan.certificate(LeafId::FrontProxyClient)),
        format!("--proxy-client-key-file={}", plan.key(LeafId::FrontProxyClient)),
        format!("--encryption-provider-config={}", plan.own(ID, Shared::Keyring.file())),
        "--encryption-provider-config-automatic-reload=true".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", plan.own(ID, Shared::ServiceAccountPublic.file())),
        format!("--service-account-signing-key-file={}", plan.own(ID, Shared::ServiceAccountPrivate.file())),
    ]
}

/// One server needs no lease to tell others that it lives, and a flash card is spared its renewal every ten seconds.
fn reconciler(plan: &Plan<'_>) -> &'static str {
    let alone = matches!(plan.settings.storage, Storage::Kine { source: DataSource::Sqlite });
    if alone || !plan.duty.admits() { "master-count" } else { "lease" }
}

fn storage(plan: &Plan<'_>) -> Vec<String> {
    let mut args = match &plan.settings.storage {
        Storage::Kine { .. } => vec![format!("--etcd-servers=unix://{}", plan.paths.kine_socket().display())],
        Storage::Etcd(_) => {
            let mut args = vec![format!("--etcd-servers={}", etcd::CLIENT_URL)];
            args.extend(proof(plan));
            args
        }
        Storage::External(cluster) => {
            let mut args = vec![
                format!("--etcd-servers={}", cluster.endpoints.join(",")),
                format!("--etcd-prefix={}", cluster.prefix),
            ];
            args.extend(cluster.tls.iter().flat_map(|_| proof(plan)));
            args
        }
    };
    args.extend([
        format!("--endpoint-reconciler-type={}", reconciler(plan)),
        "--event-ttl=30m".to_owned(),
        "--etcd-count-metric-poll-period=0".to_owned(),
        "--etcd-db-metric-poll-interval=0".to_owned(),
    ]);
    args
}

/// What etcd is called with: ours, or copies of the owner's, as kube-apiserver's account may not read those.
fn proof(plan: &Plan<'_>) -> [String; 3] {
    [
        format!("--etcd-cafile={}", plan.own(ID, Shared::EtcdCa.file())),
        format!("--etcd-certfile={}", plan.certificate(LeafId::ApiServerEtcdClient)),
        format!("--etcd-keyfile={}", plan.key(LeafId::ApiServerEtcdClient)),
    ]
}
