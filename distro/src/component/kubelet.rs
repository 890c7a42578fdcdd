//! kubelet.

use std::time::Duration;

use serde_json::json;

use super::{
    Plan, Rendered, owner, share,
    spec::{ComponentId, ComponentSpec, KillScope, Need, Probe, Stage},
};
use crate::{
    config::{Taint, put_over},
    pki::{LeafId, Shared},
    sys::cgroup::Version,
};

const ID: ComponentId = ComponentId::Kubelet;
const HEALTH_PORT: u16 = 10248;

pub(super) fn spec(plan: &Plan<'_>) -> ComponentSpec {
    let (program, mut args) = plan.kube(ID);
    args.extend([
        format!("--config={}", plan.own(ID, "config.json")),
        format!("--kubeconfig={}", plan.own(ID, "kubeconfig")),
        format!("--root-dir={}", plan.paths.kubelet.display()),
        format!("--hostname-override={}", plan.settings.node),
        format!("--node-ip={}", plan.node_addresses()),
        "--housekeeping-interval=30s".to_owned(),
    ]);
    if !plan.settings.labels.is_empty() {
        let labels: Vec<_> = plan.settings.labels.iter().map(|l| format!("{}={}", l.key, l.value)).collect();
        args.push(format!("--node-labels={}", labels.join(",")));
    }
    ComponentSpec {
        id: ID,
        program,
        args,
        env: share::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: vec![
            Need { component: ComponentId::KubeApiserver, stage: Stage::Listening },
            Need { component: ComponentId::Containerd, stage: Stage::Ready },
        ],
        probe: Probe::Node(HEALTH_PORT),
        grace: Duration::from_secs(5),
        scope: KillScope::Process,
        handover: None,
    }
}

pub(super) fn files(plan: &Plan<'_>) -> Vec<Rendered> {
    vec![
        Rendered { path: plan.paths.of(ID).join("config.json"), text: format!("{:#}\n", config(plan)) },
        Rendered { path: plan.paths.of(ID).join("resolv.conf"), text: resolver(&plan.machine.resolver) },
    ]
}

/// Whether it answers requests for profiles of itself.
pub(super) fn is_profiled(plan: &Plan<'_>) -> bool {
    config(plan)["enableProfilingHandler"] != json!(false)
}

fn config(plan: &Plan<'_>) -> serde_json::Value {
    let mut config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        // Logs and exec come in through the link, which calls it here.
        "address": "127.0.0.1",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": plan.own(ID, Shared::Ca.file()) },
        },
        "authorization": { "mode": "Webhook" },
        "tlsCertFile": plan.certificate(LeafId::KubeletServer),
        "tlsPrivateKeyFile": plan.key(LeafId::KubeletServer),
        "tlsMinVersion": "VersionTLS12",
        "containerRuntimeEndpoint": format!("unix://{}", plan.settings.runtime.socket(plan.paths).display()),
        "cgroupDriver": "cgroupfs",
        "clusterDNS": [plan.settings.dns_address()],
        "clusterDomain": plan.settings.domain.as_str(),
        "resolvConf": plan.own(ID, "resolv.conf"),
        "failSwapOn": false,
        "enableProfilingHandler": false,
        "enableSystemLogHandler": false,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": HEALTH_PORT,
        "nodeStatusReportFrequency": "5m",
        "nodeLeaseDurationSeconds": 40,
        "containerLogMaxSize": "5Mi",
        "containerLogMaxFiles": 2,
        "volumePluginDir": plan.paths.data.join("volume-plugins"),
    });
    if plan.machine.cgroups == Version::V1 {
        config["failCgroupV1"] = json!(false);
    }
    if !plan.settings.taints.is_empty() {
        config["registerWithTaints"] = plan.settings.taints.iter().map(taint).collect();
    }
    if let Some(gates) = owner::gates(plan, ID) {
        config["featureGates"] = gates;
    }
    put_over(&plan.settings.kubelet, &mut config);
    config
}

fn taint(taint: &Taint) -> serde_json::Value {
    json!({ "key": taint.label.key, "value": taint.label.value, "effect": taint.effect })
}

/// Pods' resolver configuration. A cluster's DNS server does not start with none to ask in turn, so a node without any
/// gets one of the addresses set aside for documentation (RFC 5737), which never answers.
fn resolver(text: &str) -> String {
    let known: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])).collect();
    let usable = |line: &&str| {
        line.strip_prefix("nameserver").is_some_and(|rest| {
            let rest = rest.trim();
            !rest.starts_with("127.") && rest != "::1" && !rest.is_empty()
        })
    };
    let servers: Vec<&str> = known.iter().copied().filter(usable).collect();
    let servers = if servers.is_empty() { vec!["nameserver 192.0.2.1"] } else { servers };
    let rest = known.iter().copied().filter(|line| !line.starts_with("nameserver") && !line.trim().is_empty());
    servers.into_iter().chain(rest).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::resolver;

    #[test]
    fn the_loopback_stub_is_not_handed_to_pods() {
        let text = "# comment\nnameserver 127.0.0.53\nnameserver 10.0.2.3\noptions edns0\nsearch lan\n";
        assert_eq!(resolver(text), "nameserver 10.0.2.3\noptions edns0\nsearch lan\n");
    }

    #[test]
    fn a_node_without_a_resolver_still_gives_pods_one() {
        assert_eq!(resolver(""), "nameserver 192.0.2.1\n");
    }
}
