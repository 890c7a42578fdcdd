//! What this is.

/// The version of the distribution: that of Kubernetes in it, and our revision.
pub const VERSION: &str = "v1.36.3+sk8s.1";
