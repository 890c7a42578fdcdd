//! The connection to a server: whom it believes, and what it shows of itself.

use std::{path::Path, sync::Arc, time::Duration};

use ureq::{
    Agent,
    tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem},
};

use super::{
    error::Cause,
    hosts::{Check, Host},
};
use crate::{sys::fs, version::VERSION};

const CONNECT: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(60);
const SILENCE: Duration = Duration::from_secs(30);

/// The authorities that the system believes.
#[derive(Clone)]
pub(super) struct System(Arc<Vec<Certificate<'static>>>);

impl System {
    /// Reads them; where there are none, those that browsers believe stand in.
    pub fn load() -> Self {
        let found = rustls_native_certs::load_native_certs();
        Self(Arc::new(found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()))
    }

    fn with(&self, files: &[std::path::PathBuf]) -> Result<RootCerts, Cause> {
        let mut all = Vec::clone(&self.0);
        for path in files {
            all.extend(certificates(path)?);
        }
        Ok(if all.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&all) })
    }
}

/// A client of one server. Redirects are its caller's to follow.
pub(super) fn agent(host: &Host, system: &System) -> Result<Agent, Cause> {
    let own = host.clients.first().map(|(chain, key)| identity(chain, key.as_deref().unwrap_or(chain))).transpose()?;
    let tls = TlsConfig::builder()
        .root_certs(system.with(&host.authorities)?)
        .client_cert(own)
        .disable_verification(host.check == Check::Skip)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_per_read(Some(SILENCE))
        .user_agent(format!("sk8s/{VERSION}"))
        .build();
    Ok(config.new_agent())
}

fn identity(chain: &Path, key: &Path) -> Result<ClientCert, Cause> {
    let text = fs::read_bytes(key)?;
    let private = PrivateKey::from_pem(&text).map_err(|source| Cause::Pem { path: key.to_owned(), source })?;
    Ok(ClientCert::new_with_certs(&certificates(chain)?, private))
}

/// At least one.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Cause> {
    let failed = |source| Cause::Pem { path: path.to_owned(), source };
    let text = fs::read_bytes(path)?;
    let mut all = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.map_err(failed)? {
            all.push(certificate);
        }
    }
    if all.is_empty() { Err(failed(ureq::Error::Tls("no certificate"))) } else { Ok(all) }
}
