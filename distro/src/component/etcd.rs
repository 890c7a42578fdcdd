//! etcd: this controller's member of the cluster's own.
//!
//! A member's URL for the others is part of what the cluster remembers of it, and cannot be loopback if others are ever to
//! join. Where it listens is not: the only member listens on loopback, so that no port is open for nobody, and tells the
//! URL that it will listen at with others. When a second one joins, it starts again with [`Membership::others`] filled, and
//! nothing of what the cluster remembers changes.
//!
//! The `initial` words count at a member's first start only. A node whose address has changed since is still found in the
//! member list under its old URL, which a lone member never calls; whoever lets another join tells the cluster first.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    Plan, memory,
    spec::{ComponentId, ComponentSpec, KillScope, Probe},
};
use crate::{
    config::{EtcdMember, NodeName, Settings},
    pki::{LeafId, Shared},
    sys::machine::Machine,
};

const ID: ComponentId = ComponentId::Etcd;

/// Where a controller finds its own member.
pub const CLIENT_URL: &str = "https://127.0.0.1:2379";

/// Health and metrics, on loopback and without TLS.
const METRICS_PORT: u16 = 2381;

/// The port of members for members.
const PEER_PORT: u16 = 2380;

/// Where a member listens for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerUrl(SocketAddr);

impl PeerUrl {
    /// The URL of a member at an address.
    #[must_use]
    pub const fn at(address: IpAddr) -> Self {
        Self(SocketAddr::new(address, PEER_PORT))
    }

    /// The URL of this node's member.
    #[must_use]
    pub fn of(member: &EtcdMember, machine: &Machine) -> Self {
        Self::at(member.peer_address.unwrap_or(machine.address))
    }
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.0)
    }
}

/// Whether a member makes a cluster or finds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialState {
    /// All members of the list start for the first time.
    New,
    /// The cluster is there and has been told of this member.
    Existing,
}

/// What a member is told of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The member's name, which is its node's.
    pub name: NodeName,
    /// Where the others reach it.
    pub url: PeerUrl,
    /// The others.
    pub others: Vec<(NodeName, PeerUrl)>,
    /// Whether the cluster is there.
    pub state: InitialState,
}

impl Membership {
    /// The only member of a cluster.
    #[must_use]
    pub fn alone(settings: &Settings, member: &EtcdMember, machine: &Machine) -> Self {
        Self {
            name: settings.node.clone(),
            url: PeerUrl::of(member, machine),
            others: Vec::new(),
            state: InitialState::New,
        }
    }

    /// The words that come from the membership alone.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let listen = if self.others.is_empty() { PeerUrl::at(IpAddr::V4(LOCALHOST)) } else { self.url };
        let own = std::iter::once((&self.name, self.url));
        let others = self.others.iter().map(|(name, url)| (name, *url));
        let members: Vec<String> = own.chain(others).map(|(name, url)| format!("{name}={url}")).collect();
        let state = match self.state {
            InitialState::New => "new",
            InitialState::Existing => "existing",
        };
        vec![
            format!("--name={}", self.name),
            format!("--listen-peer-urls={listen}"),
            format!("--initial-advertise-peer-urls={}", self.url),
            format!("--initial-cluster={}", members.join(",")),
            format!("--initial-cluster-state={state}"),
        ]
    }
}

const LOCALHOST: std::net::Ipv4Addr = std::net::Ipv4Addr::LOCALHOST;

pub(super) fn spec(plan: &Plan<'_>, member: &EtcdMember) -> ComponentSpec {
    let mut args = Membership::alone(plan.settings, member, plan.machine).arguments();
    args.extend(serving(plan));
    args.extend(storing(plan));
    member.extra_args.put_over(&mut args);
    ComponentSpec {
        id: ID,
        program: plan.paths.components.join("etcd"),
        args,
        env: memory::environment(ID, plan.machine),
        account: ID.account(plan.machine),
        limits: memory::limits(ID, plan.machine),
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

/// A quarter of the machine's memory, as etcd maps all of its database: at least what etcd takes by itself (2 GiB), at most
/// what it is made for (8 GiB).
fn quota(machine: &Machine) -> u64 {
    const GIB: u64 = 1 << 30;
    (machine.memory_mib * (1 << 20) / 4).clamp(2 * GIB, 8 * GIB)
}

#[cfg(test)]
mod tests {
    use super::{InitialState, Membership, PeerUrl};

    fn member(others: &[(&str, [u8; 4])]) -> Membership {
        Membership {
            name: "barn".parse().expect("a name"),
            url: PeerUrl::at([10, 0, 2, 15].into()),
            others: others
                .iter()
                .map(|(name, at)| (name.parse().expect("a name"), PeerUrl::at((*at).into())))
                .collect(),
            state: InitialState::New,
        }
    }

    #[test]
    fn a_lone_member_listens_on_loopback_and_tells_its_later_url() {
        assert_eq!(
            member(&[]).arguments(),
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
        let mut member = member(&[("mill", [10, 0, 2, 16])]);
        member.state = InitialState::Existing;
        assert_eq!(
            member.arguments(),
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
        let url = PeerUrl::at("fd00::9".parse().expect("an address"));
        assert_eq!(url.to_string(), "https://[fd00::9]:2380");
    }
}
