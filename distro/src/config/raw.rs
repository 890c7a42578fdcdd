//! `sk8s.yaml` as written: every key optional, an unknown key an error.

use std::collections::BTreeMap;

use serde::Deserialize;
use skerry_formats::hint;

/// The file's `apiVersion`.
pub(super) const API_VERSION: &str = "sk8s.skerry.dev/v1";

/// A configuration that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is no configuration.
    #[error("configuration{}: {message}{}", .line.map(|l| format!(" line {l}")).unwrap_or_default(),
        .near.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Text {
        /// Line of the mistake, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
        /// The known key nearest to an unknown one.
        near: Option<String>,
    },
    /// It is a configuration of something else.
    #[error("configuration: `{key}` is `{found}`; wanted: `{wanted}`")]
    Other {
        /// `apiVersion` or `kind`.
        key: &'static str,
        /// What was written.
        found: String,
        /// What is understood.
        wanted: &'static str,
    },
}

/// The keys of a configuration, each as it was written or absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Raw {
    api_version: Option<String>,
    kind: Option<String>,
    /// Who the cluster is.
    #[serde(default)]
    pub metadata: Metadata,
    /// How it is to be.
    #[serde(default)]
    pub spec: Spec,
}

/// `metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The cluster's name.
    pub name: Option<String>,
}

/// `spec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The API server.
    #[serde(default)]
    pub api: Api,
    /// The cluster's network.
    #[serde(default)]
    pub network: Network,
    /// This node.
    #[serde(default)]
    pub node: Node,
}

/// `spec.api`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Names and addresses that the API server's certificate is good for, beyond the node's own.
    pub sans: Option<Vec<String>>,
}

/// `spec.network`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Where pods get their addresses.
    #[serde(rename = "podCIDR")]
    pub pod_cidr: Option<String>,
    /// Where services get their addresses.
    #[serde(rename = "serviceCIDR")]
    pub service_cidr: Option<String>,
    /// DNS domain of the cluster.
    #[serde(rename = "clusterDomain")]
    pub cluster_domain: Option<String>,
}

/// `spec.node`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The node's name; its host name if absent.
    pub name: Option<String>,
    /// Labels it registers with.
    pub labels: Option<BTreeMap<String, String>>,
    /// Taints it registers with, each `key=value:Effect` or `key:Effect`.
    pub taints: Option<Vec<String>>,
}

impl Raw {
    /// Reads the YAML text of a configuration; an empty one has no keys.
    ///
    /// # Errors
    /// If it is no YAML, of another kind, or has an unknown key.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let raw: Self = serde_yaml_ng::from_str(text).map_err(|error| explain(&error))?;
        is("apiVersion", raw.api_version.as_deref(), API_VERSION)?;
        is("kind", raw.kind.as_deref(), "ClusterConfig")?;
        Ok(raw)
    }

    /// These keys, and where one is absent, that of `base`.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        Self {
            api_version: self.api_version.or(base.api_version),
            kind: self.kind.or(base.kind),
            metadata: Metadata { name: self.metadata.name.or(base.metadata.name) },
            spec: Spec {
                api: Api { sans: self.spec.api.sans.or(base.spec.api.sans) },
                network: Network {
                    pod_cidr: self.spec.network.pod_cidr.or(base.spec.network.pod_cidr),
                    service_cidr: self.spec.network.service_cidr.or(base.spec.network.service_cidr),
                    cluster_domain: self.spec.network.cluster_domain.or(base.spec.network.cluster_domain),
                },
                node: Node {
                    name: self.spec.node.name.or(base.spec.node.name),
                    labels: self.spec.node.labels.or(base.spec.node.labels),
                    taints: self.spec.node.taints.or(base.spec.node.taints),
                },
            },
        }
    }
}

fn is(key: &'static str, found: Option<&str>, wanted: &'static str) -> Result<(), ConfigError> {
    match found {
        Some(found) if found != wanted => Err(ConfigError::Other { key, found: found.to_owned(), wanted }),
        _ => Ok(()),
    }
}

/// serde's words for an unknown key list the known ones in back-ticks: the nearest of them is the hint.
fn explain(error: &serde_yaml_ng::Error) -> ConfigError {
    let line = error.location().map(|at| at.line());
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or_default().to_owned();
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let near = match words.split_first() {
        Some((unknown, known)) if message.contains("unknown field") => {
            let alike = known.iter().copied().find(|known| known.eq_ignore_ascii_case(unknown));
            alike.or_else(|| hint::nearest(unknown, known.iter().copied())).map(ToOwned::to_owned)
        }
        _ => None,
    };
    ConfigError::Text { line, message, near }
}

#[cfg(test)]
mod tests {
    use super::Raw;

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
        let text = "apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig\nspec:\n  network:\n    podCidr: 10.0.0.0/16\n";
        let error = Raw::parse(text).expect_err("a misspelt key").to_string();
        assert_eq!(
            error,
            "configuration line 5: spec.network: unknown field `podCidr`, expected one of `podCIDR`, `serviceCIDR`, \
             `clusterDomain`; did you mean `podCIDR`?"
        );
    }

    #[test]
    fn another_kind_is_refused() {
        let error = Raw::parse("apiVersion: sk8s.skerry.dev/v1\nkind: Pod\n").expect_err("a pod").to_string();
        assert_eq!(error, "configuration: `kind` is `Pod`; wanted: `ClusterConfig`");
    }

    #[test]
    fn the_later_source_wins_key_by_key() {
        let file = Raw::parse("metadata: {name: shed}\nspec: {node: {name: one}}").expect("valid");
        let flags = Raw::parse("spec: {node: {name: two}}").expect("valid");
        let merged = flags.over(file);
        assert_eq!(merged.spec.node.name.as_deref(), Some("two"));
        assert_eq!(merged.metadata.name.as_deref(), Some("shed"));
    }

    #[test]
    fn an_empty_file_has_no_keys() {
        assert_eq!(Raw::parse("# nothing\n\n").expect("valid"), Raw::default());
    }
}
