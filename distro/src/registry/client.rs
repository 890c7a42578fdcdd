//! Documents of a server, and how often it is asked again.

use std::time::Duration;

use super::{
    document::{Blob, Kind, LONGEST},
    error::Cause,
    send::{Ask, Server},
};
use crate::{supervisor::chain, sys::clock};
use skerry_formats::digest::Digest;

/// How often a failure in a row is made good by another attempt.
const AGAIN: u32 = 3;
/// The pause before the first; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(500);

/// How patient to be with a server that does not answer, or whose line breaks.
#[derive(Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// Waits for another attempt, or says that there shall be none.
    pub fn after(&mut self, cause: Cause) -> Result<(), Cause> {
        if !cause.passes() || self.0 == AGAIN {
            return Err(cause);
        }
        tracing::warn!(error = %chain(&cause), "tried again");
        clock::sleep(PAUSE * 2_u32.pow(self.0));
        self.0 += 1;
        Ok(())
    }

    /// Something came: what failed before is forgotten.
    pub const fn restore(&mut self) {
        self.0 = 0;
    }
}

/// A document as a server gave it.
pub(super) struct Given {
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub blob: Blob,
}

impl Server {
    /// An index or a manifest; `wanted` is what it must be, where that is known.
    pub fn manifest(&self, repository: &str, version: &str, wanted: Option<&Digest>) -> Result<Given, Cause> {
        let accept = Kind::TYPES.map(|(name, _)| name).join(", ");
        let ask = Ask { repository, path: format!("manifests/{version}"), accept: Some(&accept), from: 0 };
        self.document(&ask, wanted)
    }

    /// A configuration.
    pub fn config(&self, repository: &str, blob: &Blob) -> Result<Given, Cause> {
        let ask = Ask { repository, path: format!("blobs/sha256:{}", blob.digest), accept: None, from: 0 };
        self.document(&ask, Some(&blob.digest))
    }

    fn document(&self, ask: &Ask<'_>, wanted: Option<&Digest>) -> Result<Given, Cause> {
        let mut patience = Patience::default();
        let given = loop {
            match self.whole(ask) {
                Ok(given) => break given,
                Err(cause) => patience.after(cause)?,
            }
        };
        match wanted {
            Some(wanted) if *wanted != given.blob.digest => {
                Err(Cause::Digest { wanted: *wanted, found: given.blob.digest })
            }
            _ => Ok(given),
        }
    }

    fn whole(&self, ask: &Ask<'_>) -> Result<Given, Cause> {
        let mut answer = self.get(ask)?;
        let header = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        let media_type = header.unwrap_or_default().to_owned();
        let read = answer.body_mut().with_config().limit(LONGEST).read_to_vec();
        let bytes = read.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => Cause::TooLong(LONGEST),
            other => Cause::Lost(other),
        })?;
        let blob = Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 };
        Ok(Given { media_type, bytes, blob })
    }
}
