//! Every file that an intent wants, with what depends on it. Pure.

use std::path::{Path, PathBuf};

use skerry_formats::{seed::WriteFile, token::PreShared};

use super::{
    config::{self, CONFIG, TOKEN, TOKENS},
    step::{File, Service},
};
use crate::intent::{Intent, Work};

/// Where sk8s keeps the cluster's keys.
const PKI: &str = "/var/lib/sk8s/pki";
/// Where networkd reads interfaces that sort before the image's own.
const NETWORK: &str = "/run/systemd/network";
/// Which servers timesyncd asks.
const TIME: &str = "/run/systemd/timesyncd.conf.d/10-seed.conf";
/// With which role sk8s runs.
const DROP_IN: &str = "/run/systemd/system/sk8s.service.d/10-role.conf";
/// Who may log in where the image has SSH.
const KEYS: &str = "/run/skerry/ssh/authorized_keys";

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The file.
    pub file: File,
    /// How it meets one that is there.
    pub manner: Manner,
    /// What must be restarted when it changes.
    pub reader: Option<Service>,
}

/// How a wanted file meets one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It replaces it.
    Replace,
    /// It goes behind it, once.
    Append,
    /// It must be the same: a cluster's keys are never overwritten.
    Keep,
}

/// Every file that an intent wants, in the order in which they are written.
#[must_use]
pub fn wanted(intent: &Intent) -> Vec<Wanted> {
    let mut all = vec![own("/etc/hostname", format!("{}\n", intent.name), 0o644)];
    for (number, interface) in intent.base.interfaces.iter().enumerate() {
        let path = format!("{NETWORK}/10-seed-{number}.network");
        all.push(read_by(Service::Network, own(&path, interface.networkd(), 0o644)));
    }
    if !intent.base.time_servers.is_empty() {
        let servers: Vec<&str> = intent.base.time_servers.iter().map(|server| server.as_str()).collect();
        let text = format!("# From the seed.\n[Time]\nNTP={}\n", servers.join(" "));
        all.push(read_by(Service::Time, own(TIME, text, 0o644)));
    }
    if !intent.base.ssh_keys.is_empty() {
        let text: String = intent.base.ssh_keys.iter().map(|key| format!("{key}\n")).collect();
        all.push(own(KEYS, text, 0o600));
    }
    all.extend(intent.base.files.iter().filter_map(of_seed));
    all.extend(of_kubernetes(intent));
    all
}

fn of_kubernetes(intent: &Intent) -> Vec<Wanted> {
    let (Some(cluster), Some(role)) = (intent.work.cluster(), intent.work.role()) else { return Vec::new() };
    let keys = cluster.cluster.files().into_iter().filter_map(|(_, name, content)| {
        let mode = if name.ends_with(".key") { 0o600 } else { 0o644 };
        let path = Path::new(PKI).join(name).to_string_lossy().into_owned();
        Some(Wanted { manner: Manner::Keep, ..own(&path, format!("{}\n", content?.trim()), mode) })
    });
    let mut all: Vec<Wanted> = keys.collect();
    if let Some(token) = intent.work.token() {
        all.push(own(TOKEN, format!("{}\n", token.reveal()), 0o600));
    }
    if let Work::Controller(cluster, _) = &intent.work
        && !cluster.tokens.is_empty()
    {
        all.push(own(TOKENS, PreShared::file(&cluster.tokens), 0o600));
    }
    // Passwords may be among the keys that are passed on.
    let mode = if cluster.config.is_empty() { 0o644 } else { 0o600 };
    all.push(own(CONFIG, cluster.wish(&intent.name).to_yaml(), mode));
    all.push(own(DROP_IN, config::unit_drop_in(role, intent), 0o644));
    all.into_iter().map(|wanted| read_by(Service::Kubernetes, wanted)).collect()
}

fn own(path: &str, text: String, mode: u32) -> Wanted {
    let file = File { path: PathBuf::from(path), bytes: text.into_bytes(), mode, owner: None };
    Wanted { file, manner: Manner::Replace, reader: None }
}

fn read_by(service: Service, wanted: Wanted) -> Wanted {
    Wanted { reader: Some(service), ..wanted }
}

fn of_seed(file: &WriteFile) -> Option<Wanted> {
    Some(Wanted {
        file: File {
            path: PathBuf::from(file.path.as_str()),
            bytes: file.bytes()?,
            mode: file.permissions.as_ref().map_or(0o644, |permissions| permissions.mode()),
            owner: file.owner.clone().filter(|owner| !matches!(owner.as_str(), "root" | "root:root")),
        },
        manner: if file.append { Manner::Append } else { Manner::Replace },
        reader: None,
    })
}
