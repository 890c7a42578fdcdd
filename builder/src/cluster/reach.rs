//! The cluster's API, called from the host with the owner's rights.

use std::collections::BTreeMap;

use sk8s::{
    api::{ApiError, CONFIG_MAPS, Client},
    join::{self, TokenRecord},
    peers::{LEAVE, ROLL},
    pki::{UnixTime, admin},
};
use skerry_formats::{
    cluster::Host,
    seed::HostName,
    token::{PreShared, Server, TokenId},
};

use super::{ClusterError, Folder, Registry};
use crate::clock;

/// An API that answered.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Where, a URL.
    pub server: String,
    client: Client,
}

impl Reached {
    /// The first of the cluster's addresses that answers as this cluster's API; `only` one where it is named.
    ///
    /// # Errors
    /// If none does.
    pub fn find(folder: &Folder, only: Option<&str>) -> Result<Self, ClusterError> {
        let identity = folder.identity()?;
        let leaf = identity.ca.issue(&admin(), UnixTime(clock::unix_now()))?;
        let urls = only.map_or_else(|| folder.urls(), |url| Ok(vec![url.to_owned()]))?;
        let mut last = None;
        for server in &urls {
            let unreachable = |source| ClusterError::Unreachable { servers: urls.join(", "), source };
            let client = Client::new(&identity.ca.certificate, &leaf).map_err(unreachable)?.at(server);
            match client.get("/version") {
                Ok(_) => return Ok(Self { server: server.clone(), client }),
                Err(error) => last = Some(unreachable(error)),
            }
        }
        Err(last.unwrap_or_else(|| ClusterError::NoServer(folder.path().display().to_string())))
    }

    /// What the API says at a path; nothing where there is no such thing.
    ///
    /// # Errors
    /// If it refuses or cannot be reached any more.
    pub fn get(&self, path: &str) -> Result<serde_json::Value, ClusterError> {
        let answer = self.client.get(path).map_err(|error| self.refused(error))?;
        Ok(answer.unwrap_or_default())
    }

    /// Makes tokens known. Says which the cluster had not seen.
    ///
    /// # Errors
    /// If it refuses or cannot be reached any more.
    pub fn make_known(&self, tokens: impl IntoIterator<Item = PreShared>) -> Result<Vec<TokenId>, ClusterError> {
        let records: Vec<TokenRecord> = tokens.into_iter().map(TokenRecord::from).collect();
        join::make_known(&self.client, &records, UnixTime(clock::unix_now())).map_err(|error| self.refused(error))
    }

    /// Whether a controller answers as this cluster's.
    #[must_use]
    pub fn answers(&self, host: &Host) -> bool {
        let urls: Vec<String> = host.servers().iter().map(Server::url).collect();
        urls.contains(&self.server) || urls.iter().any(|url| self.client.clone().at(url).get("/version").is_ok())
    }

    fn refused(&self, source: ApiError) -> ClusterError {
        ClusterError::Refused { server: self.server.clone(), source }
    }
}

impl Registry for Reached {
    fn end(&self, token: &TokenId) -> Result<bool, ClusterError> {
        self.client.delete(&TokenRecord::path(token)).map_err(|error| self.refused(error))
    }

    /// One of the other controllers does it within a minute.
    fn dismiss(&self, host: &HostName) -> Result<bool, ClusterError> {
        let path = format!("{CONFIG_MAPS}/{ROLL}");
        let leave = BTreeMap::from([(host.as_str(), LEAVE)]);
        let refused = |error| self.refused(error);
        if self.client.get(&path).map_err(refused)?.is_none() {
            return Ok(false);
        }
        self.client.merge(&path, &serde_json::json!({ "data": leave })).map_err(refused)?;
        Ok(true)
    }
}
