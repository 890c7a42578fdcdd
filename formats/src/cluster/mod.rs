//! A cluster's hosts in one file (kind `Cluster`): who there is, what each does, where controllers are called. From it and
//! the cluster's identity comes a seed for each host that runs an image; hosts that run another Linux are reached by SSH.
//!
//! [`read`] is strict, as seeds are: an unknown key, or one that nothing would come of, is an error with the line and the
//! nearest known key.

mod check;
mod file;
mod schema;
mod ssh;
mod storage;

pub mod k0sctl;

#[cfg(test)]
mod tests;

pub use file::{Cluster, Host, Metadata, MetricsServer, Network, Spec, Tokens};
pub use ssh::{BadSsh, KeyFile, Ssh, SshAddress, SshUser};
pub use storage::Storage;

use serde_yaml_ng::Mapping;

use crate::{
    cluster_config::{Extra, Node, Wish},
    seed::{Api, Fault, KeyPath, Problem, Problems, San, Source, checked, decode, line_of},
    storage::StorageType,
    token::Server,
};

/// The file's `apiVersion`.
pub const API_VERSION: &str = "skerry.dev/v1";
/// The file's `kind`.
pub const KIND: &str = "Cluster";

/// Reads a cluster's file.
///
/// # Errors
/// All that is wrong with it.
pub fn read(source: &Source, bytes: &[u8]) -> Result<Cluster, Problems> {
    let problem = |line, fault| Problem { source: source.clone(), line, fault };
    let text = decode(bytes).map_err(|fault| Problems::one(problem(None, fault)))?;
    let layer = checked(source, text, &schema::CLUSTER, |_| None)?;
    if layer.is_empty() {
        let nothing = Fault::Kind { path: KeyPath::default(), wanted: "keys and values", found: "nothing" };
        return Err(Problems::one(problem(None, nothing)));
    }
    // Each value was checked on its own, so that what remains is a key that another one needs.
    let cluster: Cluster = serde_yaml_ng::from_value(layer.value())
        .map_err(|error| Problems::one(problem(None, Fault::Syntax(error.to_string()))))?;
    let located = |(path, fault): (KeyPath, Fault)| problem(line_of(text, path.segments()), fault);
    let mut problems: Vec<Problem> = check::faults(&cluster).into_iter().map(located).collect();
    problems.sort_by_key(|problem| problem.line);
    Problems::none_in(problems)?;
    Ok(cluster)
}

impl Cluster {
    /// Where controllers are called.
    #[must_use]
    pub fn servers(&self) -> Vec<Server> {
        self.controllers().flat_map(Host::servers).collect()
    }

    /// All names and addresses that the API's certificate has besides those that a node finds for itself: those asked for, and
    /// where controllers are called.
    #[must_use]
    pub fn sans(&self) -> Vec<San> {
        let mut sans = self.spec.api.sans.clone();
        for server in self.servers() {
            // Every host that is called is a DNS name or an address, and of a name the certificate has the lower case.
            let san = server.host_and_port().0.to_ascii_lowercase().parse().ok();
            sans.extend(san.filter(|san| !sans.contains(san)));
        }
        sans
    }

    /// Takes on what a configuration of sk8s says below `spec`, but for what this file has words of its own for.
    pub fn pass_on(&mut self, spec: Mapping) {
        self.spec.config = Extra::from(spec).without(schema::SAID_BY_THE_FILE.iter().map(|(path, _)| *path));
    }

    /// The keys that a host's sk8s is passed on. A worker has from its controllers what concerns it.
    #[must_use]
    pub fn extra(&self, host: &Host) -> Extra {
        if host.role.controls() { host.config.over(&self.spec.config) } else { host.config.clone() }
    }

    /// The configuration of a host's sk8s, but for its node's name, labels and taints.
    #[must_use]
    pub fn wish<'a>(&'a self, host: &'a Host) -> Wish<'a> {
        let own = Wish { extra: self.extra(host), ..Wish::default() };
        if !host.role.controls() {
            return own;
        }
        let Spec { network, storage, metrics_server, .. } = &self.spec;
        Wish {
            name: self.metadata.name.as_ref(),
            api_address: host.address(),
            sans: self.sans(),
            pods: network.pods.as_ref(),
            services: network.services.as_ref(),
            domain: network.domain.as_ref(),
            storage: Some(storage.kind).filter(|kind| *kind == StorageType::Etcd),
            // Said also where it is off: a controller that joined while it was on would keep to that.
            metrics_server: Some(metrics_server.enabled),
            node: Node { address: host.node_address.as_ref(), ..Node::default() },
            ..own
        }
    }

    /// The hosts that control it, in the file's order.
    pub fn controllers(&self) -> impl Iterator<Item = &Host> {
        self.spec.hosts.iter().filter(|host| host.role.controls())
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never for a file that was read; one made by hand may hold text that YAML cannot.
    pub fn to_yaml(&self) -> Result<String, serde_yaml_ng::Error> {
        serde_yaml_ng::to_string(self)
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: Metadata::default(),
            spec: Spec {
                hosts: Vec::new(),
                api: Api::default(),
                network: Network::default(),
                storage: Storage::default(),
                metrics_server: MetricsServer::default(),
                tokens: Tokens::default(),
                config: Extra::default(),
            },
        }
    }
}
