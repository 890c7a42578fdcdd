//! What is on the hosts, as their shells told it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use skerry_formats::{
    arch::Arch,
    digest::Digest,
    seed::HostName,
    status::{Phase, Status},
    storage::StorageType,
};

use super::{render, script};
use crate::{
    link,
    service::{Init, ServiceRole},
    version::Release,
};

/// What is on the hosts that were reached, and what is here for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The programs to upload.
    pub programs: BTreeMap<Arch, Digest>,
    /// The releases of those that say so.
    pub releases: BTreeMap<Arch, Release>,
    /// The hosts that were reached.
    pub hosts: BTreeMap<HostName, Seen>,
    /// Which of them are to be worked on.
    pub picked: BTreeSet<HostName>,
    /// The names of nodes that the cluster's API knows, where it was asked.
    pub nodes: BTreeSet<String>,
    /// The names of members of the cluster's own etcd, where it was asked.
    pub members: BTreeSet<String>,
}

/// What is on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What the kernel calls its architecture.
    pub architecture: String,
    /// What starts its services.
    pub init: Option<Init>,
    /// Whether it runs an image of ours.
    pub image: bool,
    /// The program in its place.
    pub binary: Option<Digest>,
    /// Programs that were uploaded and not put in place.
    pub staged: BTreeSet<Digest>,
    /// Whether a program runs that is no longer in its place.
    pub stale: bool,
    /// The words behind the verb of the node that runs.
    pub process: Option<BTreeSet<String>>,
    /// Its service.
    pub service: Option<Installed>,
    /// The configuration.
    pub config: Option<ConfigFile>,
    /// The configuration that the running node was started with.
    pub started: Option<Digest>,
    /// Whether a join token lies there.
    pub token: bool,
    /// Whether there is state of a node.
    pub data: bool,
    /// What has objects of a cluster there.
    pub stores: Vec<StorageType>,
    /// Its cluster, by its authority.
    pub authority: Option<Digest>,
    /// What the running node says of itself.
    pub status: Option<Status>,
}

/// A configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFile {
    /// Written by us.
    Ours(Digest),
    /// Somebody else's, which stays as it is.
    Foreign(Digest),
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Which.
    pub role: ServiceRole,
    /// The words behind its verb.
    pub words: BTreeSet<String>,
    /// Whether it runs.
    pub running: Running,
}

/// Whether a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl Seen {
    /// Reads what the script of [`script::observe`] printed.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let sections = sections(text);
        let whole = |name: &str| sections.get(name).map(|lines| lines.join("\n")).filter(|text| !text.is_empty());
        let there = |name: &str| sections.contains_key(name);
        let init = [("systemd", Init::Systemd), ("openrc", Init::OpenRc)];
        let init = init.into_iter().find(|(name, _)| there(name)).map(|(_, init)| init);
        let pem = whole("membership").and_then(|text| serde_json::from_str(&text).ok()).or_else(|| whole("authority"));
        let digest = |text: String| text.split(' ').next().and_then(|word| word.parse().ok());
        let marked = whole("mark").is_some_and(|line| line == render::MARK);
        let config = whole("config").and_then(digest);
        Self {
            architecture: whole("arch").unwrap_or_default(),
            init,
            image: there("image"),
            binary: whole("binary").and_then(digest),
            staged: sections.get("staged").into_iter().flatten().filter_map(|name| name.parse().ok()).collect(),
            stale: there("stale"),
            process: sections.get("process").map(|words| words.iter().skip(2).map(ToString::to_string).collect()),
            service: init.and_then(|init| service(init, &sections)),
            config: config.map(if marked { ConfigFile::Ours } else { ConfigFile::Foreign }),
            started: whole("started").and_then(digest),
            token: there("token"),
            data: there("data"),
            stores: [StorageType::Kine, StorageType::Etcd]
                .into_iter()
                .filter(|kind| there(&kind.to_string()))
                .collect(),
            authority: pem.and_then(|pem: String| link::print_of(&pem).ok()),
            status: whole("status").and_then(|text| serde_json::from_str(&text).ok()),
        }
    }

    /// Its architecture, if we know it.
    #[must_use]
    pub fn arch(&self) -> Option<Arch> {
        Arch::of_kernel(&self.architecture)
    }

    /// Whether its service runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.running == Running::Yes)
    }

    /// Whether its node says that it is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.phase == Phase::Ready)
    }

    /// The name that its node has: what its service says, or else the node itself.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        let words = self.service.iter().flat_map(|service| &service.words);
        let named = words.filter_map(|word| word.strip_prefix("--node-name=")).next();
        named.or_else(|| self.status.as_ref().map(|status| status.node.as_str()))
    }

    /// Whether nothing of sk8s is there.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        let files = self.binary.is_some() || !self.staged.is_empty() || self.token || self.data;
        !files && self.service.is_none() && !matches!(self.config, Some(ConfigFile::Ours(_)))
    }
}

fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines() {
        match (line.strip_prefix("== "), line.strip_prefix(' ')) {
            (Some(name), _) => {
                current = name;
                sections.entry(name).or_default();
            }
            (None, Some(content)) => sections.entry(current).or_default().push(content),
            (None, None) => {}
        }
    }
    sections
}

fn service(init: Init, sections: &BTreeMap<&str, Vec<&str>>) -> Option<Installed> {
    let found = |role: ServiceRole| {
        let lines = sections.get(script::section(init, role).as_str()).filter(|lines| !lines.is_empty())?;
        Some((role, lines.join("\n")))
    };
    let (role, text) = ServiceRole::ALL.into_iter().find_map(found)?;
    let running =
        if sections.contains_key(format!("active {}", role.verb()).as_str()) { Running::Yes } else { Running::No };
    Some(Installed { role, words: init.words(&text).into_iter().skip(1).collect(), running })
}
