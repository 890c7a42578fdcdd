//! Signed documents: the exact text of a payload, and signatures of it; docs/manifest.md has the form.
//!
//! What is signed is `skerry-signed/1 <length> <context> <length> <payload>`, lengths in bytes: a signature of one kind of
//! document is never one of another. The text is parsed only after a signature of it was found good.

mod key;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, marker::PhantomData, num::NonZeroUsize, ops::Deref};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use key::{BadKey, KeyId, PublicKey, SIGNATURE, SecretKey};

/// The most bytes that an envelope may have.
pub const MAX_BYTES: usize = 1 << 20;
/// The most signatures that an envelope may carry.
pub const MAX_SIGNATURES: usize = 16;

/// A kind of document that can be signed.
pub trait Payload: Serialize + DeserializeOwned {
    /// Names kind and version; part of what is signed: `skerry/image-manifest/v1`.
    const CONTEXT: &'static str;
}

/// A signed document whose signatures nobody has looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<P> {
    payload: String,
    signatures: Vec<Signature>,
    kind: PhantomData<fn() -> P>,
}

/// A key's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    key: KeyId,
    bytes: [u8; SIGNATURE],
}

/// A document that trusted keys have signed. Only [`Envelope::verify`] and [`Envelope::verify_by`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<P> {
    payload: P,
    signers: BTreeSet<KeyId>,
}

/// Bytes that are no envelope of the wanted kind.
#[derive(Debug, thiserror::Error)]
pub enum BadEnvelope {
    /// Too many bytes.
    #[error("a signed document of {0} bytes, more than {MAX_BYTES}")]
    TooLong(usize),
    /// No JSON of this shape.
    #[error("not a signed document")]
    Json(#[from] serde_json::Error),
    /// Another kind of document.
    #[error("a signed document of kind `{found}`, not `{wanted}`")]
    Kind {
        /// What it says it is.
        found: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Too many signatures.
    #[error("{0} signatures, more than {MAX_SIGNATURES}")]
    TooManySignatures(usize),
    /// Two signatures of one key.
    #[error("two signatures of key {0}")]
    Twice(KeyId),
    /// A signature that is no base64 of 64 bytes.
    #[error("the signature of key {0} is not 64 bytes in base64")]
    Signature(KeyId),
}

/// A document that is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Fewer trusted signatures than wanted.
    #[error("signed by {found} trusted keys of the {wanted} wanted; signatures are of: {}", list(.signers))]
    Untrusted {
        /// How many trusted keys signed.
        found: usize,
        /// How many are wanted.
        wanted: NonZeroUsize,
        /// Keys that the signatures claim.
        signers: Vec<KeyId>,
    },
    /// A trusted key's signature is of other text.
    #[error("the signature of key {0} does not fit the text: one of them was changed")]
    Forged(KeyId),
    /// Signed, but not understood.
    #[error("the signed text is no document of its kind")]
    Payload(#[from] serde_json::Error),
}

fn list(keys: &[KeyId]) -> String {
    let names: Vec<String> = keys.iter().map(KeyId::short).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kind: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    key: KeyId,
    ed25519: String,
}

impl<P: Payload> Envelope<P> {
    /// Signs a document with each of `keys`.
    ///
    /// # Errors
    /// If the document cannot be written as JSON.
    pub fn sign(payload: &P, keys: &[&SecretKey]) -> Result<Self, serde_json::Error> {
        let payload = serde_json::to_string_pretty(payload)?;
        let message = message::<P>(&payload);
        let sign = |key: &&SecretKey| Signature { key: key.public().id(), bytes: key.sign(&message) };
        Ok(Self { signatures: keys.iter().map(sign).collect(), payload, kind: PhantomData })
    }

    /// Reads an envelope; its payload stays text.
    ///
    /// # Errors
    /// If the bytes are none of this kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        if bytes.len() > MAX_BYTES {
            return Err(BadEnvelope::TooLong(bytes.len()));
        }
        let wire: Wire = serde_json::from_slice(bytes)?;
        if wire.kind != P::CONTEXT {
            let found = wire.kind.chars().take(80).collect();
            return Err(BadEnvelope::Kind { found, wanted: P::CONTEXT });
        }
        if wire.signatures.len() > MAX_SIGNATURES {
            return Err(BadEnvelope::TooManySignatures(wire.signatures.len()));
        }
        let mut seen = BTreeSet::new();
        let mut signatures = Vec::new();
        for WireSignature { key, ed25519 } in wire.signatures {
            let bytes = BASE64.decode(&ed25519).ok().and_then(|bytes| bytes.try_into().ok());
            let bytes = bytes.ok_or(BadEnvelope::Signature(key))?;
            if !seen.insert(key) {
                return Err(BadEnvelope::Twice(key));
            }
            signatures.push(Signature { key, bytes });
        }
        Ok(Self { payload: wire.payload, signatures, kind: PhantomData })
    }

    /// The envelope as a file's text.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let signature = |s: &Signature| WireSignature { key: s.key, ed25519: BASE64.encode(s.bytes) };
        let signatures = self.signatures.iter().map(signature).collect();
        let wire = Wire { kind: P::CONTEXT.to_owned(), payload: self.payload.clone(), signatures };
        Ok(serde_json::to_string_pretty(&wire)? + "\n")
    }

    /// The document, if at least one of `trusted` has signed it.
    ///
    /// # Errors
    /// As [`Envelope::verify_by`].
    pub fn verify(&self, trusted: &[PublicKey]) -> Result<Verified<P>, VerifyError> {
        self.verify_by(trusted, NonZeroUsize::MIN)
    }

    /// The document, if at least `threshold` different ones of `trusted` have signed it.
    ///
    /// # Errors
    /// If too few have, a signature of a trusted key is wrong, or the text is no document of this kind.
    pub fn verify_by(&self, trusted: &[PublicKey], threshold: NonZeroUsize) -> Result<Verified<P>, VerifyError> {
        let message = message::<P>(&self.payload);
        let mut signers = BTreeSet::new();
        for signature in &self.signatures {
            let Some(key) = trusted.iter().find(|key| key.id() == signature.key) else { continue };
            if !key.signed(&message, &signature.bytes) {
                return Err(VerifyError::Forged(signature.key));
            }
            signers.insert(signature.key);
        }
        if signers.len() < threshold.get() {
            let claimed = self.signatures.iter().map(|signature| signature.key).collect();
            return Err(VerifyError::Untrusted { found: signers.len(), wanted: threshold, signers: claimed });
        }
        Ok(Verified { payload: serde_json::from_str(&self.payload)?, signers })
    }
}

impl<P> Verified<P> {
    /// The trusted keys that signed.
    #[must_use]
    pub const fn signers(&self) -> &BTreeSet<KeyId> {
        &self.signers
    }

    /// The document alone.
    #[must_use]
    pub fn into_inner(self) -> P {
        self.payload
    }
}

impl<P> Deref for Verified<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.payload
    }
}

fn message<P: Payload>(payload: &str) -> Vec<u8> {
    let context = P::CONTEXT;
    format!("skerry-signed/1 {} {context} {} {payload}", context.len(), payload.len()).into_bytes()
}
