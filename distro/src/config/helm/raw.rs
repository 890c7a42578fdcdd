//! `spec.extensions` as written.

use serde::{Deserialize, Serialize};
use serde_yaml_ng::Value;
use skerry_formats::seed::Secret;

use crate::config::raw::{Text, absent};

/// `spec.extensions` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawExtensions {
    /// Charts.
    #[serde(default, deserialize_with = "absent")]
    pub helm: RawHelm,
    /// k0s's storage provider.
    #[serde(default)]
    pub storage: Value,
}

/// `spec.extensions.helm` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawHelm {
    /// How many charts of one order are brought into the cluster at once.
    pub concurrency_level: Option<u32>,
    /// Where charts come from.
    pub repositories: Option<Vec<RawRepository>>,
    /// What is to be in the cluster.
    pub charts: Option<Vec<RawChart>>,
}

/// One of `spec.extensions.helm.repositories` as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawRepository {
    /// What charts call it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The authority of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// What we prove ourselves with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<String>,
    /// Its key.
    #[serde(rename = "keyfile", skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Whether its certificate is not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
    /// Who we are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// With which password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// One of `spec.extensions.helm.charts` as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawChart {
    /// The release's name.
    pub name: String,
    /// The chart.
    pub chartname: String,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// A map, or the text of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Value>,
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How long it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i32>,
    /// Whether objects that cannot be changed are made anew.
    #[serde(rename = "forceUpgrade", skip_serializing_if = "Option::is_none")]
    pub force_upgrade: Option<bool>,
}
