//! Flags, profiles, features, images and names of k0s's.

use std::collections::BTreeMap;

use serde_yaml_ng::{Mapping, Value};

use super::work::{Work, scalar};
use crate::config::{
    flags::{Flags, Target},
    gates::{COMPONENTS, FeatureGates, RawGate},
    profile,
    raw::Text,
};

/// `metadata.name`: all of k0s's configurations are named alike, which is no cluster's name.
pub(super) fn name(work: &mut Work<'_>, path: &str, value: &Value) {
    if value.as_str() != Some("k0s") {
        work.set(path, value.clone());
    }
}

/// `extraArgs`.
pub(super) fn flags(work: &mut Work<'_>, (path, target): (&str, Target), value: &Value) {
    for (name, value) in value.as_mapping().into_iter().flatten() {
        let (Some(name), Some(value)) = (scalar(name), scalar(value)) else { continue };
        flag(work, (path, target), (&name, &value));
    }
}

/// `rawArgs`, which are words of a command line.
pub(super) fn raw_flags(work: &mut Work<'_>, (path, target): (&str, Target), value: &Value) {
    for word in value.as_sequence().into_iter().flatten().filter_map(scalar) {
        let Some(flag_text) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            work.lost(path, format!("not a flag of the form `--name=value`: `{word}`"));
            continue;
        };
        let (name, value) = flag_text.split_once('=').unwrap_or((flag_text, "true"));
        flag(work, (path, target), (name, value));
    }
}

fn flag(work: &mut Work<'_>, (path, target): (&str, Target), (name, value): (&str, &str)) {
    let given = BTreeMap::from([(name.to_owned(), Text::from(value))]);
    let section = path.rsplit_once('.').map_or(path, |(section, _)| section);
    match Flags::check(target, Some(&given)) {
        Ok(_) => work.set(&format!("{section}.extraArgs.{name}"), value),
        Err(bad) => bad.iter().for_each(|bad| work.lost(path, bad.to_string())),
    }
}

/// `workerProfiles`: without the keys that are not the owner's to set.
pub(super) fn profiles(work: &mut Work<'_>, path: &str, value: &Value) {
    let mut kept = Vec::new();
    for profile in value.as_sequence().into_iter().flatten() {
        let name = profile.get("name").and_then(scalar).unwrap_or_default();
        let mut values = Mapping::new();
        for (key, value) in profile.get("values").and_then(Value::as_mapping).into_iter().flatten() {
            match scalar(key).and_then(|key| profile::refusal(&name, &key)) {
                Some(bad) => work.lost(path, bad.to_string()),
                None => drop(values.insert(key.clone(), value.clone())),
            }
        }
        let entries = [("name".into(), name.into()), ("values".into(), values.into())];
        kept.push(Value::Mapping(entries.into_iter().collect()));
    }
    work.set(path, kept);
}

/// `featureGates`: a gate that says neither on nor off is off in k0s.
pub(super) fn gates(work: &mut Work<'_>, path: &str, value: &Value) {
    let mut kept = Vec::new();
    for gate in value.as_sequence().into_iter().flatten() {
        let words = gate.get("components").and_then(Value::as_sequence);
        let words: Vec<String> = words.into_iter().flatten().filter_map(scalar).collect();
        let (known, unknown): (Vec<_>, Vec<_>) =
            words.into_iter().partition(|word| COMPONENTS.contains(&word.as_str()));
        let gate = RawGate {
            name: gate.get("name").and_then(scalar).unwrap_or_default(),
            enabled: gate.get("enabled").and_then(Value::as_bool).unwrap_or_default(),
            components: (!known.is_empty()).then_some(known),
        };
        for word in &unknown {
            work.lost(path, format!("{}: `{word}` has no feature gates in sk8s", gate.name));
        }
        if gate.components.is_none() && !unknown.is_empty() {
            continue;
        }
        match FeatureGates::validate(std::slice::from_ref(&gate)) {
            Ok(_) => kept.extend(serde_yaml_ng::to_value(gate)),
            Err(bad) => bad.iter().for_each(|bad| work.lost(path, bad.to_string())),
        }
    }
    work.set(path, kept);
}

/// Where k0s's own images of these two come from.
const OWN_IMAGES: [&str; 4] = ["quay.io/k0sproject/", "registry.k8s.io/", "docker.io/coredns/", "k8s.gcr.io/"];

/// An image that sk8s has too: its own is kept unless the owner named one that is not k0s's.
pub(super) fn image(work: &mut Work<'_>, path: &str, value: &Value) {
    let image = value.get("image").and_then(Value::as_str).unwrap_or_default();
    if image.is_empty() || OWN_IMAGES.iter().any(|own| image.starts_with(own)) {
        work.note(path, "sk8s has this image built in");
        return;
    }
    for key in ["image", "version"] {
        if let Some(text) = value.get(key).and_then(scalar).filter(|text| !text.is_empty()) {
            work.set(&format!("{path}.{key}"), text);
        }
    }
}

/// The accounts that k0s uses where none are named; sk8s has accounts of the components' own names then.
const OWN_USERS: [(&str, &str); 4] = [
    ("etcdUser", "etcd"),
    ("kineUser", "kube-apiserver"),
    ("kubeAPIserverUser", "kube-apiserver"),
    ("kubeSchedulerUser", "kube-scheduler"),
];

/// An account.
pub(super) fn user(work: &mut Work<'_>, path: &str, value: &Value) {
    let key = path.rsplit('.').next().unwrap_or_default();
    if !OWN_USERS.iter().any(|(known, name)| *known == key && value.as_str() == Some(name)) {
        work.set(path, value.clone());
    }
}
