//! From names to an archive: what each image is, then all layers, some at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::{BundleError, Order, draft::Draft, layout::Layout};
use crate::{
    parallel::until_failure,
    registry::{Blob, Pulled, Reference, Registries},
};

/// Pulls images and writes them as one archive. Returns its size in bytes.
///
/// # Errors
/// At the first image that cannot be pulled, or if the archive cannot be written; nothing is left then.
pub fn bundle(images: &BTreeSet<Reference>, registries: &Registries, order: &Order) -> Result<u64, BundleError> {
    let all: Vec<&Reference> = images.iter().collect();
    let pulled = until_failure(order.requests, &all, |image| {
        let pulled = registries.pull(image, order.arch)?;
        let (layers, manifest) = (pulled.layers.len(), &pulled.manifest.blob.digest);
        tracing::info!(%image, digest = %format!("sha256:{manifest}"), layers, "found");
        Ok::<_, BundleError>(pulled)
    })?;
    let layout = Layout::of(&pulled, order.arch).map_err(BundleError::Layout)?;
    let draft = Draft::create(&order.to, layout.size)?;
    for (at, bytes) in &layout.pieces {
        draft.put(*at, bytes)?;
    }
    until_failure(order.requests, &layers(&pulled), |(image, blob)| {
        let Some(at) = layout.blobs.get(&blob.digest) else { return Ok(()) };
        registries.layer((image, blob), &mut |offset, bytes| draft.put(at + offset, bytes))?;
        tracing::info!(%image, layer = %format!("sha256:{}", blob.digest), bytes = blob.size, "fetched");
        Ok::<_, BundleError>(())
    })?;
    draft.finish()?;
    Ok(layout.size)
}

/// All layers, each once, with an image that has it.
fn layers(images: &[Pulled]) -> Vec<(&Reference, &Blob)> {
    let all = images.iter().flat_map(|image| image.layers.iter().map(|blob| (blob, &image.reference)));
    let once: BTreeMap<&Blob, &Reference> = all.collect();
    once.into_iter().map(|(blob, image)| (image, blob)).collect()
}
