//! `spec.storage` of k0s's.

use serde_yaml_ng::Value;

use super::{
    lists,
    rules::{
        Rule::{self, Lost, Same, Unless, With},
        section,
    },
    work::Work,
};
use crate::config::{flags::Target, refused::is_empty, storage::DataSource};

const ETCD: &[(&str, Rule)] = &[
    ("peerAddress", Same),
    ("extraArgs", With(|work, key, value| lists::flags(work, (key, Target::Etcd), value))),
    ("rawArgs", With(|work, key, value| lists::raw_flags(work, (key, Target::Etcd), value))),
    ("externalCluster", Same),
    ("ca", With(|work, key, value| section(work, CA, (key, value)))),
];

const LIFETIME: &str = "etcd's certificates live as long as all others: spec.api.ca";

const CA: &[(&str, Rule)] = &[
    ("expiresAfter", Unless(&["87600h", "87600h0m0s"], LIFETIME)),
    ("certificatesExpireAfter", Unless(&["8760h", "8760h0m0s"], LIFETIME)),
];

const KINE: &[(&str, Rule)] = &[
    ("dataSource", With(data_source)),
    ("extraArgs", Lost("kine takes no flags of the owner's")),
    ("rawArgs", Lost("kine takes no flags of the owner's")),
];

const UNUSED: &str = "without effect in k0s too, as the type is another";

/// etcd, which k0s uses where no type is named.
pub(super) fn etcd(work: &mut Work<'_>, path: &str, value: &Value) {
    let external = value.get("externalCluster").filter(|cluster| !is_empty(cluster));
    match (work.text_at("spec.storage.type"), external) {
        (Some("etcd"), Some(cluster)) => {
            work.set("spec.storage.etcd.externalCluster", cluster.clone());
            if value.get("extraArgs").is_some_and(|flags| !is_empty(flags)) {
                work.note("spec.storage.etcd.extraArgs", "without effect on an external cluster");
            }
        }
        (Some("etcd"), None) => section(work, ETCD, (path, value)),
        (Some(_), _) => work.note(path, UNUSED),
        (None, _) => {
            work.set("spec.storage.type", "etcd");
            section(work, ETCD, (path, value));
        }
    }
}

/// A database behind kine.
pub(super) fn kine(work: &mut Work<'_>, path: &str, value: &Value) {
    if work.text_at("spec.storage.type") == Some("kine") {
        section(work, KINE, (path, value));
    } else {
        work.note(path, UNUSED);
    }
}

fn data_source(work: &mut Work<'_>, path: &str, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    if text.starts_with("sqlite://") {
        work.set(path, "sqlite");
        if !text.contains("/var/lib/k0s/db/state.db") {
            work.note(path, "SQLite's file lies in sk8s' data folder");
        }
        return;
    }
    match text.parse::<DataSource>() {
        Ok(_) => work.set(path, text),
        Err(bad) => {
            let why = bad.to_string();
            work.lost(path, format!("{}; SQLite stands instead", why.trim_start_matches("kine.dataSource: ")));
        }
    }
}
