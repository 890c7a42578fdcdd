//! The cluster's public key infrastructure: two authorities, one token-signing key, a leaf per component.
//!
//! All keys are ECDSA P-256. Time is an argument everywhere; randomness comes only with new keys.

mod authority;
mod files;
mod folder;
mod identity;
mod keyring;
mod kubeconfig;
mod leaf;
mod moment;
mod renewal;
mod subject;

pub use authority::{Authority, CertError, Leaf, LeafRequest, Usage, key_print, new_key, signing_request};
pub use files::{Desk, EtcdUse, LOCAL_SERVER, PkiError, Shelf};
pub use folder::{Cluster, keyring_path, load, load_keyring, load_or_make, save_keyring};
pub use identity::{Identity, KeyPairPem, admin};
pub use keyring::{Key, Keyring, NoRandomness, Stage};
pub use kubeconfig::{ClusterLink, Credentials, kubeconfig};
pub use leaf::{CONTROLLER_NAME, LeafId, NODE_USER, Shared, Signer, kube_proxy, kubelet_client, kubelet_server};
pub use moment::{CLOCK_FLOOR, UnixTime};
pub use renewal::{Held, Reason, due};
pub use subject::{BadSubject, Subject};

#[cfg(test)]
mod tests;
