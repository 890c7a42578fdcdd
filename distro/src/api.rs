//! A client of the Kubernetes API, as small as a supervisor needs it.

use std::time::Duration;

use ureq::{
    Agent,
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig},
};

use crate::pki::{LOCAL_SERVER, Leaf};

/// A request that got no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The client's own keys are unreadable.
    #[error("could not read the client's keys")]
    Keys(#[source] ureq::Error),
    /// No answer.
    #[error("could not reach the API server")]
    Unreachable(#[source] ureq::Error),
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

/// A client that trusts one authority.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
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
        Ok(Self { agent: config.new_agent() })
    }

    /// Status and text of any URL.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn fetch(&self, url: &str) -> Result<(u16, String), ApiError> {
        let mut response = self.agent.get(url).call().map_err(ApiError::Unreachable)?;
        let text = response.body_mut().read_to_string().map_err(ApiError::Unreachable)?;
        Ok((response.status().as_u16(), text))
    }

    /// An object of the API, or `None` where there is no such.
    ///
    /// # Errors
    /// If the server cannot be reached or says anything but yes and "not found".
    pub fn get(&self, path: &str) -> Result<Option<serde_json::Value>, ApiError> {
        let (status, text) = self.fetch(&format!("{LOCAL_SERVER}{path}"))?;
        match status {
            200 => serde_json::from_str(&text)
                .map(Some)
                .map_err(|source| ApiError::Answer { path: path.to_owned(), source }),
            404 => Ok(None),
            _ => Err(refused(path, status, &text)),
        }
    }

    /// Removes an object; whether there was one.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub fn delete(&self, path: &str) -> Result<bool, ApiError> {
        let mut response = self.agent.delete(format!("{LOCAL_SERVER}{path}")).call().map_err(ApiError::Unreachable)?;
        let text = response.body_mut().read_to_string().map_err(ApiError::Unreachable)?;
        match response.status().as_u16() {
            200 | 202 => Ok(true),
            404 => Ok(false),
            status => Err(refused(path, status, &text)),
        }
    }

    /// Makes an object that must not be there yet.
    ///
    /// # Errors
    /// If it is there (status 409), the server cannot be reached or refuses.
    pub fn create(&self, collection: &str, object: &serde_json::Value) -> Result<(), ApiError> {
        self.send(self.agent.post(format!("{LOCAL_SERVER}{collection}")), collection, object)
    }

    /// Makes an object be as `object` says, if it is still as its `resourceVersion` says.
    ///
    /// # Errors
    /// If it changed meanwhile (status 409), the server cannot be reached or refuses.
    pub fn replace(&self, path: &str, object: &serde_json::Value) -> Result<(), ApiError> {
        self.send(self.agent.put(format!("{LOCAL_SERVER}{path}")), path, object)
    }

    fn send(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        path: &str,
        object: &serde_json::Value,
    ) -> Result<(), ApiError> {
        let request = request.content_type("application/json");
        let mut response = request.send(object.to_string()).map_err(ApiError::Unreachable)?;
        let text = response.body_mut().read_to_string().map_err(ApiError::Unreachable)?;
        match response.status().as_u16() {
            200 | 201 => Ok(()),
            status => Err(refused(path, status, &text)),
        }
    }

    /// Makes an object be as `object` says, as its one owner (server-side apply).
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub fn apply(&self, path: &str, object: &serde_json::Value) -> Result<(), ApiError> {
        let url = format!("{LOCAL_SERVER}{path}?fieldManager=sk8s&force=true");
        let request = self.agent.patch(&url).content_type("application/apply-patch+yaml");
        let mut response = request.send(object.to_string()).map_err(ApiError::Unreachable)?;
        let text = response.body_mut().read_to_string().map_err(ApiError::Unreachable)?;
        match response.status().as_u16() {
            200 | 201 => Ok(()),
            status => Err(refused(path, status, &text)),
        }
    }
}

/// The server's own words, where they are the usual `Status` object.
fn refused(path: &str, status: u16, text: &str) -> ApiError {
    let object: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = object.as_ref().and_then(|o| o["message"].as_str()).unwrap_or(text);
    ApiError::Refused { path: path.to_owned(), status, message: message.chars().take(300).collect() }
}
