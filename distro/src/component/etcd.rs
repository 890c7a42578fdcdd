//! etcd: this controller's member of the cluster's own.
//!
//! A member's URL for the others is part of what the cluster remembers of it, and cannot be loopback if others are ever to
//! join. Where it listens is not: the only member listens on loopback, so that no port is open for nobody, and tells the
//! URL that it will listen at with others. When a second one joins, it starts again to listen there, and nothing of what the
//! cluster remembers changes.
//!
//! The `initial` words count at a member's first start only. A node whose address has changed since is still found in the
//! member list under its old URL, which a lone member never calls; it tells the cluster before it lets another join.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::{
    Plan, share,
    spec::{ComponentId, ComponentSpec, KillScope, Probe},
};
use crate::{
    config::{EtcdMember, NodeName},
    peers::{self, Company, Known},
    pki::{LeafId, Shared},
    sys::machine::Machine,
};

const ID: ComponentId = ComponentId::Etcd;

/// Where a controller finds its own member.
pub const CLIENT_URL: &str = "https://127.0.0.1:2379";

/// What a member says that finds itself taken out of the cluster, and what its owner is told then.
pub(super) const REMOVED: &str = "the member has been permanently removed from the cluster";
pub(super) const WHEN_REMOVED: &str = "this controller was taken out of etcd; if it is to come back: `sk8s stop`, `sk8s reset`, and join it with a new token";

/// Health and metrics, on loopback and without TLS.
const METRICS_PORT: u16 = 2381;

/// The words that come from the membership alone.
fn membership(name: &NodeName, address: IpAddr, known: &Known) -> Vec<String> {
    let listen = match known.company {
        Company::Alone => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Company::Several => address,
    };
    let own = format!("{name}={}", peers::url(address));
    let others = known.join.iter().map(|peer| format!("{}={}", peer.name, peer.url));
    let members: Vec<String> = std::iter::once(own).chain(others).collect();
    let state = if known.join.is_empty() { "new" } else { "existing" };
    vec![
        format!("--name={name}"),
        format!("--listen-peer-urls={}", peers::url(listen)),
        format!("--initial-advertise-peer-urls={}", peers::url(address)),
        format!("--initial-cluster={}", members.join(",")),
        format!("--initial-cluster-state={state}"),
    ]
}

pub(super) fn spec(plan: &Plan<'_>, member: &EtcdMember) -> ComponentSpec {
    let address = plan.settings.peer_address().unwrap_or(plan.machine.address);
    let mut args = membership(&plan.settings.node, address, plan.known);
    args.extend(serving(plan));
    args.extend(storing(plan));
    member.extra_args.put_over(&mut args);
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("etcd"),
        args,
        env: share::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: share::limits(ID, plan.machine),
        needs: Vec::new(),
        probe: Probe::Etcd(METRICS_PORT),
        grace: Duration::from_secs(10),
        scope: KillScope::Group,
        handover: None,
    }
}

fn serving(plan: &Plan<'_>) -> Vec<String> {
    let authority = plan.own(ID, Shared::EtcdCa.file());
    vec![
        format!("--initial-cluster-token={}", plan.settings.cluster),
        format!("--listen-client-urls={CLIENT_URL}"),
        format!("--advertise-client-urls={CLIENT_URL}"),
        format!("--listen-metrics-urls=http://127.0.0.1:{METRICS_PORT}"),
        "--client-cert-auth=true".to_owned(),
        format!("--trusted-ca-file={authority}"),
        format!("--cert-file={}", plan.certificate(LeafId::EtcdServer)),
        format!("--key-file={}", plan.key(LeafId::EtcdServer)),
        "--peer-client-cert-auth=true".to_owned(),
        format!("--peer-trusted-ca-file={authority}"),
        format!("--peer-cert-file={}", plan.certificate(LeafId::EtcdPeer)),
        format!("--peer-key-file={}", plan.key(LeafId::EtcdPeer)),
        "--tls-min-version=TLS1.2".to_owned(),
        "--enable-pprof=false".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

/// kube-apiserver compacts, so etcd does not; it also asks for progress every few seconds to serve reads from its cache.
fn storing(plan: &Plan<'_>) -> Vec<String> {
    vec![
        format!("--data-dir={}", plan.paths.etcd().display()),
        format!("--quota-backend-bytes={}", quota(plan.machine)),
        "--watch-progress-notify-interval=5s".to_owned(),
        "--feature-gates=InitialCorruptCheck=true".to_owned(),
    ]
}

/// A quarter of the machine's share, as etcd maps all of its database: at least what etcd takes by itself (2 GiB), at most
/// what it is made for (8 GiB).
fn quota(machine: &Machine) -> u64 {
    const GIB: u64 = 1 << 30;
    (machine.memory_mib * (1 << 20) / 4).clamp(2 * GIB, 8 * GIB)
}

#[cfg(test)]
mod tests {
    use super::membership;
    use crate::peers::{self, Company, Known, Peer};

    fn words(known: &Known) -> Vec<String> {
        membership(&"barn".parse().expect("a name"), [10, 0, 2, 15].into(), known)
    }

    #[test]
    fn a_lone_member_listens_on_loopback_and_tells_its_later_url() {
        assert_eq!(
            words(&Known::default()),
            [
                "--name=barn",
                "--listen-peer-urls=https://127.0.0.1:2380",
                "--initial-advertise-peer-urls=https://10.0.2.15:2380",
                "--initial-cluster=barn=https://10.0.2.15:2380",
                "--initial-cluster-state=new",
            ]
        );
    }

    #[test]
    fn with_others_it_listens_where_it_said() {
        let mill = Peer { name: "mill".parse().expect("a name"), url: peers::url([10, 0, 2, 16].into()) };
        assert_eq!(
            words(&Known { company: Company::Several, join: vec![mill] }),
            [
                "--name=barn",
                "--listen-peer-urls=https://10.0.2.15:2380",
                "--initial-advertise-peer-urls=https://10.0.2.15:2380",
                "--initial-cluster=barn=https://10.0.2.15:2380,mill=https://10.0.2.16:2380",
                "--initial-cluster-state=existing",
            ]
        );
    }

    #[test]
    fn an_address_of_six_bytes_by_two_is_bracketed() {
        assert_eq!(peers::url("fd00::9".parse().expect("an address")), "https://[fd00::9]:2380");
    }
}
