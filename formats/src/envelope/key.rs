//! Ed25519 keys (RFC 8032) as files keep them: PKCS#8 and SubjectPublicKeyInfo in PEM (RFC 8410), as OpenSSL reads them.

use std::fmt;

use ed25519_dalek::{
    Signer as _, SigningKey, VerifyingKey,
    pkcs8::{
        DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes,
        spki::der::pem::LineEnding,
    },
};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// Which key: the SHA-256 of its 32 public bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Digest);

/// A key that checks signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A key that signs; wiped from memory when dropped, and never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

/// A file that holds no key of ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadKey {
    /// No private key.
    #[error("not an Ed25519 private key (PKCS#8, PEM)")]
    Secret,
    /// No public key.
    #[error("not an Ed25519 public key (SubjectPublicKeyInfo, PEM)")]
    Public,
    /// A key that would accept signatures of anyone.
    #[error("a weak Ed25519 public key: one of small order")]
    Weak,
    /// A key that cannot be written as PEM.
    #[error("the key cannot be written as PEM")]
    Unwritable,
}

impl KeyId {
    /// The first 12 hexadecimal digits, enough for people to compare.
    #[must_use]
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PublicKey {
    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId(Digest::of(self.0.as_bytes()))
    }

    /// Reads a key from PEM.
    ///
    /// # Errors
    /// If the text is none, or the key is weak.
    pub fn from_pem(text: &str) -> Result<Self, BadKey> {
        let key = VerifyingKey::from_public_key_pem(text).map_err(|_| BadKey::Public)?;
        if key.is_weak() { Err(BadKey::Weak) } else { Ok(Self(key)) }
    }

    /// The key as PEM.
    ///
    /// # Errors
    /// If the encoder refuses, which it has no reason to.
    pub fn to_pem(&self) -> Result<String, BadKey> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|_| BadKey::Unwritable)
    }

    /// Whether the key's owner signed these bytes; the strict form, one signature per key and message.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

impl SecretKey {
    /// A key from 32 random bytes.
    #[must_use]
    pub fn from_bytes(random: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(random))
    }

    /// Reads a key from PEM.
    ///
    /// # Errors
    /// If the text is none.
    pub fn from_pem(text: &str) -> Result<Self, BadKey> {
        SigningKey::from_pkcs8_pem(text).map(Self).map_err(|_| BadKey::Secret)
    }

    /// The key as PEM, without its public half, which other tools refuse to find there.
    ///
    /// # Errors
    /// If the encoder refuses, which it has no reason to.
    pub fn to_pem(&self) -> Result<String, BadKey> {
        let bytes = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        Ok(bytes.to_pkcs8_pem(LineEnding::LF).map_err(|_| BadKey::Unwritable)?.to_string())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of these bytes, the same every time.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().id().short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_files_and_are_told_apart() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let pem = key.to_pem().unwrap();
        assert_eq!(SecretKey::from_pem(&pem).unwrap().public(), key.public());
        let public = key.public().to_pem().unwrap();
        assert_eq!(PublicKey::from_pem(&public), Ok(key.public()));
        assert_eq!(PublicKey::from_pem(&pem), Err(BadKey::Public));
        assert_eq!(SecretKey::from_pem(&public).unwrap_err(), BadKey::Secret);
    }

    #[test]
    fn a_secret_key_is_never_printed() {
        let key = SecretKey::from_bytes(&[7; 32]);
        assert_eq!(format!("{key:?}"), format!("SecretKey({})", key.public().id().short()));
    }
}
