//! Where a cluster's objects are kept.

use serde::{Deserialize, Serialize};

use crate::storage::StorageType;

/// `spec.storage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// What keeps them.
    #[serde(rename = "type")]
    pub kind: StorageType,
}
