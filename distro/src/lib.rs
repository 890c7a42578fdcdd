//! sk8s, the Kubernetes distribution: it makes keys, writes configuration and supervises upstream's components.

pub mod pki;
