//! Files that helm reads: repositories and credentials are told in them, as everybody sees a command line.

use std::{collections::BTreeMap, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::config::{Repository, Trust};

/// Text of helm's list of repositories (`repositories.yaml`; JSON is YAML).
#[must_use]
pub fn repositories(all: &[Repository]) -> String {
    let path = |path: Option<&PathBuf>| path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let entry = |known: &Repository| {
        let (proof, login) = (known.proof.as_ref(), known.login.as_ref());
        json!({
            "name": known.name,
            "url": known.url,
            "username": login.map_or("", |(name, _)| name),
            "password": login.map_or("", |(_, secret)| secret.reveal()),
            "caFile": path(known.ca.as_ref()),
            "certFile": path(proof.map(|(certificate, _)| certificate)),
            "keyFile": path(proof.map(|(_, key)| key)),
            "insecure_skip_tls_verify": known.trust == Trust::Blind,
        })
    };
    let entries: Vec<_> = all.iter().filter(|known| !known.is_registry()).map(entry).collect();
    format!("{:#}\n", json!({ "apiVersion": "", "repositories": entries }))
}

/// Text of a file of credentials for registries, in Docker's form.
#[must_use]
pub fn logins(all: &[Repository]) -> String {
    let login = |known: &Repository| {
        let host = known.url.strip_prefix("oci://")?.split('/').next()?.to_owned();
        let (name, secret) = known.login.as_ref()?;
        Some((host, json!({ "auth": STANDARD.encode(format!("{name}:{}", secret.reveal())) })))
    };
    let auths: BTreeMap<_, _> = all.iter().filter_map(login).collect();
    format!("{:#}\n", json!({ "auths": auths }))
}
