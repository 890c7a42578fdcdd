//! The signed manifest that lies beside an image.

use std::io;

use skerry_formats::{
    digest::Digest,
    envelope::Envelope,
    manifest::{Blob, Line, Manifest, One, Root},
    name::Name,
    version::Version,
};

use super::{Bench, BuildError, Extras, root::Sealed};
use crate::{component::Built, plan::Plan};

/// All of a manifest but the image's size and digest.
pub fn draft(
    (plan, bench, extras): (&Plan, &Bench<'_>, &Extras),
    (built, sealed): (&[Built], &Sealed),
    (uki, inputs): (&[u8], Digest),
) -> Result<Manifest, BuildError> {
    let product: Name = "skerry".parse()?;
    let version: Version = env!("CARGO_PKG_VERSION").parse()?;
    let lines = extras.substitutions.iter().map(|substitution| substitution.to_string().parse::<Line>());
    Ok(Manifest {
        format: One,
        product,
        version,
        board: plan.board.name.clone(),
        arch: plan.board.arch,
        profile: plan.request.profile.clone(),
        role: plan.request.role,
        layout: One,
        root: Root { hash: sealed.root.root_hash, data_blocks: sealed.root.data_blocks, bytes: sealed.bytes },
        uki: Blob { bytes: uki.len() as u64, sha256: Digest::of(uki) },
        image: Blob { bytes: 0, sha256: Digest::of(b"") },
        inputs,
        packages: bench.lock.set_digest(&plan.root.name)?,
        substitutions: lines.collect::<Result<_, _>>()?,
        components: built.iter().map(|built| (built.name.clone(), built.version.clone())).collect(),
    })
}

/// The signed text of a manifest, once its image is known.
pub fn sign(draft: &Manifest, bench: &Bench<'_>, image: Blob) -> io::Result<String> {
    let manifest = Manifest { image, ..draft.clone() };
    Ok(Envelope::sign(&manifest, &[bench.signer])?.to_json()?)
}
