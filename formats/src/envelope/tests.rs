//! What a signature promises, on manifests.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::{
    digest::Digest,
    manifest::{Blob, Manifest, One, Root},
};

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(&[seed; 32])
}

fn manifest(data_blocks: u64) -> Manifest {
    Manifest {
        format: One,
        product: "skerry".parse().unwrap(),
        version: "0.1.0".parse().unwrap(),
        board: "qemu-x86_64".parse().unwrap(),
        arch: crate::arch::Arch::Amd64,
        profile: "default".parse().unwrap(),
        role: Some(crate::role::Role::Single),
        layout: One,
        root: Root { hash: Digest::of(b"root"), data_blocks, bytes: 4096 * 3 },
        uki: Blob { bytes: 7, sha256: Digest::of(b"uki") },
        image: Blob { bytes: 9, sha256: Digest::of(b"image") },
        inputs: Digest::of(b"inputs"),
        packages: Digest::of(b"packages"),
        substitutions: vec!["libc6 1 → 2".parse().unwrap()],
        components: [("kubernetes".parse().unwrap(), "1.36.3".parse().unwrap())].into(),
    }
}

fn signed() -> Envelope<Manifest> {
    Envelope::sign(&manifest(2), &[&key(1)]).unwrap()
}

/// The same fields under another context.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Other(Manifest);

impl Payload for Other {
    const CONTEXT: &'static str = "skerry/other/v1";
}

#[test]
fn a_signature_of_one_kind_is_none_of_another() {
    let Envelope { payload, signatures, .. } = signed();
    let other = Envelope::<Other> { payload, signatures, kind: PhantomData };
    assert!(matches!(other.verify(&[key(1).public()]), Err(VerifyError::Forged(_))));
    let text = signed().to_json().unwrap();
    assert!(matches!(Envelope::<Other>::parse(text.as_bytes()), Err(BadEnvelope::Kind { .. })));
}

#[test]
fn unknown_fields_are_refused_inside_and_outside() {
    let text = signed().to_json().unwrap().replacen('{', "{\"more\": 1,", 1);
    assert!(matches!(Envelope::<Manifest>::parse(text.as_bytes()), Err(BadEnvelope::Json(_))));
    let payload = signed().payload.replacen('{', "{\"more\": 1,", 1);
    let bytes = key(1).sign(&message::<Manifest>(&payload));
    let signatures = vec![Signature { key: key(1).public().id(), bytes }];
    let envelope = Envelope::<Manifest> { payload, signatures, kind: PhantomData };
    assert!(matches!(envelope.verify(&[key(1).public()]), Err(VerifyError::Payload(_))));
}

#[test]
fn a_threshold_counts_different_trusted_keys() {
    let [two, three] = [2, 3].map(|count| NonZeroUsize::new(count).unwrap());
    let envelope = Envelope::sign(&manifest(2), &[&key(1), &key(2), &key(3)]).unwrap();
    let trusted = [key(1).public(), key(2).public(), key(1).public(), key(9).public()];
    assert_eq!(envelope.verify_by(&trusted, two).unwrap().signers().len(), 2);
    let error = envelope.verify_by(&trusted, three).unwrap_err();
    assert!(matches!(error, VerifyError::Untrusted { found: 2, .. }), "{error}");
    let twice = Envelope::sign(&manifest(2), &[&key(1), &key(1)]).unwrap().to_json().unwrap();
    assert!(matches!(Envelope::<Manifest>::parse(twice.as_bytes()), Err(BadEnvelope::Twice(_))));
}

#[test]
fn oversized_documents_are_refused_unread() {
    let bytes = vec![b' '; MAX_BYTES + 1];
    assert!(matches!(Envelope::<Manifest>::parse(&bytes), Err(BadEnvelope::TooLong(_))));
    let keys: Vec<SecretKey> = (0..=MAX_SIGNATURES as u8).map(key).collect();
    let text = Envelope::sign(&manifest(2), &keys.iter().collect::<Vec<_>>()).unwrap().to_json().unwrap();
    assert!(matches!(Envelope::<Manifest>::parse(text.as_bytes()), Err(BadEnvelope::TooManySignatures(17))));
}

#[test]
fn a_manifest_of_a_later_form_is_refused() {
    let text = serde_json::to_string(&manifest(2)).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    let error = serde_json::from_str::<Manifest>(&text).unwrap_err();
    assert!(error.to_string().starts_with("version 2 is not known here; known: 1"), "{error}");
}

proptest! {
    #[test]
    fn a_manifest_survives_its_envelope(data_blocks: u64, seed: u8) {
        let text = Envelope::sign(&manifest(data_blocks), &[&key(seed)]).unwrap().to_json().unwrap();
        let verified = Envelope::<Manifest>::parse(text.as_bytes()).unwrap().verify(&[key(seed).public()]).unwrap();
        prop_assert_eq!(&*verified, &manifest(data_blocks));
        prop_assert!(verified.signers().contains(&key(seed).public().id()));
    }

    #[test]
    fn a_changed_byte_of_the_payload_is_refused(at: prop::sample::Index, to in 0x20u8..0x7f) {
        let mut envelope = signed();
        let places: Vec<usize> = envelope.payload.bytes().enumerate().filter(|(_, b)| b.is_ascii()).map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let mut bytes = envelope.payload.into_bytes();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        envelope.payload = String::from_utf8(bytes).unwrap();
        prop_assert!(matches!(envelope.verify(&[key(1).public()]), Err(VerifyError::Forged(_))));
    }

    #[test]
    fn a_changed_bit_of_the_signature_is_refused(byte in 0..SIGNATURE, bit in 0..8u32) {
        let mut envelope = signed();
        envelope.signatures[0].bytes[byte] ^= 1u8 << bit;
        prop_assert!(matches!(envelope.verify(&[key(1).public()]), Err(VerifyError::Forged(_))));
    }

    #[test]
    fn another_key_is_refused_even_under_the_signers_name(seed in 2u8..) {
        let mut envelope = signed();
        let stranger = matches!(envelope.verify(&[key(seed).public()]), Err(VerifyError::Untrusted { .. }));
        prop_assert!(stranger);
        envelope.signatures[0].key = key(seed).public().id();
        prop_assert!(matches!(envelope.verify(&[key(seed).public()]), Err(VerifyError::Forged(_))));
    }

    #[test]
    fn a_changed_byte_of_the_file_never_gives_another_document(at: prop::sample::Index, to: u8) {
        let mut bytes = signed().to_json().unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(envelope) = Envelope::<Manifest>::parse(&bytes)
            && let Ok(verified) = envelope.verify(&[key(1).public()])
        {
            prop_assert_eq!(verified.into_inner(), manifest(2));
        }
    }

    #[test]
    fn arbitrary_bytes_are_answered_with_an_error(bytes: Vec<u8>, text in ".*") {
        prop_assert!(Envelope::<Manifest>::parse(&bytes).is_err());
        prop_assert!(PublicKey::from_pem(&text).is_err() && SecretKey::from_pem(&text).is_err());
    }
}
