//! A keyring as it may lie where anybody reads it: only who holds the cluster authority's key opens it. Pure but for
//! randomness.
//!
//! Text: base64 of 12 bytes nonce and the AES-256-GCM cipher text of the keyring's JSON with its tag. The key: HKDF-SHA256 of
//! the authority's private key (RFC 5869), whose PEM armour is left out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    rand::{SecureRandom as _, SystemRandom},
};

use crate::pki::Keyring;

/// A keyring that cannot be sealed or opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// No randomness, or more text than the cipher takes.
    #[error("the keyring could not be sealed")]
    Seal,
    /// No sealed text.
    #[error("the sealed keyring is damaged")]
    Damaged,
    /// Sealed by another cluster, or changed.
    #[error("the sealed keyring was not made with this cluster's authority, or somebody changed it")]
    Foreign,
}

const SALT: &[u8] = b"sk8s keyring v1";

/// Seals with an authority's private key, PEM.
///
/// # Errors
/// If the system has no randomness to give.
pub fn seal(keyring: &Keyring, authority: &str) -> Result<String, SealError> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::Seal)?;
    let mut text = serde_json::to_vec(keyring).map_err(|_| SealError::Seal)?;
    let aad = Aad::from(SALT);
    key(authority)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
        .map_err(|_| SealError::Seal)?;
    Ok(STANDARD.encode([&nonce[..], &text].concat()))
}

/// Opens what [`seal`] made with the same authority.
///
/// # Errors
/// If it was not, or was changed since.
pub fn unseal(text: &str, authority: &str) -> Result<Keyring, SealError> {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| SealError::Damaged)?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Damaged)?;
    let mut sealed = sealed.to_vec();
    let plain = key(authority)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(SALT), &mut sealed)
        .map_err(|_| SealError::Foreign)?;
    serde_json::from_slice(plain).map_err(|_| SealError::Damaged)
}

fn key(authority: &str) -> Result<LessSafeKey, SealError> {
    let body: String = authority.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let extracted = Salt::new(HKDF_SHA256, SALT).extract(body.as_bytes());
    let expanded = extracted.expand(&[b"AES-256-GCM"], &AES_256_GCM).map_err(|_| SealError::Seal)?;
    Ok(LessSafeKey::new(UnboundKey::from(expanded)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SealError, seal, unseal};
    use crate::pki::Keyring;

    const OURS: &str = "-----BEGIN PRIVATE KEY-----\nb3Vycw==\n-----END PRIVATE KEY-----\n";
    const THEIRS: &str = "-----BEGIN PRIVATE KEY-----\ndGhlaXJz\n-----END PRIVATE KEY-----\n";

    #[test]
    fn it_opens_for_its_cluster_alone_however_the_key_is_wrapped() {
        let ring = Keyring::generate().expect("randomness");
        let text = seal(&ring, OURS).expect("sealed");
        assert_eq!(unseal(&text, OURS), Ok(ring.clone()));
        assert_eq!(unseal(&text, &OURS.replace('\n', "\r\n")), Ok(ring.clone()));
        assert_eq!(unseal(&text, THEIRS), Err(SealError::Foreign));
        assert_ne!(seal(&ring, OURS).expect("sealed"), text, "no two are alike");
    }

    proptest! {
        #[test]
        fn a_changed_one_is_refused(at in 0_usize..120, with: u8) {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            let ring = Keyring::generate().expect("randomness");
            let mut bytes = STANDARD.decode(seal(&ring, OURS).expect("sealed")).expect("base64");
            let at = at % bytes.len();
            prop_assume!(bytes[at] != with);
            bytes[at] = with;
            prop_assert_eq!(unseal(&STANDARD.encode(&bytes), OURS), Err(SealError::Foreign));
        }

        #[test]
        fn any_text_is_refused_and_nothing_breaks(text in "\\PC{0,80}") {
            prop_assert!(unseal(&text, OURS).is_err());
        }
    }
}
