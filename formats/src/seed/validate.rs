//! What belongs together, once all sources are merged.

use super::{
    layer::Layer,
    network::Interface,
    path::{KeyPath, Segment},
    problem::{Fault, Problem, Problems, Source},
    section::Seed,
};
use crate::{role::Role, storage::StorageType, token::JoinToken};

impl Layer {
    /// The typed seed, whether it fits together or not: another source may have what it lacks. `None` if a key lacks what it
    /// needs to be read at all.
    #[must_use]
    pub fn draft(&self) -> Option<Seed> {
        serde_yaml_ng::from_value(self.value()).ok()
    }

    /// The typed seed.
    ///
    /// # Errors
    /// All that does not fit together.
    pub fn validate(&self) -> Result<Seed, Problems> {
        let seed: Seed = serde_yaml_ng::from_value(self.value()).map_err(|error| {
            // Each value was checked on its own, so that what remains is a key that another one needs.
            let fault = Fault::Syntax(error.to_string());
            Problems::one(Problem { source: Source::new("the seed"), line: None, fault })
        })?;
        let mut faults = Vec::new();
        files(&seed, &mut faults);
        network(&seed, &mut faults);
        identity(&seed, &mut faults);
        control(&seed, &mut faults);
        joining(&seed, &mut faults);
        let problems = faults.into_iter().map(|(keys, fault)| self.locate(&keys, fault));
        Problems::none_in(problems.collect())?;
        Ok(seed)
    }

    /// Something that is wrong with the value at a path, told of the source that set it.
    #[must_use]
    pub fn problem(&self, path: &KeyPath, why: String) -> Problem {
        let keys: Vec<&str> = path.segments().iter().map_while(Segment::as_key).collect();
        // What is missing is looked for where it would be.
        let known = (0..=keys.len()).rev().find(|count| self.place(&keys[..*count]).is_some()).unwrap_or_default();
        self.locate(&keys[..known], Fault::Value { path: path.clone(), why })
    }

    fn locate(&self, keys: &[&str], fault: Fault) -> Problem {
        let place = self.place(keys);
        let source = place.map_or_else(|| Source::new("the seed"), |place| place.source.clone());
        Problem { source, line: place.and_then(|place| place.line), fault }
    }
}

type Faults = Vec<(Vec<&'static str>, Fault)>;

fn fault(path: KeyPath, why: impl Into<String>) -> Fault {
    Fault::Value { path, why: why.into() }
}

fn files(seed: &Seed, faults: &mut Faults) {
    let at = KeyPath::default().key("write_files");
    for (index, file) in seed.write_files.iter().enumerate() {
        if file.bytes().is_none() {
            faults.push((vec!["write_files"], fault(at.item(index).key("content"), "not Base64")));
        }
    }
}

fn network(seed: &Seed, faults: &mut Faults) {
    let at = KeyPath::default().key("skerry").key("network");
    let found = interfaces(&seed.skerry.network, &at).into_iter();
    faults.extend(found.map(|(_, fault)| (vec!["skerry", "network"], fault)));
}

/// What does not fit together in a list of interfaces that stands at a path.
pub(crate) fn interfaces(interfaces: &[Interface], at: &KeyPath) -> Vec<(KeyPath, Fault)> {
    let mut faults = Vec::new();
    for (index, interface) in interfaces.iter().enumerate() {
        let item = at.item(index);
        let mut note = |path: KeyPath, why: &str| faults.push((path.clone(), fault(path, why)));
        if !interface.uses_dhcp() && interface.addresses.is_empty() {
            note(item.key("addresses"), "missing: without DHCP an interface needs an address");
        }
        if interface.gateway.is_some() && interface.addresses.is_empty() {
            note(item.key("gateway"), "a gateway needs an address of the interface in `addresses`");
        }
        let same = |other: &Interface| other.name == interface.name && other.mac == interface.mac;
        if interfaces[..index].iter().any(same) {
            note(item, "the same interface twice");
        }
    }
    faults
}

/// What only a controller can do something with.
fn control(seed: &Seed, faults: &mut Faults) {
    let section = &seed.skerry;
    let at = KeyPath::default().key("skerry");
    if section.role.is_some_and(|role| role != Role::Controller) {
        let mut note = |key, why: &str| faults.push((vec!["skerry", key], fault(at.key(key), why)));
        if section.workloads.is_some() {
            note("workloads", "only a controller has the choice; the other roles run all workloads");
        }
        if !section.tokens.is_empty() {
            note("tokens", "only a controller lets nodes join; `token` is what a worker joins with");
        }
    }
    for (index, token) in section.tokens.iter().enumerate() {
        if section.tokens[..index].iter().any(|other| other.id == token.id) {
            let path = at.key("tokens").item(index).key("id");
            faults.push((vec!["skerry", "tokens"], fault(path, format!("`{}` twice", token.id))));
        }
    }
}

/// A node joins as what its token admits, and controllers share what keeps the cluster's objects.
fn joining(seed: &Seed, faults: &mut Faults) {
    let section = &seed.skerry;
    let at = KeyPath::default().key("skerry");
    let mut note = |key, why: String| faults.push((vec!["skerry", key], fault(at.key(key), why)));
    if section.role == Some(Role::Worker) && section.storage.is_some() {
        note("storage", "only a controller keeps objects; leave it out".to_owned());
    }
    let token = section.token.as_ref().and_then(|token| token.reveal().parse::<JoinToken>().ok());
    let (Some(token), Some(role)) = (token, section.role) else { return };
    if role == Role::Single {
        return;
    }
    if token.role != role {
        note("token", format!("it admits a {}, and this is to be a {role}", token.role));
    }
    if role == Role::Controller && section.storage != Some(StorageType::Etcd) && !section.config.names_a_database() {
        note("token", "a controller that joins shares an etcd with the others: `storage: etcd` beside it".to_owned());
    }
}

fn identity(seed: &Seed, faults: &mut Faults) {
    let files = seed.skerry.cluster.files();
    let given = files.iter().filter(|(_, _, content)| content.is_some()).count();
    if given == 0 || given == files.len() {
        return;
    }
    let at = KeyPath::default().key("skerry").key("cluster");
    for (key, _, content) in files {
        if content.is_none() {
            let why = "missing: a cluster's keys come together, as `skerry cluster new` writes them";
            faults.push((vec!["skerry", "cluster"], fault(at.key(key), why)));
        }
    }
}
