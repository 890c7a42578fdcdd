//! `sk8s.yaml` as written: every key optional, an unknown key an error.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_yaml_ng::Value;
use skerry_formats::hint;

use super::storage::RawStorage;

/// The file's `apiVersion`.
const API_VERSION: &str = "sk8s.skerry.dev/v1";

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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Raw {
    api_version: Option<String>,
    kind: Option<String>,
    /// Who the cluster is.
    #[serde(default, deserialize_with = "absent")]
    pub metadata: Metadata,
    /// How it is to be.
    #[serde(default, deserialize_with = "absent")]
    pub spec: Spec,
}

/// `metadata`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The cluster's name.
    pub name: Option<String>,
}

/// `spec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The API server.
    #[serde(default, deserialize_with = "absent")]
    pub api: Api,
    /// The cluster's network.
    #[serde(default, deserialize_with = "absent")]
    pub network: Network,
    /// Where objects are kept.
    #[serde(default, deserialize_with = "absent")]
    pub storage: RawStorage,
    /// This node.
    #[serde(default, deserialize_with = "absent")]
    pub node: Node,
}

/// `spec.api`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Names and addresses that the API server's certificate is good for, beyond the node's own.
    pub sans: Option<Vec<String>>,
}

/// `spec.network`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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

    /// These keys, and where one is absent, that of `base`. Maps are merged key by key, lists are not.
    ///
    /// # Errors
    /// If the two do not make a configuration together, which two of them always do.
    pub fn over(self, base: Self) -> Result<Self, ConfigError> {
        let value = |raw: Self| serde_yaml_ng::to_value(raw).map_err(|error| explain(&error));
        let merged = merge(value(self)?, value(base)?);
        serde_yaml_ng::from_value(merged).map_err(|error| explain(&error))
    }
}

/// A value over another. What is null was not written.
fn merge(over: Value, base: Value) -> Value {
    match (over, base) {
        (Value::Null, base) => base,
        (Value::Mapping(over), Value::Mapping(mut base)) => {
            for (key, value) in over {
                let below = base.remove(&key).unwrap_or_default();
                base.insert(key, merge(value, below));
            }
            Value::Mapping(base)
        }
        (over, _) => over,
    }
}

/// A section that may be there without a value: its keys are absent then.
pub(super) fn absent<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// A text that may be written as a number or a truth value, as the values of flags are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text(String);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyText)
    }
}

struct AnyText;

impl de::Visitor<'_> for AnyText {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, in quotes unless it is a whole number, `true` or `false`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
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
        let merged = flags.over(file).expect("mergeable");
        assert_eq!(merged.spec.node.name.as_deref(), Some("two"));
        assert_eq!(merged.metadata.name.as_deref(), Some("shed"));
    }

    #[test]
    fn an_empty_file_has_no_keys() {
        assert_eq!(Raw::parse("# nothing\n\n").expect("valid"), Raw::default());
    }
}
