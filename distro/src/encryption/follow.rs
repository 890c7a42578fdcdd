//! A controller's part: it takes in the cluster's keyring, and says when its kube-apiserver works with it.

use std::time::Duration;

use skerry_formats::digest::Digest;

use super::board::{Board, BoardError};
use crate::{
    api::{ApiError, Client},
    component::ComponentId,
    pki::{Keyring, PkiError, Shared, Shelf, load_keyring, save_keyring},
};

/// How often the board is looked at.
pub const PERIOD: Duration = Duration::from_secs(10);

/// What kept a controller from following.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// Our own copy.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// Looks once. `authority` is the cluster authority's key, PEM; `shelf` where kube-apiserver finds its file, which it reads
/// again within a minute by itself.
///
/// # Errors
/// If the API does not answer, the board is not the cluster's, or a file cannot be written.
pub fn follow(client: &Client, shelf: &Shelf<'_>, authority: &str) -> Result<(), FollowError> {
    let folder = shelf.paths.pki();
    let Some(own) = load_keyring(&folder)? else { return Ok(()) };
    let Some(board) = Board::read(client, authority)? else { return Ok(Board::make(client, &own, authority)?) };
    let own = if board.keyring.generation() > own.generation() {
        // First what lasts: a start in between finds it.
        save_keyring(&folder, &board.keyring)?;
        shelf.share(ComponentId::KubeApiserver, Shared::Keyring, &board.keyring.configuration())?;
        tracing::info!(generation = board.keyring.generation(), "keys of Secrets taken in");
        board.keyring.clone()
    } else {
        own
    };
    let name = shelf.settings.node.as_str();
    if board.has.get(name) != Some(&own.generation()) && works_with(client, &own)? {
        Board::report(client, &shelf.settings.node, own.generation())?;
    }
    Ok(())
}

/// kube-apiserver tells the digest of the file that it has in use.
fn works_with(client: &Client, keyring: &Keyring) -> Result<bool, ApiError> {
    let digest = Digest::of(keyring.configuration().as_bytes());
    let text = client.text("/metrics")?;
    Ok(in_use(&text).any(|used| used == format!("sha256:{digest}")))
}

fn in_use(metrics: &str) -> impl Iterator<Item = &str> {
    let told =
        metrics.lines().filter(|line| line.starts_with("apiserver_encryption_config_controller_last_config_info{"));
    told.filter_map(|line| line.split(",hash=\"").nth(1)?.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::in_use;

    #[test]
    fn the_digest_in_use_is_found_among_the_metrics() {
        let text = "# HELP x\napiserver_encryption_config_controller_last_config_info{apiserver_id_hash=\"sha256:aa\",\
                    hash=\"sha256:bb\"} 1\napiserver_request_total{code=\"200\"} 7\n";
        assert_eq!(in_use(text).collect::<Vec<_>>(), ["sha256:bb"]);
    }
}
