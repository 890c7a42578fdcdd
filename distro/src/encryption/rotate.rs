//! The owner's part: puts a new key in the place of the old one, step by step. What was interrupted goes on where it was.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::board::{Board, BoardError};
use crate::{
    api::{ApiError, Client},
    pki::{NoRandomness, Stage},
    sys::clock::{self, Stopwatch},
};

/// Keys that could not be changed; whatever was done so far stands, and every Secret is readable.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No key.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// No controller has made the keyring known.
    #[error("no controller of this cluster has made its keys known yet")]
    Unknown,
    /// Some controllers are not there, or not well.
    #[error("key {key}: not in use within {} s on: {}", .waited.as_secs(), .controllers.join(", "))]
    Behind {
        /// The newest key.
        key: u32,
        /// Who does not work with it.
        controllers: Vec<String>,
        /// How long it was waited.
        waited: Duration,
    },
}

impl RotateError {
    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Behind { controllers, .. } => Some(format!(
                "start them and run this again, which goes on from here; one that is gone for good: `--without {}`",
                controllers.first().map_or("NAME", String::as_str)
            )),
            Self::Unknown => Some("try again in a few seconds, with a controller at work".to_owned()),
            _ => None,
        }
    }
}

/// The cluster's keys and who works with them.
pub struct Standing(Board);

/// Reads it.
///
/// # Errors
/// If the API does not answer, or no controller has made it known.
pub fn standing(client: &Client, authority: &str) -> Result<Standing, RotateError> {
    Board::read(client, authority)?.map(Standing).ok_or(RotateError::Unknown)
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = &self.0.keyring;
        let mut numbers = ring.numbers();
        let first = numbers.next().unwrap_or_default();
        writeln!(f, "Secrets are encrypted with key {first} (XSalsa20-Poly1305)")?;
        let others: Vec<_> = numbers.map(|number| number.to_string()).collect();
        let others = others.join(", ");
        match ring.stage() {
            Stage::Settled => {}
            Stage::Spreading => writeln!(f, "key {others} is being made known; `sk8s encryption rotate` goes on")?,
            Stage::Rewriting => writeln!(f, "some may be with key {others} still; `sk8s encryption rotate` goes on")?,
        }
        for (controller, has) in &self.0.has {
            let state = if *has < ring.generation() { "not yet" } else { "works with these keys" };
            writeln!(f, "{controller}: {state}")?;
        }
        Ok(())
    }
}

/// How long each step may take: kube-apiserver looks for new keys once a minute.
const PATIENCE: Duration = Duration::from_secs(300);
const AGAIN: Duration = Duration::from_secs(2);

/// Changes the key. `gone` are controllers that will not come back; `say` is told of each step.
///
/// # Errors
/// At the first step that cannot be taken.
pub fn rotate(
    client: &Client,
    authority: &str,
    gone: &[String],
    mut say: impl FnMut(String),
) -> Result<(), RotateError> {
    let mut begun = false;
    loop {
        let board = caught_up(client, authority, gone)?;
        match board.keyring.stage() {
            Stage::Settled if begun => return Ok(()),
            Stage::Settled => say(format!("key {} is made known", board.keyring.newest() + 1)),
            Stage::Spreading => say(format!("key {} encrypts from now on", board.keyring.newest())),
            Stage::Rewriting => {
                let count = rewrite(client)?;
                say(format!("{count} Secrets are encrypted with key {} alone", board.keyring.newest()));
            }
        }
        match board.replace(client, (&board.keyring.next()?, authority), gone) {
            Ok(()) => begun = true,
            // A controller that is taken in meanwhile writes to the board too: the step waits for it and is done again.
            Err(BoardError::Raced) if is_at(client, authority, board.keyring.generation())? => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the keys are still of a generation: then nobody else changes them.
fn is_at(client: &Client, authority: &str, generation: u32) -> Result<bool, RotateError> {
    Ok(Board::read(client, authority)?.is_some_and(|board| board.keyring.generation() == generation))
}

/// Waits until every controller works with the same keys.
fn caught_up(client: &Client, authority: &str, gone: &[String]) -> Result<Board, RotateError> {
    let clock = Stopwatch::start();
    loop {
        let board = Board::read(client, authority)?.ok_or(RotateError::Unknown)?;
        let behind = board.behind(gone);
        if behind.is_empty() && !board.has.is_empty() {
            return Ok(board);
        }
        if clock.elapsed() > PATIENCE {
            let key = board.keyring.newest();
            return Err(RotateError::Behind { key, controllers: behind, waited: PATIENCE });
        }
        clock::sleep(AGAIN);
    }
}

const SECRETS: &str = "/api/v1/secrets?limit=200";

/// Writes every Secret as it is: kube-apiserver encrypts with its first key, and does not spare the write of one that is not.
fn rewrite(client: &Client) -> Result<usize, ApiError> {
    let (mut count, mut next) = (0, String::new());
    loop {
        let list = client.get(&format!("{SECRETS}{next}"))?.unwrap_or_default();
        for secret in list["items"].as_array().into_iter().flatten() {
            count += usize::from(again(client, secret.clone())?);
        }
        match list["metadata"]["continue"].as_str() {
            Some(token) if !token.is_empty() => next = format!("&continue={token}"),
            _ => return Ok(count),
        }
    }
}

/// One that was changed or removed meanwhile was written with the new key, or needs none.
fn again(client: &Client, mut secret: Value) -> Result<bool, ApiError> {
    let part = |key: &str| secret["metadata"][key].as_str().unwrap_or_default().to_owned();
    let path = format!("/api/v1/namespaces/{}/secrets/{}", part("namespace"), part("name"));
    secret["apiVersion"] = "v1".into();
    secret["kind"] = "Secret".into();
    match client.replace(&path, &secret) {
        Err(ApiError::Refused { status: 404, .. }) => Ok(false),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RotateError;

    #[test]
    fn who_is_behind_is_named_with_the_ways_out() {
        let error = RotateError::Behind {
            key: 2,
            controllers: vec!["mill".into(), "shed".into()],
            waited: Duration::from_secs(300),
        };
        assert_eq!(error.to_string(), "key 2: not in use within 300 s on: mill, shed");
        assert!(error.hint().is_some_and(|hint| hint.contains("--without mill")));
    }
}
