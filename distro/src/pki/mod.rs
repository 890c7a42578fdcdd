//! The cluster's public key infrastructure: two authorities, one token-signing key, a leaf per component.
//!
//! All keys are ECDSA P-256. Time is an argument everywhere; randomness comes only with new keys.

mod authority;
mod identity;
mod kubeconfig;
mod moment;

pub use authority::{Authority, CertError, Leaf, LeafRequest, Usage};
pub use identity::{Identity, KeyPairPem};
pub use kubeconfig::{ClusterLink, Credentials, kubeconfig};
pub use moment::{CLOCK_FLOOR, UnixTime};
