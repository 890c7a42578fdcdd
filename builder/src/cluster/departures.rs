//! Who is gone from a cluster's file, and of whom the running cluster has not been told: kept until it has been, however
//! often that fails.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use sk8s::pki::UnixTime;
use skerry_formats::{
    cluster::Cluster,
    duty::Duty,
    moment::Moment,
    seed::HostName,
    token::{PreShared, TokenId},
};

use super::{ClusterError, Folder, identity};
use crate::fsx;

/// A cluster that can be told.
pub trait Registry {
    /// Ends a token; whether the cluster knew it.
    ///
    /// # Errors
    /// If it refuses or cannot be reached.
    fn end(&self, token: &TokenId) -> Result<bool, ClusterError>;

    /// Has a controller taken out of etcd; whether the cluster keeps a list of them.
    ///
    /// # Errors
    /// If it refuses or cannot be reached.
    fn dismiss(&self, host: &HostName) -> Result<bool, ClusterError>;
}

/// A token that nobody is to join with any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastToken {
    /// The host that had it.
    pub host: HostName,
    /// Its public half.
    pub id: TokenId,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
}

/// A host that controls no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastDuty {
    /// The host.
    pub host: HostName,
    /// What it did.
    pub duty: Duty,
}

/// What the running cluster has not been told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Departures {
    /// Tokens that are to be ended.
    pub tokens: Vec<LastToken>,
    /// Controllers that are to be taken out of etcd.
    pub controllers: Vec<LastDuty>,
}

/// What a cluster was told, and how it took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// A token is ended.
    Token(LastToken),
    /// A controller will be taken out of etcd.
    Leaves(HostName),
}

impl Departures {
    /// Adds tokens and hosts that are gone now; what is there already stays as it was.
    pub(super) fn add(&mut self, tokens: impl IntoIterator<Item = (HostName, PreShared)>, left: &[(HostName, Duty)]) {
        for (host, PreShared { id, expires, .. }) in tokens {
            if !self.tokens.iter().any(|known| known.id == id) {
                self.tokens.push(LastToken { host, id, expires });
            }
        }
        for (host, duty) in left.iter().filter(|(_, duty)| duty.controls()) {
            if !self.controllers.iter().any(|known| known.host == *host) {
                self.controllers.push(LastDuty { host: host.clone(), duty: *duty });
            }
        }
    }

    /// Forgets tokens that have ended by themselves or are good after all, and controllers that are back.
    pub(super) fn forget(&mut self, cluster: &Cluster, good: &BTreeMap<HostName, PreShared>, now: UnixTime) {
        let is_good = |id: &TokenId| good.values().any(|token| token.id == *id);
        let has_ended = |token: &LastToken| token.expires.is_some_and(|expires| expires.0 <= now.0);
        self.tokens.retain(|token| !has_ended(token) && !is_good(&token.id));
        self.controllers.retain(|left| !cluster.controllers().any(|host| host.name == left.host));
    }
}

impl Folder {
    fn departures_file(&self) -> PathBuf {
        self.path().join("departures.json")
    }

    /// What the running cluster has not been told.
    ///
    /// # Errors
    /// If the file is unreadable or damaged.
    pub fn departures(&self) -> Result<Departures, ClusterError> {
        let path = self.departures_file();
        if fsx::symlink_metadata(&path)?.is_none() {
            return Ok(Departures::default());
        }
        let damaged = |source| ClusterError::Tokens { path: path.display().to_string(), source };
        serde_json::from_str(&fsx::read_to_string(&path)?).map_err(damaged)
    }

    /// Writes down what the cluster is to be told; nothing is kept where there is nothing.
    pub(super) fn keep_departures(&self, departures: &Departures) -> Result<(), ClusterError> {
        let path = self.departures_file();
        if *departures == Departures::default() {
            return Ok(fsx::remove_file(&path)?);
        }
        let damaged = |source| ClusterError::Tokens { path: path.display().to_string(), source };
        let text = serde_json::to_string_pretty(departures).map_err(damaged)?;
        Ok(identity::write_secret(&path, &text)?)
    }

    /// Tells a cluster who is gone, one after the other. What it has been told is forgotten here at once; the rest stays for
    /// the next time.
    ///
    /// # Errors
    /// If the cluster refuses or is not reached any more, or the file cannot be written.
    pub fn see_off(&self, cluster: &impl Registry, mut say: impl FnMut(Farewell)) -> Result<(), ClusterError> {
        let mut left = self.departures()?;
        while let Some(token) = left.tokens.first().cloned() {
            cluster.end(&token.id)?;
            left.tokens.remove(0);
            self.keep_departures(&left)?;
            say(Farewell::Token(token));
        }
        while let Some(LastDuty { host, .. }) = left.controllers.first().cloned() {
            let is_known = cluster.dismiss(&host)?;
            left.controllers.remove(0);
            self.keep_departures(&left)?;
            if is_known {
                say(Farewell::Leaves(host));
            }
        }
        Ok(())
    }
}
