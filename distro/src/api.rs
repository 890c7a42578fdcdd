//! A client of the Kubernetes API, as small as a supervisor needs it.

use std::time::Duration;

use ureq::{
    Agent,
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig},
};

use crate::{
    link,
    pki::{LOCAL_SERVER, Leaf},
};

/// A request that got no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The client's own keys are unreadable.
    #[error("could not read the client's keys")]
    Keys(#[source] ureq::Error),
    /// No answer.
    #[error("could not reach the API server")]
    Unreachable(#[source] ureq::Error),
    /// A server that is not the cluster's.
    #[error("{}", link::ANOTHER)]
    Foreign,
    /// The server said no.
    #[error("{path}: {status}: {message}")]
    Refused {
        /// What was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The answer is not what was expected.
    #[error("{path}: unexpected answer")]
    Answer {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// The collection of ConfigMaps that the cluster keeps its own affairs in.
pub const CONFIG_MAPS: &str = "/api/v1/namespaces/kube-system/configmaps";

/// How a list of bare metadata is asked for (Kubernetes' "resource representations").
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Bytes of the longest text that is read: the metrics of a large cluster are some ten million.
const TEXT: u64 = 64 << 20;

/// A client that trusts one authority.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    server: String,
}

/// What came of making an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is new.
    Made,
    /// One of that name was there.
    There,
}

impl Client {
    /// A client with a certificate of its own.
    ///
    /// # Errors
    /// If the keys are no PEM.
    pub fn new(authority: &str, leaf: &Leaf) -> Result<Self, ApiError> {
        let root = Certificate::from_pem(authority.as_bytes()).map_err(ApiError::Keys)?;
        let chain = [Certificate::from_pem(leaf.certificate.as_bytes()).map_err(ApiError::Keys)?];
        let key = PrivateKey::from_pem(leaf.key.as_bytes()).map_err(ApiError::Keys)?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[root]))
            .client_cert(Some(ClientCert::new_with_certs(&chain, key)))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(10)))
            .max_idle_connections(2)
            .build();
        Ok(Self { agent: config.new_agent(), server: LOCAL_SERVER.to_owned() })
    }

    /// The same client for an API server elsewhere, at a URL without a path.
    #[must_use]
    pub fn at(self, server: &str) -> Self {
        Self { server: server.trim_end_matches('/').to_owned(), ..self }
    }

    /// Status and text of any URL.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn fetch(&self, url: &str) -> Result<(u16, String), ApiError> {
        answer(self.agent.get(url).call())
    }

    /// What the API says at a path that is no object.
    ///
    /// # Errors
    /// If the server cannot be reached or says anything but yes.
    pub fn text(&self, path: &str) -> Result<String, ApiError> {
        self.long(path, "*/*")
    }

    /// What the API says at a path in a form that is asked for, however long.
    fn long(&self, path: &str, form: &str) -> Result<String, ApiError> {
        let request = self.agent.get(format!("{}{path}", self.server)).header("Accept", form);
        let mut response = request.call().map_err(unreachable)?;
        let text = response.body_mut().with_config().limit(TEXT).read_to_string().map_err(ApiError::Unreachable)?;
        match response.status().as_u16() {
            200 => Ok(text),
            status => Err(refused(path, status, &text)),
        }
    }

    /// An object of the API, or `None` where there is no such.
    ///
    /// # Errors
    /// If the server cannot be reached or says anything but yes and "not found".
    pub fn get(&self, path: &str) -> Result<Option<serde_json::Value>, ApiError> {
        let (status, text) = self.fetch(&format!("{}{path}", self.server))?;
        match status {
            200 => serde_json::from_str(&text)
                .map(Some)
                .map_err(|source| ApiError::Answer { path: path.to_owned(), source }),
            404 => Ok(None),
            _ => Err(refused(path, status, &text)),
        }
    }

    /// The objects at a path without what they hold: their metadata are enough, and may be far smaller.
    ///
    /// # Errors
    /// If the server cannot be reached or says anything but yes.
    pub fn metadata(&self, path: &str) -> Result<serde_json::Value, ApiError> {
        let text = self.long(path, METADATA)?;
        serde_json::from_str(&text).map_err(|source| ApiError::Answer { path: path.to_owned(), source })
    }

    /// Removes an object; whether there was one.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub fn delete(&self, path: &str) -> Result<bool, ApiError> {
        match answer(self.agent.delete(format!("{}{path}", self.server)).call())? {
            (200 | 202, _) => Ok(true),
            (404, _) => Ok(false),
            (status, text) => Err(refused(path, status, &text)),
        }
    }

    /// Makes a new object in the collection at `path`; one that is there already stays as it is.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub fn create(&self, path: &str, object: &serde_json::Value) -> Result<Creation, ApiError> {
        let request = self.agent.post(format!("{}{path}", self.server)).content_type("application/json");
        match answer(request.send(object.to_string()))? {
            (200..=202, _) => Ok(Creation::Made),
            (409, _) => Ok(Creation::There),
            (status, text) => Err(refused(path, status, &text)),
        }
    }

    /// Makes an object be as `object` says, if it is still as its `resourceVersion` says; whether it was.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub fn replace(&self, path: &str, object: &serde_json::Value) -> Result<bool, ApiError> {
        let request = self.agent.put(format!("{}{path}", self.server)).content_type("application/json");
        match answer(request.send(object.to_string()))? {
            (200 | 201, _) => Ok(true),
            (409, _) => Ok(false),
            (status, text) => Err(refused(path, status, &text)),
        }
    }

    /// Sets some fields of an object and leaves the others (JSON merge patch, RFC 7386).
    ///
    /// # Errors
    /// If the object is not there, or the server cannot be reached or refuses.
    pub fn merge(&self, path: &str, patch: &serde_json::Value) -> Result<(), ApiError> {
        let request = self.agent.patch(format!("{}{path}", self.server)).content_type("application/merge-patch+json");
        match answer(request.send(patch.to_string()))? {
            (200, _) => Ok(()),
            (status, text) => Err(refused(path, status, &text)),
        }
    }

    /// Makes an object be as `object` says, as its one owner (server-side apply).
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub fn apply(&self, path: &str, object: &serde_json::Value) -> Result<(), ApiError> {
        let url = format!("{}{path}?fieldManager=sk8s&force=true", self.server);
        let request = self.agent.patch(&url).content_type("application/apply-patch+yaml");
        match answer(request.send(object.to_string()))? {
            (200 | 201, _) => Ok(()),
            (status, text) => Err(refused(path, status, &text)),
        }
    }
}

fn unreachable(source: ureq::Error) -> ApiError {
    if link::is_request_to_another(&source) { ApiError::Foreign } else { ApiError::Unreachable(source) }
}

/// Status and text of what was answered.
fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, String), ApiError> {
    let mut response = answer.map_err(unreachable)?;
    let text = response.body_mut().read_to_string().map_err(ApiError::Unreachable)?;
    Ok((response.status().as_u16(), text))
}

/// The server's own words, where they are the usual `Status` object.
fn refused(path: &str, status: u16, text: &str) -> ApiError {
    let object: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = object.as_ref().and_then(|o| o["message"].as_str()).unwrap_or(text);
    ApiError::Refused { path: path.to_owned(), status, message: message.chars().take(300).collect() }
}
