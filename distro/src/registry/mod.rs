//! Images out of registries: the half of the distribution protocol that pulls (distribution-spec, "Pull").
//!
//! Nothing that a registry says is believed: every blob is measured by its digest, and none may be longer than its manifest says.

mod challenge;
mod client;
mod document;
mod download;
mod endpoint;
mod error;
mod hosts;
mod logins;
mod pull;
mod reference;
mod send;
mod trust;

pub use document::{BadDocument, Blob, Kind};
pub use endpoint::BadAddress;
pub use error::{Cause, PullError};
pub use hosts::BadHosts;
pub use logins::Logins;
pub use pull::{Document, Pulled, Registries};
pub use reference::{BadReference, Reference, Version};
