//! Why an image could not be pulled.

use std::{io, path::PathBuf};

use skerry_formats::digest::Digest;

use super::{document::BadDocument, hosts::BadHosts, reference::Reference};
use crate::{supervisor::chain, sys::fs::FsError};

/// An image that could not be pulled.
#[derive(Debug, thiserror::Error)]
#[error("could not pull `{image}` from `{server}`")]
pub struct PullError {
    /// Which image.
    pub image: Reference,
    /// Who was asked last.
    pub server: String,
    /// What went wrong there.
    #[source]
    pub cause: Cause,
}

/// What went wrong with a registry.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// A registry's folder.
    #[error("`{}`", .path.display())]
    Hosts {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: BadHosts,
    },
    /// A file of certificates or keys.
    #[error("`{}` has not what it is named for", .path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ureq::Error,
    },
    /// Nobody may be asked.
    #[error("no host of this registry has the capabilities to resolve and to pull")]
    Nobody,
    /// No answer.
    #[error("`{server}` gives no answer")]
    Unreachable {
        /// Who.
        server: String,
        /// What was met.
        #[source]
        source: ureq::Error,
    },
    /// An answer other than yes.
    #[error("`{server}` answers {status}: {message}")]
    Refused {
        /// Who.
        server: String,
        /// The status of HTTP.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// It leads where nobody may follow.
    #[error("`{0}` is not followed to: it is no address, leads away from TLS, or in circles")]
    Astray(String),
    /// A token that is none.
    #[error("`{server}` gives no token")]
    NoToken {
        /// Who.
        server: String,
        /// What is wrong with its answer.
        #[source]
        source: serde_json::Error,
    },
    /// The line broke.
    #[error("the line broke after {got} bytes of sha256:{}", .digest.short())]
    Cut {
        /// Of what.
        digest: Digest,
        /// How many bytes came.
        got: u64,
        /// What was met.
        #[source]
        source: io::Error,
    },
    /// The line broke within a document.
    #[error("the line broke")]
    Lost(#[source] ureq::Error),
    /// Other bytes than they must be.
    #[error("wrong bytes: they are sha256:{found}, and must be sha256:{wanted}")]
    Digest {
        /// What they must be.
        wanted: Digest,
        /// What they are.
        found: Digest,
    },
    /// A document that is too long.
    #[error("a document of more than {0} bytes")]
    TooLong(u64),
    /// A document that cannot be used.
    #[error(transparent)]
    Document(#[from] BadDocument),
}

impl PullError {
    /// What says more of two servers that failed, the later one unless it gave no answer; the other goes into the log.
    pub(super) fn or(self: Box<Self>, later: Box<Self>) -> Box<Self> {
        let silent = matches!(later.cause, Cause::Unreachable { .. });
        let (more, less) = if silent { (self, later) } else { (later, self) };
        tracing::warn!(error = %chain(&*less), "another server was asked");
        more
    }
}

impl Cause {
    /// Whether another attempt may do better.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Cut { .. } | Self::Lost(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::Unreachable { source, .. } => match source {
                ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::BadUri(_) | ureq::Error::Http(_) => false,
                // What TLS objects to, by way of the connection.
                ureq::Error::Io(error) => error.kind() != io::ErrorKind::InvalidData,
                _ => true,
            },
            _ => false,
        }
    }

    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } if !self.passes() => Some(
                "if the registry has an authority of its own, name it with `ca` in the `hosts.toml` of `--registries`",
            ),
            Self::Unreachable { .. } => {
                Some("check name and network, or name a mirror in the `hosts.toml` of `--registries`")
            }
            Self::Refused { status: 401 | 403, .. } => {
                Some("give credentials: by `docker login`, or as a header in the `hosts.toml` of `--registries`")
            }
            Self::Refused { status: 404, .. } => Some("check the image's name and tag, and that the registry has it"),
            Self::Cut { .. } | Self::Lost(_) | Self::Refused { .. } => Some("run it again later"),
            Self::Digest { .. } => {
                Some("the registry or a mirror before it is damaged: name another in `--registries`")
            }
            Self::Document(BadDocument::Platform { .. }) => Some("choose another with `--platform`, or another image"),
            _ => None,
        }
    }
}
