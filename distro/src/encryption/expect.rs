//! The part of a controller that takes another one in.

use std::path::Path;

use super::{board::Board, follow::FollowError};
use crate::{
    api::Client,
    config::NodeName,
    pki::{Keyring, load_keyring},
};

/// The keys that a newcomer begins with, and word to whoever changes them that it is waited for. `folder` is that of this
/// controller's own keys, `authority` the cluster authority's key, PEM. `None` where there are none of ours.
///
/// # Errors
/// If the API does not answer, or the board is not the cluster's.
pub fn expect(
    client: &Client,
    (folder, authority): (&Path, &str),
    newcomer: &NodeName,
) -> Result<Option<Keyring>, FollowError> {
    let Some(own) = load_keyring(folder)? else { return Ok(None) };
    if Board::read(client, authority)?.is_none() {
        Board::make(client, &own, authority)?;
    }
    // First the word: from then on no step is taken without the newcomer, so that what is read after it is at most one step
    // behind, and controllers a step apart read each other's Secrets.
    Board::report(client, newcomer, 0)?;
    let board = Board::read(client, authority)?.map(|board| board.keyring);
    Ok(board.filter(|board| board.generation() > own.generation()).or(Some(own)))
}
