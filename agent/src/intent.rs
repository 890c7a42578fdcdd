//! What a node is to be, with everything that this needs: a worker without a token cannot be built. Pure.

use skerry_formats::{
    role::Role,
    seed::{HostName, Interface, San, Secret, Section, Seed, SshKey, WriteFile},
};

/// What a node is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its name.
    pub name: HostName,
    /// What it has with or without Kubernetes.
    pub base: Base,
    /// What it does.
    pub work: Work,
}

/// What a node has with or without Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Interfaces with a configuration of their own.
    pub interfaces: Vec<Interface>,
    /// Files of the seed.
    pub files: Vec<WriteFile>,
    /// Who may log in where the image has SSH.
    pub ssh_keys: Vec<SshKey>,
    /// Where the time comes from.
    pub time_servers: Vec<San>,
}

/// What a node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// No seed says.
    Waiting,
    /// Control plane and workloads, alone.
    Single(Box<Section>),
    /// Control plane: with a token one of several, which makes the cluster only if it has its keys and no other answers.
    Controller(Box<Section>, Option<JoinToken>),
    /// Workloads.
    Worker(Box<Section>, JoinToken),
}

/// What lets a node join a cluster. Not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinToken(Secret);

/// A seed that lacks what its role needs.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum IntentError {
    /// A worker joins a cluster, and needs to know which.
    #[error("a worker needs `skerry.token`: make one on a controller with `sk8s token create`")]
    WorkerWithoutToken,
}

impl JoinToken {
    /// The token itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl Work {
    /// What the seeds say of its cluster, if it is in one.
    #[must_use]
    pub fn cluster(&self) -> Option<&Section> {
        match self {
            Self::Waiting => None,
            Self::Single(cluster) | Self::Controller(cluster, _) | Self::Worker(cluster, _) => Some(cluster),
        }
    }

    /// What it joins with, if it does.
    #[must_use]
    pub const fn token(&self) -> Option<&JoinToken> {
        match self {
            Self::Waiting | Self::Single(_) => None,
            Self::Controller(_, token) => token.as_ref(),
            Self::Worker(_, token) => Some(token),
        }
    }

    /// The role, if there is one.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::Waiting => None,
            Self::Single(_) => Some(Role::Single),
            Self::Controller(..) => Some(Role::Controller),
            Self::Worker(..) => Some(Role::Worker),
        }
    }
}

impl Intent {
    /// What a seed asks for; `fallback` is the node's name if no seed gives one.
    ///
    /// # Errors
    /// If the role lacks what it needs.
    pub fn from_seed(seed: &Seed, fallback: &HostName) -> Result<Self, IntentError> {
        let section = &seed.skerry;
        let cluster = || Box::new(section.clone());
        let work = match (section.role, &section.token) {
            (None, _) => Work::Waiting,
            (Some(Role::Single), _) => Work::Single(cluster()),
            (Some(Role::Controller), token) => Work::Controller(cluster(), token.clone().map(JoinToken)),
            (Some(Role::Worker), Some(token)) => Work::Worker(cluster(), JoinToken(token.clone())),
            (Some(Role::Worker), None) => return Err(IntentError::WorkerWithoutToken),
        };
        let base = Base {
            interfaces: section.network.clone(),
            files: seed.write_files.clone(),
            ssh_keys: seed.ssh_authorized_keys.clone(),
            time_servers: seed.ntp.servers.clone(),
        };
        Ok(Self { name: seed.node_name().unwrap_or_else(|| fallback.clone()), base, work })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(role: &str, token: Option<&str>) -> Result<Intent, IntentError> {
        let mut seed = Seed::default();
        seed.skerry.role = role.parse().ok();
        seed.skerry.token = token.map(|token| Secret::from(token.to_owned()));
        Intent::from_seed(&seed, &"skerry-0123".parse().unwrap())
    }

    #[test]
    fn worker_without_token_is_rejected() {
        assert_eq!(intent("worker", None), Err(IntentError::WorkerWithoutToken));
        assert_eq!(intent("worker", Some("t")).map(|intent| intent.work.role()), Ok(Some(Role::Worker)));
    }

    #[test]
    fn a_seed_without_a_role_waits_under_the_fallback_name() {
        let waiting = intent("", None).unwrap();
        assert_eq!((waiting.name.as_str(), waiting.work), ("skerry-0123", Work::Waiting));
    }
}
