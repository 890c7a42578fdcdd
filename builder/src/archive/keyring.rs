//! The keys that Debian 13's archive is signed with, and the check of clear-signed text against them.

use pgp::{
    composed::{CleartextSignedMessage, Deserializable as _, SignedPublicKey},
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureType},
};

/// Debian 13's keys: archive, security archive and stable release.
const DEBIAN: [&[u8]; 3] = [
    include_bytes!("../../keys/debian-trixie-automatic.gpg"),
    include_bytes!("../../keys/debian-trixie-security-automatic.gpg"),
    include_bytes!("../../keys/debian-trixie-stable.gpg"),
];

/// Keys whose signature is trusted, each with its subkeys bound by a checked signature.
#[derive(Clone, Debug)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

/// Text that at least one key of a keyring signed; only [`Keyring::verify`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    text: String,
}

/// Keys or signatures that cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// These are no keys.
    #[error("cannot read the keyring")]
    Keyring(#[source] Box<pgp::errors::Error>),
    /// It is no clear-signed text.
    #[error("not clear-signed text")]
    Format(#[source] Box<pgp::errors::Error>),
    /// None of the signatures was made by a known key over this text.
    #[error("no good signature of a known key; signed by: {signers}")]
    Untrusted {
        /// Who the signatures say they are of.
        signers: String,
    },
    /// A known key is said to have signed, but the text is another.
    #[error("the text was changed after {signer} signed it")]
    Changed {
        /// The known key.
        signer: String,
    },
}

impl Signed {
    /// The signed text, and nothing around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Keyring {
    /// The keys of Debian 13, which are part of this program.
    ///
    /// # Errors
    /// Never, as a test shows.
    pub fn debian() -> Result<Self, KeyError> {
        Self::parse(&DEBIAN)
    }

    /// Reads keys, binary or armored, any number in each part.
    ///
    /// # Errors
    /// If they are no keys, or a subkey is not bound to its key.
    pub fn parse(parts: &[&[u8]]) -> Result<Self, KeyError> {
        let wrong = |error| KeyError::Keyring(Box::new(error));
        let mut keys = Vec::new();
        for part in parts {
            let (found, _headers) = SignedPublicKey::from_reader_many(*part).map_err(wrong)?;
            for key in found {
                let key = key.map_err(wrong)?;
                // Not the whole key: certifications by other people are nothing to us.
                key.public_subkeys
                    .iter()
                    .try_for_each(|subkey| subkey.verify_bindings(&key.primary_key))
                    .map_err(wrong)?;
                keys.push(key);
            }
        }
        Ok(Self { keys })
    }

    /// The text of a clear-signed message, if a known key signed it; signatures of other keys count neither for nor against.
    ///
    /// # Errors
    /// If it is no such message, or no known key signed this very text.
    pub fn verify(&self, message: &str) -> Result<Signed, KeyError> {
        let (message, _headers) =
            CleartextSignedMessage::from_string(message).map_err(|error| KeyError::Format(Box::new(error)))?;
        let text = message.signed_text();
        let strong = message.signatures().iter().filter(|signature| is_strong(signature));
        if strong.clone().any(|signature| self.keys.iter().any(|key| signed_by(key, signature, &text))) {
            return Ok(Signed { text: text.replace("\r\n", "\n") });
        }
        let known = strong.clone().find(|signature| self.names(signature));
        Err(match known {
            Some(signature) => KeyError::Changed { signer: signer(signature) },
            None => {
                let signers: Vec<String> = message.signatures().iter().map(signer).collect();
                KeyError::Untrusted {
                    signers: if signers.is_empty() { "nobody".to_owned() } else { signers.join(", ") },
                }
            }
        })
    }

    fn names(&self, signature: &Signature) -> bool {
        use pgp::types::KeyDetails as _;
        let ids = signature.issuer_key_id();
        let has = |id: pgp::types::KeyId| ids.iter().any(|issuer| **issuer == id);
        self.keys.iter().any(|key| {
            has(key.legacy_key_id()) || key.public_subkeys.iter().any(|subkey| has(subkey.key.legacy_key_id()))
        })
    }
}

/// Signatures over text, by a digest that nobody can forge.
fn is_strong(signature: &Signature) -> bool {
    let digest =
        matches!(signature.hash_alg(), Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512));
    digest && matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary))
}

fn signed_by(key: &SignedPublicKey, signature: &Signature, text: &str) -> bool {
    let by_primary = || signature.verify(&key.primary_key, text.as_bytes()).is_ok();
    let by_subkey = || {
        let signing = key.public_subkeys.iter().filter(|subkey| subkey.signatures.iter().any(|s| s.key_flags().sign()));
        signing.into_iter().any(|subkey| signature.verify(&subkey.key, text.as_bytes()).is_ok())
    };
    by_primary() || by_subkey()
}

fn signer(signature: &Signature) -> String {
    let ids: Vec<String> = signature.issuer_key_id().iter().map(|id| format!("key {id}")).collect();
    if ids.is_empty() { "an unnamed key".to_owned() } else { ids.join("/") }
}

impl crate::report::Explain for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_keys_are_debians_three() {
        assert_eq!(Keyring::debian().unwrap().keys.len(), 3);
    }

    #[test]
    fn text_without_a_signature_is_rejected() {
        assert!(matches!(Keyring::debian().unwrap().verify("Origin: Debian\n"), Err(KeyError::Format(_))));
    }
}
