//! What the agent writes for sk8s, and the command that its unit runs.

use skerry_formats::{
    role::Role,
    seed::{Section, Workloads},
};

use crate::intent::Intent;

/// sk8s' configuration.
pub const CONFIG: &str = "/run/skerry/sk8s.yaml";
/// What a worker, or one more controller, joins with.
pub const TOKEN: &str = "/run/skerry/join-token";
/// Tokens that a controller makes known.
pub const TOKENS: &str = "/run/skerry/tokens.json";

/// The drop-in that says with which role sk8s runs.
#[must_use]
pub fn unit_drop_in(role: Role, intent: &Intent) -> String {
    let verb = match role {
        Role::Single => "controller --single".to_owned(),
        Role::Controller => intent.work.cluster().map(controller).unwrap_or_default(),
        Role::Worker => "worker".to_owned(),
    };
    let token = intent.work.token().map_or_else(String::new, |_| format!(" --token-file {TOKEN}"));
    format!("# Written by skerryd.\n[Service]\nExecStart=\nExecStart=/usr/bin/sk8s {verb}{token} --config {CONFIG}\n")
}

fn controller(cluster: &Section) -> String {
    let works = match cluster.workloads {
        None => "",
        Some(Workloads::Tolerating) => " --enable-worker",
        Some(Workloads::All) => " --enable-worker --no-taints",
    };
    let tokens = if cluster.tokens.is_empty() { String::new() } else { format!(" --tokens {TOKENS}") };
    format!("controller{works}{tokens}")
}
