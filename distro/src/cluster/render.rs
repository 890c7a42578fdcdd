//! What a host is given: its configuration, and the words of its service. Pure.

use skerry_formats::{
    cluster::{Cluster, Host},
    digest::Digest,
    duty::Duty,
};

use super::{CONFIG, TOKEN};
use crate::service::ServiceRole;

/// The first line of a configuration that is ours to write again.
pub const MARK: &str = "# Written by `sk8s cluster apply`, and written again when the file of hosts changes. Without this line it is yours.";

/// The configuration of a host. A worker's has only what is its own, as its controllers tell it the rest.
#[must_use]
pub fn config(cluster: &Cluster, host: &Host) -> String {
    format!("{MARK}\n{}", cluster.wish(host).to_yaml())
}

/// Whether a host needs a configuration: one of a worker that has nothing of its own would say nothing.
#[must_use]
pub fn is_configured(host: &Host) -> bool {
    host.role.controls() || !host.config.is_empty()
}

/// The digest of a host's configuration.
#[must_use]
pub fn config_digest(cluster: &Cluster, host: &Host) -> Digest {
    Digest::of(config(cluster, host).as_bytes())
}

/// Which service a host has.
#[must_use]
pub const fn role(host: &Host) -> ServiceRole {
    if host.role.controls() { ServiceRole::Controller } else { ServiceRole::Worker }
}

/// The words of a host's service, behind `sk8s install`.
#[must_use]
pub fn words(host: &Host) -> Vec<String> {
    let mut words = vec![role(host).verb().to_owned()];
    match host.role {
        Duty::Single => words.push("--single".to_owned()),
        Duty::ControllerWorker => words.push("--enable-worker".to_owned()),
        Duty::Controller | Duty::Worker => {}
    }
    if host.no_taints {
        words.push("--no-taints".to_owned());
    }
    if is_configured(host) {
        words.push(format!("--config={CONFIG}"));
    }
    words.push(format!("--node-name={}", host.name));
    // A worker has no file to say it in.
    let wish = host.node_address.as_ref().filter(|_| !host.role.controls());
    words.extend(wish.map(|wish| format!("--node-address={wish}")));
    words.extend(host.labels.iter().map(|(key, value)| format!("--labels={key}={value}")));
    words.extend(host.taints.iter().map(|taint| format!("--taints={taint}")));
    words
}

/// The word that says where a host finds its token.
#[must_use]
pub fn token_word() -> String {
    format!("--token-file={TOKEN}")
}
