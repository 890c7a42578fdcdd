//! Whether the API says what nodes and pods use: `spec.metricsServer`.

use serde::{Deserialize, Serialize};

/// Whether metrics-server runs beside each kube-apiserver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsServer {
    /// It does not: what it takes of a small machine is left to others.
    #[default]
    Off,
    /// It does.
    On,
}

/// `spec.metricsServer` as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMetricsServer {
    enabled: Option<bool>,
}

impl RawMetricsServer {
    /// Whether nothing was written.
    pub(super) const fn is_absent(&self) -> bool {
        self.enabled.is_none()
    }
}

impl From<&RawMetricsServer> for MetricsServer {
    fn from(raw: &RawMetricsServer) -> Self {
        if raw.enabled.unwrap_or_default() { Self::On } else { Self::Off }
    }
}
