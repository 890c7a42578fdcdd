//! The validated configuration: every value of a type that cannot hold a wrong one.

use std::net::{IpAddr, Ipv4Addr};

use skerry_formats::{
    hint,
    name::{BadName, Name},
    node_address::{BadNodeAddress, NodeAddress},
};

use super::{
    api::{Api, BadApi},
    flags::{BadFlag, Flags, Target},
    gates::{BadGate, FeatureGates},
    helm::{BadHelm, Helm},
    host::Domain,
    images::{BadImages, Images},
    metrics_server::MetricsServer,
    network::{BadNetwork, DualStack, Network, Provider, Proxy},
    node::{BadNode, Label, NodeName, Taint},
    profile::{self, BadProfile, KubeletValues, Profiles},
    raw::{self, Raw},
    refused::{self, BadSection},
    runtime::{BadRuntime, Runtime},
    storage::{BadStorage, Storage},
    subnet::{Subnet, Subnet6},
    users::{BadUser, Users},
};
use crate::backup::{BadSnapshots, Snapshots};

/// A value that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// `metadata.name`.
    #[error("metadata.name")]
    Name(#[source] BadName),
    /// `spec.api`.
    #[error("spec.api")]
    Api(#[source] BadApi),
    /// `spec.storage`.
    #[error("spec.storage")]
    Storage(#[source] BadStorage),
    /// `spec.storage.snapshots`.
    #[error("spec.storage")]
    Snapshots(#[source] BadSnapshots),
    /// `spec.network`.
    #[error("spec.network")]
    Network(#[source] BadNetwork),
    /// `spec.controllerManager` or `spec.scheduler`.
    #[error("spec.{0}.extraArgs")]
    Flag(&'static str, #[source] BadFlag),
    /// `spec.workerProfiles`.
    #[error("spec.workerProfiles")]
    Profile(#[source] BadProfile),
    /// `spec.featureGates`.
    #[error("spec.featureGates")]
    Gate(#[source] BadGate),
    /// `spec.images`.
    #[error("spec.images")]
    Images(#[source] BadImages),
    /// `spec.installConfig`.
    #[error("spec.installConfig")]
    User(#[source] BadUser),
    /// `spec.extensions.helm`.
    #[error("spec.extensions.helm")]
    Helm(#[source] BadHelm),
    /// `spec.node`.
    #[error("spec.node")]
    Node(#[source] BadNode),
    /// `spec.node.address`.
    #[error("spec.node.address")]
    Address(#[source] BadNodeAddress),
    /// `spec.node.kubeletExtraArgs`.
    #[error("spec.node.kubeletExtraArgs")]
    KubeletFlag(#[source] BadFlag),
    /// `spec.node.profile`.
    #[error("spec.node.profile: no such profile in spec.workerProfiles: `{name}`{}",
        .near.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    NoProfile {
        /// What was written.
        name: String,
        /// The profile nearest to it.
        near: Option<String>,
    },
    /// `spec.node.criSocket`.
    #[error("spec.node.criSocket")]
    Runtime(#[source] BadRuntime),
    /// A section that sk8s has not.
    #[error("spec")]
    Section(#[source] BadSection),
}

/// What a node is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The cluster's name.
    pub cluster: Name,
    /// This node's name.
    pub node: NodeName,
    /// Which of the machine's addresses is the node's; the one that the default route sends from if `None`.
    pub node_address: Option<NodeAddress>,
    /// Labels it registers with.
    pub labels: Vec<Label>,
    /// Taints it registers with.
    pub taints: Vec<Taint>,
    /// The API server.
    pub api: Api,
    /// Where pods get their addresses.
    pub pods: Subnet,
    /// Where services get their addresses.
    pub services: Subnet,
    /// IPv6 beside IPv4, if there is.
    pub dual: Option<DualStack>,
    /// The cluster's DNS domain.
    pub domain: Domain,
    /// Who connects pods.
    pub provider: Provider,
    /// kube-proxy; `None` if something else does its work.
    pub proxy: Option<Proxy>,
    /// Where objects are kept.
    pub storage: Storage,
    /// Backups that a controller makes by itself.
    pub snapshots: Option<Snapshots>,
    /// Flags of kube-controller-manager.
    pub controller_manager: Flags,
    /// Flags of kube-scheduler.
    pub scheduler: Flags,
    /// Whether the API says what nodes and pods use.
    pub metrics_server: MetricsServer,
    /// Settings of kubelets, by name.
    pub profiles: Profiles,
    /// Who runs this node's containers.
    pub runtime: Runtime,
    /// What this node's kubelet is told besides.
    pub kubelet: KubeletValues,
    /// Flags of this node's kubelet.
    pub kubelet_flags: Flags,
    /// Features of Kubernetes that are turned on or off.
    pub gates: FeatureGates,
    /// Where images come from.
    pub images: Images,
    /// Accounts that components run as.
    pub users: Users,
    /// Charts that are to be in the cluster.
    pub helm: Helm,
}

impl Settings {
    /// Where other members of etcd are to reach this controller's, if its owner said so.
    #[must_use]
    pub const fn peer_address(&self) -> Option<IpAddr> {
        match &self.storage {
            Storage::Etcd(member) => member.peer_address,
            Storage::Kine { .. } | Storage::External(_) => None,
        }
    }

    /// The first key of those that all controllers of a cluster must have alike in which this one differs from another.
    #[must_use]
    pub fn differs(&self, other: &Self) -> Option<&'static str> {
        let storage = match (&self.storage, &other.storage) {
            (Storage::Etcd(_), Storage::Etcd(_)) => true,
            (ours, theirs) => ours == theirs,
        };
        let same = [
            ("metadata.name", self.cluster == other.cluster),
            ("spec.storage", storage),
            ("spec.network.podCIDR", self.pods == other.pods),
            ("spec.network.serviceCIDR", self.services == other.services),
            ("spec.network.dualStack", self.dual == other.dual),
            ("spec.network.clusterDomain", self.domain == other.domain),
            ("spec.network.provider", self.provider == other.provider),
        ];
        same.into_iter().find(|(_, same)| !same).map(|(key, _)| key)
    }

    /// Checks a merged configuration; `host_name` names the node where the configuration does not.
    ///
    /// # Errors
    /// The first value that cannot be, with its key.
    pub fn validate(raw: &Raw, host_name: &str) -> Result<Self, Invalid> {
        Self::check(raw, host_name).map_err(|mut problems| problems.swap_remove(0))
    }

    /// Checks a merged configuration as [`Settings::validate`] does.
    ///
    /// # Errors
    /// Every value that cannot be; at least one.
    pub fn check(raw: &Raw, host_name: &str) -> Result<Self, Vec<Invalid>> {
        let mut problems = Problems(Vec::new());
        let spec = &raw.spec;
        let cluster = problems.one(raw.metadata.name.as_deref().unwrap_or("skerry").parse(), Invalid::Name);
        let api = problems.all(Api::validate(&spec.api), Invalid::Api);
        let storage = problems.all(Storage::validate(&spec.storage), Invalid::Storage);
        let snapshots = problems.one(Snapshots::validate(&spec.storage.snapshots), Invalid::Snapshots);
        let network = problems.all(Network::validate(&spec.network), Invalid::Network);
        let flags = |target, process: &raw::Process| Flags::check(target, process.extra_args.as_ref());
        let manager = flags(Target::KubeControllerManager, &spec.controller_manager);
        let controller_manager = problems.all(manager, |bad| Invalid::Flag("controllerManager", bad));
        let scheduler = flags(Target::KubeScheduler, &spec.scheduler);
        let scheduler = problems.all(scheduler, |bad| Invalid::Flag("scheduler", bad));
        let metrics_server = MetricsServer::from(&spec.metrics_server);
        let profiles = Profiles::validate(spec.worker_profiles.as_deref().unwrap_or_default());
        let profiles = problems.all(profiles, Invalid::Profile);
        let gates = FeatureGates::validate(spec.feature_gates.as_deref().unwrap_or_default());
        let gates = problems.all(gates, Invalid::Gate);
        let images = problems.all(Images::validate(&spec.images), Invalid::Images);
        let users = problems.all(Users::validate(&spec.install_config), Invalid::User);
        let helm = problems.all(Helm::validate(&spec.extensions.helm), Invalid::Helm);
        let node = problems.node(&spec.node, host_name);
        let wish = spec.node.address.as_deref();
        let node_address = problems.one(wish.map(str::parse).transpose(), Invalid::Address);
        let kubelet_flags = Flags::check(Target::Kubelet, spec.node.kubelet_extra_args.as_ref());
        let kubelet_flags = problems.all(kubelet_flags, Invalid::KubeletFlag);
        let runtime = problems.one(Runtime::validate(spec.node.cri_socket.as_deref()), Invalid::Runtime);
        let kubelet = profiles.as_ref().and_then(|profiles| problems.profile(&spec.node, profiles));
        problems.0.extend(refused::problems(spec).into_iter().map(Invalid::Section));
        let whole = || {
            let (Network { pods, services, dual, domain, provider, proxy }, (node, labels, taints)) = (network?, node?);
            let (controller_manager, scheduler) = (controller_manager?, scheduler?);
            let (cluster, api, storage, profiles) = (cluster?, api?, storage?, profiles?);
            let (snapshots, runtime, node_address) = (snapshots?, runtime?, node_address?);
            let (kubelet, kubelet_flags) = (kubelet?, kubelet_flags?);
            let (gates, images, users, helm) = (gates?, images?, users?, helm?);
            #[rustfmt::skip]
            let settings = Self {
                cluster, node, node_address, labels, taints, api, pods, services, dual, domain, provider, proxy, storage,
                snapshots, runtime,
                controller_manager, scheduler, metrics_server, profiles, kubelet, kubelet_flags, gates, images, users, helm,
            };
            Some(settings)
        };
        match whole() {
            Some(settings) if problems.0.is_empty() => Ok(settings),
            _ => Err(problems.0),
        }
    }

    /// All addresses of pods, the IPv4 first, as Kubernetes' flags want them.
    #[must_use]
    pub fn pod_ranges(&self) -> String {
        ranges(self.pods, self.dual.map(|dual| dual.pods))
    }

    /// All addresses of services, likewise.
    #[must_use]
    pub fn service_ranges(&self) -> String {
        ranges(self.services, self.dual.map(|dual| dual.services))
    }

    /// The address of the cluster's DNS service.
    #[must_use]
    pub fn dns_address(&self) -> Ipv4Addr {
        let last = (1_u32 << (32 - self.services.prefix())) - 2;
        self.services.address(last.min(10))
    }

    /// The address of the `kubernetes` service.
    #[must_use]
    pub fn api_address(&self) -> Ipv4Addr {
        self.services.address(1)
    }
}

fn ranges(v4: Subnet, v6: Option<Subnet6>) -> String {
    v6.map_or_else(|| v4.to_string(), |v6| format!("{v4},{v6}"))
}

/// What was found to be wrong so far.
struct Problems(Vec<Invalid>);

impl Problems {
    fn one<T, E>(&mut self, result: Result<T, E>, as_invalid: impl Fn(E) -> Invalid) -> Option<T> {
        result.map_err(|bad| self.0.push(as_invalid(bad))).ok()
    }

    fn all<T, E>(&mut self, result: Result<T, Vec<E>>, as_invalid: impl Fn(E) -> Invalid) -> Option<T> {
        result.map_err(|bad| self.0.extend(bad.into_iter().map(as_invalid))).ok()
    }

    fn node(&mut self, raw: &raw::Node, host_name: &str) -> Option<(NodeName, Vec<Label>, Vec<Taint>)> {
        let name = self.one(raw.name.as_deref().unwrap_or(host_name).parse(), Invalid::Node);
        let labels = raw.labels.iter().flatten();
        let labels = labels.filter_map(|(key, value)| self.one(Label::new(key, value), Invalid::Node)).collect();
        let taints = raw.taints.iter().flatten();
        let taints = taints.filter_map(|text| self.one(text.parse(), Invalid::Node)).collect();
        Some((name?, labels, taints))
    }

    fn profile(&mut self, raw: &raw::Node, profiles: &Profiles) -> Option<KubeletValues> {
        let name = raw.profile.as_deref().unwrap_or(profile::DEFAULT);
        let values = profiles.get(name);
        if values.is_none() {
            let near = hint::nearest(name, profiles.names()).map(ToOwned::to_owned);
            self.0.push(Invalid::NoProfile { name: name.to_owned(), near });
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::{Raw, Settings};

    fn settings(yaml: &str) -> Result<Settings, super::Invalid> {
        Settings::validate(&Raw::parse(yaml).expect("well-formed"), "barn")
    }

    #[test]
    fn the_defaults_are_a_whole_configuration() {
        let settings = settings("").expect("valid");
        assert_eq!(settings.node.as_str(), "barn");
        assert_eq!(settings.cluster.as_str(), "skerry");
        assert_eq!(settings.api_address().to_string(), "10.96.0.1");
        assert_eq!(settings.dns_address().to_string(), "10.96.0.10");
    }

    #[test]
    fn every_problem_is_told_with_its_section() {
        let yaml = "
metadata: {name: A}
spec:
  api: {port: 443}
  storage: {type: consul}
  network: {provider: calico}
  controllerManager: {extraArgs: {kubeconfig: /x}}
  scheduler: {extraArgs: {vv: 2}}
  workerProfiles: [{name: default, values: {port: 1}}]
  featureGates: [{name: X, enabled: true}]
  images: {default_pull_policy: Now}
  installConfig: {users: {kineUser: '-'}}
  extensions: {helm: {concurrencyLevel: 0}}
  node: {name: _, taints: [x], criSocket: crio.sock}
  telemetry: {enabled: true}
";
        let problems = Settings::check(&Raw::parse(yaml).expect("well-formed"), "barn").expect_err("refused");
        let sections: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let wanted = [
            "metadata.name",
            "spec.api",
            "spec.storage",
            "spec.network",
            "spec.controllerManager.extraArgs",
            "spec.scheduler.extraArgs",
            "spec.workerProfiles",
            "spec.featureGates",
            "spec.images",
            "spec.installConfig",
            "spec.extensions.helm",
            "spec.node",
            "spec.node",
            "spec.node.criSocket",
            "spec",
        ];
        assert_eq!(sections, wanted);
    }

    #[test]
    fn what_a_kubelet_cannot_be_given_is_told_with_its_key() {
        let yaml = "spec: {node: {kubeletExtraArgs: {cloud-provider: external, cloud-providr: x, node-ip: 10.0.0.7}}}";
        let problems = Settings::check(&Raw::parse(yaml).expect("well-formed"), "barn").expect_err("refused");
        let told: Vec<_> = problems.iter().map(|bad| crate::supervisor::chain(bad)).collect();
        let wanted = [
            "spec.node.kubeletExtraArgs: kubelet has no flag `cloud-providr`; did you mean `cloud-provider`?",
            "spec.node.kubeletExtraArgs: `node-ip` is not yours to set: set `spec.node.address` instead",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_nodes_address_is_told_in_one_of_three_ways() {
        for text in ["10.0.0.7", "10.0.0.0/24", "eth1"] {
            let settings = settings(&format!("spec: {{node: {{address: {text}}}}}")).expect("valid");
            assert_eq!(settings.node_address.map(|wish| wish.to_string()).as_deref(), Some(text));
        }
        let error = settings("spec: {node: {address: 10.0.0.7/24}}").expect_err("neither an address nor a range");
        let wanted = "spec.node.address: not a range: `10.0.0.7/24`; did you mean `10.0.0.0/24` or `10.0.0.7`?";
        assert_eq!(crate::supervisor::chain(&error), wanted);
        let error = Raw::parse("spec:\n  node:\n    adress: eth1\n").expect_err("a misspelt key").to_string();
        assert!(error.ends_with("; did you mean `address`?"), "{error}");
    }

    #[test]
    fn a_node_follows_a_profile_that_is_there() {
        let yaml = "spec: {workerProfiles: [{name: big, values: {maxPods: 250}}], node: {profile: PROFILE}}";
        let big = settings(&yaml.replace("PROFILE", "big")).expect("valid");
        assert_eq!(big.kubelet["maxPods"], 250);
        let error = settings(&yaml.replace("PROFILE", "bif")).expect_err("no profile").to_string();
        assert_eq!(error, "spec.node.profile: no such profile in spec.workerProfiles: `bif`; did you mean `big`?");
    }

    #[test]
    fn a_tiny_service_network_still_has_a_dns_address_of_its_own() {
        let settings = settings("spec: {network: {serviceCIDR: 10.96.0.0/29}}").expect("valid");
        assert_eq!(settings.dns_address().to_string(), "10.96.0.6");
    }
}
