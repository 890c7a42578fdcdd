//! TLS of the link: who is believed, by whom, and for how long.

use std::{io, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime as PkiTime, pem::PemObject as _},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    time_provider::TimeProvider,
};
use skerry_formats::digest::Digest;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{JOIN, LINK, RENEW};
use crate::{
    config::NodeName,
    pki::{CONTROLLER_NAME, Leaf, NODE_USER, UnixTime},
    sys::clock,
};

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate or key.
    #[error("a certificate or key of the link is damaged")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// No authority.
    #[error("the authority's certificate cannot be used")]
    Authority(#[source] rustls::server::VerifierBuilderError),
    /// Nothing that fits together.
    #[error("the keys of the link cannot be used")]
    Keys(#[source] Error),
}

/// A certificate with its key, and the authority that others are measured by, PEM.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The authority's certificate.
    pub authority: String,
    /// One's own.
    pub leaf: Leaf,
}

/// The clock of verifications: a device without a battery clock starts before its certificates' time.
#[derive(Debug)]
struct Floored;

impl TimeProvider for Floored {
    fn current_time(&self) -> Option<PkiTime> {
        Some(PkiTime::since_unix_epoch(Duration::from_secs(clock::now().floored().0)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, TlsError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(TlsError::Pem)
}

fn key(pem: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(TlsError::Pem)
}

fn roots(authority: &CertificateDer<'static>) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    store.add(authority.clone()).map_err(TlsError::Keys)?;
    Ok(Arc::new(store))
}

/// SHA-256 of a certificate's DER form: what a join token names an authority by.
///
/// # Errors
/// If the text is no certificate.
pub fn print_of(authority: &str) -> Result<Digest, TlsError> {
    Ok(Digest::of(&certificate(authority)?))
}

/// A controller's three ways to answer: to who joins, to who renews, to who is linked.
#[derive(Clone, Debug)]
pub struct Answering {
    /// Asks for no certificate.
    pub join: Arc<ServerConfig>,
    /// Asks for one of the cluster, which may have ended.
    pub renew: Arc<ServerConfig>,
    /// Asks for one of the cluster.
    pub link: Arc<ServerConfig>,
}

/// A controller's side.
///
/// # Errors
/// If the credentials are damaged.
pub fn answering(credentials: &Credentials) -> Result<Answering, TlsError> {
    let authority = certificate(&credentials.authority)?;
    let chain = vec![certificate(&credentials.leaf.certificate)?, authority.clone()];
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(&authority)?, provider());
    let verifier = verifier.build().map_err(TlsError::Authority)?;
    let config = |verifier: Arc<dyn ClientCertVerifier>, protocol: &[u8]| -> Result<Arc<ServerConfig>, TlsError> {
        let builder = ServerConfig::builder_with_details(provider(), Arc::new(Floored))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Keys)?
            .with_client_cert_verifier(verifier);
        let mut config =
            builder.with_single_cert(chain.clone(), key(&credentials.leaf.key)?).map_err(TlsError::Keys)?;
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Arc::new(config))
    };
    Ok(Answering {
        join: config(WebPkiClientVerifier::no_client_auth(), JOIN)?,
        renew: config(Arc::new(EvenEnded(verifier.clone())), RENEW)?,
        link: config(verifier, LINK)?,
    })
}

/// A joining node's side: it has a token's word for the authority, and nothing to show.
///
/// # Errors
/// If TLS itself cannot be set up.
pub fn joining(authority: Digest) -> Result<Arc<ClientConfig>, TlsError> {
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(Floored))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Keys)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned { authority, provider: provider() }))
        .with_no_client_auth();
    config.alpn_protocols = vec![JOIN.to_vec()];
    Ok(Arc::new(config))
}

/// The side of a node that joined and wants new certificates.
///
/// # Errors
/// If the credentials are damaged.
pub fn renewing(credentials: &Credentials) -> Result<Arc<ClientConfig>, TlsError> {
    calling(credentials, RENEW)
}

/// The side of a node that joined and stays linked.
///
/// # Errors
/// If the credentials are damaged.
pub fn linking(credentials: &Credentials) -> Result<Arc<ClientConfig>, TlsError> {
    calling(credentials, LINK)
}

fn calling(credentials: &Credentials, protocol: &[u8]) -> Result<Arc<ClientConfig>, TlsError> {
    let authority = certificate(&credentials.authority)?;
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(Floored))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Keys)?
        .with_root_certificates(roots(&authority)?)
        .with_client_auth_cert(vec![certificate(&credentials.leaf.certificate)?], key(&credentials.leaf.key)?)
        .map_err(TlsError::Keys)?;
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config))
}

/// The name by which every controller proves itself, as TLS has it.
pub fn controller_name() -> Option<ServerName<'static>> {
    ServerName::try_from(CONTROLLER_NAME).ok()
}

/// The node that a client certificate stands for; `None` if it is nobody's node.
#[must_use]
pub fn node_of(certificate: &CertificateDer<'_>) -> Option<NodeName> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let one = |mut values: Vec<&str>| if values.len() == 1 { values.pop().map(ToOwned::to_owned) } else { None };
    let name = one(parsed.subject().iter_common_name().filter_map(|value| value.as_str().ok()).collect())?;
    let group = one(parsed.subject().iter_organization().filter_map(|value| value.as_str().ok()).collect())?;
    if group != "system:nodes" {
        return None;
    }
    name.strip_prefix(NODE_USER)?.parse().ok()
}

/// SHA-256 of the public key in a certificate (DER, SubjectPublicKeyInfo).
#[must_use]
pub fn key_of(certificate: &CertificateDer<'_>) -> Option<Digest> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(Digest::of(parsed.public_key().raw))
}

fn end_of(certificate: &CertificateDer<'_>) -> Option<PkiTime> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let end = u64::try_from(parsed.validity().not_after.timestamp()).ok()?;
    Some(PkiTime::since_unix_epoch(Duration::from_secs(end)))
}

/// When a certificate (PEM) ends.
///
/// # Errors
/// If it is none.
pub fn expiry_of(pem: &str) -> Result<UnixTime, TlsError> {
    let end = end_of(&certificate(pem)?);
    Ok(UnixTime(end.map_or(0, |end| end.as_secs())))
}

/// Believes the cluster's own certificates as of their last moment, for the one thing that a node may still ask for then:
/// new ones. A device that was off for a year has no other way back.
#[derive(Debug)]
struct EvenEnded(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for EvenEnded {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: PkiTime,
    ) -> Result<ClientCertVerified, Error> {
        let now = end_of(end).map_or(now, |last| if last.as_secs() < now.as_secs() { last } else { now });
        self.0.verify_client_cert(end, between, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Believes a controller whose chain ends in the one authority that a token names.
#[derive(Debug)]
struct Pinned {
    authority: Digest,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: PkiTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = between.iter().find(|certificate| Digest::of(certificate) == self.authority);
        let authority = authority.ok_or_else(|| Error::General(FOREIGN.to_owned()))?.clone().into_owned();
        let mut store = RootCertStore::empty();
        store.add(authority)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), self.provider.clone()).build();
        let verifier = verifier.map_err(|error| Error::General(error.to_string()))?;
        verifier.verify_server_cert(end, &[], name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a node says whose token is of another cluster than the controller that it asked.
const FOREIGN: &str = "the controller is of another cluster than the token";

/// Whether a joining node's connection failed because who answered is another cluster's controller, or no cluster's.
#[must_use]
pub fn is_foreign(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(Error::General(why)) if why == FOREIGN)
}
