//! From names to an archive: what each image is, then all layers, some at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use super::{BundleError, Order, draft::Draft, layout::Layout};
use crate::registry::{Blob, Pulled, Reference, Registries};

/// Pulls images and writes them as one archive. Returns its size in bytes.
///
/// # Errors
/// At the first image that cannot be pulled, or if the archive cannot be written; nothing is left then.
pub fn bundle(images: &BTreeSet<Reference>, registries: &Registries, order: &Order) -> Result<u64, BundleError> {
    let all: Vec<&Reference> = images.iter().collect();
    let pulled = together(order.requests, &all, |image| {
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
    together(order.requests, &layers(&pulled), |(image, blob)| {
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

/// Does a piece of work for each item, some at a time, and returns what came of them in the items' order. Once one fails,
/// no other is begun.
fn together<I: Sync, T: Send, E: Send>(
    at_a_time: usize,
    items: &[I],
    work: impl Fn(&I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let queue = Mutex::new(items.iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let stop = || while next().is_some() {};
    let done = Mutex::new(Vec::new());
    let worker = || {
        while let Some((index, item)) = next() {
            let result = work(item);
            if result.is_err() {
                stop();
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_a_time.clamp(1, items.len().max(1)) {
            scope.spawn(worker);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::together;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..50).collect();
        let squares = together(3, &items, |item| Ok::<_, ()>(item * item)).expect("all done");
        assert_eq!(squares, items.iter().map(|item| item * item).collect::<Vec<_>>());
        assert_eq!(together(3, &[], |(): &()| Ok::<_, ()>(())), Ok(vec![]));
    }

    #[test]
    fn after_a_failure_nothing_new_is_begun() {
        let begun = AtomicUsize::new(0);
        let failed = together(1, &[1, 2, 3, 4], |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *item == 2 { Err(*item) } else { Ok(()) }
        });
        assert_eq!((failed, begun.into_inner()), (Err(2), 2));
    }
}
