//! Components lie ready before a verb that needs them does anything else.

use super::args::Places;
use crate::{
    paths::Paths,
    payload::{self, Payload, PayloadError, Ready},
    supervisor::chain,
    sys::fs,
};

/// Which components a verb needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One program, for as long as it runs.
    Program,
    /// All that a node needs, for as long as it runs.
    Node,
}

/// The folders to use: those that the caller named, else what our own program carries, else an image's. What comes with
/// them must live as long as they are used.
///
/// # Errors
/// If there are no components, or they cannot be laid out.
pub fn lay_out(places: Places, wanted: Wanted) -> Result<(Paths, Option<Ready>), PayloadError> {
    if places.have(wanted) {
        return Ok((places.paths(), None));
    }
    let Some(payload) = Payload::own()? else {
        let paths = places.paths();
        return if fs::exists(&paths.components) {
            Ok((paths, None))
        } else {
            Err(PayloadError::None(paths.components))
        };
    };
    let ready = payload::ensure(&payload, &places.data())?;
    if wanted == Wanted::Node {
        remove_unused(&ready);
    }
    let usual = ready.places(Paths::default());
    Ok((places.over(usual), Some(ready)))
}

/// What cannot be removed now may be at the next start.
fn remove_unused(ready: &Ready) {
    match payload::remove_unused(ready) {
        Ok(folders) => folders.iter().for_each(|folder| tracing::info!("removed `{}`: unused", folder.display())),
        Err(error) => tracing::warn!(error = %chain(&error), "components of other versions not removed"),
    }
}
