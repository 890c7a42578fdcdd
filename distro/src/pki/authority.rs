//! A certificate authority: generated or taken from files, and what it signs.

use std::{net::IpAddr, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};

use serde::{Deserialize, Serialize};
use skerry_formats::digest::Digest;

use super::moment::{CLOCK_FLOOR, UnixTime};
use crate::config::Lifetimes;

/// A key or certificate that could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} for `{name}`")]
pub struct CertError {
    action: &'static str,
    name: String,
    #[source]
    source: rcgen::Error,
}

impl CertError {
    pub(super) fn new(action: &'static str, name: &str, source: rcgen::Error) -> Self {
        Self { action, name: name.to_owned(), source }
    }
}

/// An authority's certificate and key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PKCS#8 PEM.
    pub key: String,
}

/// A leaf certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PKCS#8 PEM.
    pub key: String,
}

/// A new private key, PKCS#8 PEM.
///
/// # Errors
/// If the system has no randomness to give.
pub fn new_key() -> Result<String, CertError> {
    let key = KeyPair::generate().map_err(|source| CertError::new("generate a key", "this node", source))?;
    Ok(key.serialize_pem())
}

/// A request for a certificate over a private key (PEM): it proves that its maker has the key, and says nothing else.
///
/// # Errors
/// If the key is none.
pub fn signing_request(key: &str) -> Result<String, CertError> {
    let failed = |source| CertError::new("write a signing request", "this node", source);
    let key = KeyPair::from_pem(key).map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serialize_request(&key).and_then(|request| request.pem()).map_err(failed)
}

/// SHA-256 of the public key of a signing request (DER, SubjectPublicKeyInfo): by it a node is known again.
///
/// # Errors
/// If the request is none, or was not signed with its own key.
pub fn key_print(csr: &str) -> Result<Digest, CertError> {
    let failed = |source| CertError::new("read a signing request", "a node", source);
    let asked = CertificateSigningRequestParams::from_pem(csr).map_err(failed)?;
    Ok(Digest::of(&asked.public_key.subject_public_key_info()))
}

/// What a leaf may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// To prove who is calling.
    Client,
    /// To prove who answers.
    Server,
    /// Both, on one connection or another.
    Both,
}

/// What is to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRequest {
    /// CN: Kubernetes' user name.
    pub common_name: String,
    /// O: Kubernetes' group.
    pub organization: Option<String>,
    /// Client or server.
    pub usage: Usage,
    /// DNS names of a server.
    pub dns_names: Vec<String>,
    /// Addresses of a server.
    pub addresses: Vec<IpAddr>,
    /// How long the certificate is good; it is renewed at two thirds of that.
    pub lifetime: Duration,
}

impl LeafRequest {
    /// A client certificate.
    #[must_use]
    pub fn client(common_name: &str, organization: Option<&str>) -> Self {
        Self {
            common_name: common_name.to_owned(),
            organization: organization.map(ToOwned::to_owned),
            usage: Usage::Client,
            dns_names: Vec::new(),
            addresses: Vec::new(),
            lifetime: Lifetimes::default().leaf,
        }
    }
}

impl Authority {
    /// A new authority, valid from the clock floor to `lifetime` from now.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate(common_name: &str, lifetime: Duration, now: UnixTime) -> Result<Self, CertError> {
        let failed = |action| move |source| CertError::new(action, common_name, source);
        let key = KeyPair::generate().map_err(failed("generate a key"))?;
        let mut params = params(common_name, now.floored().plus(lifetime));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed("sign a certificate"))?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// A new key with a certificate signed by this authority, valid from the clock floor for as long as asked for.
    ///
    /// # Errors
    /// If the authority's files are no certificate and key, or a DNS name is not ASCII.
    pub fn issue(&self, request: &LeafRequest, now: UnixTime) -> Result<Leaf, CertError> {
        let failed = |action| move |source| CertError::new(action, &request.common_name, source);
        let key = KeyPair::generate().map_err(failed("generate a key"))?;
        Ok(Leaf { certificate: self.sign(&key, request, now)?, key: key.serialize_pem() })
    }

    /// A certificate for whoever made a signing request. Of the request (PEM, PKCS#10) nothing counts but the key, and that
    /// its maker has it; what the certificate says is ours to say.
    ///
    /// # Errors
    /// If the request is none or was not signed with its own key, or this authority's files are no certificate and key.
    pub fn certify(&self, csr: &str, request: &LeafRequest, now: UnixTime) -> Result<String, CertError> {
        let failed = |source| CertError::new("read a signing request", &request.common_name, source);
        let asked = CertificateSigningRequestParams::from_pem(csr).map_err(failed)?;
        self.sign(&asked.public_key, request, now)
    }

    fn sign(&self, key: &impl PublicKeyData, request: &LeafRequest, now: UnixTime) -> Result<String, CertError> {
        let failed = |action| move |source| CertError::new(action, &request.common_name, source);
        let authority_key = KeyPair::from_pem(&self.key).map_err(failed("read the authority's key"))?;
        let issuer = Issuer::from_ca_cert_pem(&self.certificate, authority_key)
            .map_err(failed("read the authority's certificate"))?;
        let mut params = params(&request.common_name, now.floored().plus(request.lifetime));
        if let Some(organization) = &request.organization {
            params.distinguished_name.push(DnType::OrganizationName, organization);
        }
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match request.usage {
            Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Usage::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Usage::Both => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        };
        for name in &request.dns_names {
            let name = name.as_str().try_into().map_err(failed("write a DNS name"))?;
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        params.subject_alt_names.extend(request.addresses.iter().copied().map(SanType::IpAddress));
        Ok(params.signed_by(key, &issuer).map_err(failed("sign a certificate"))?.pem())
    }
}

fn params(common_name: &str, end: UnixTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = CLOCK_FLOOR.to_date();
    params.not_after = end.to_date();
    params
}
