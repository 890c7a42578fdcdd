//! Kubeconfig files, written as plain text so that their bytes are ours to test.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::authority::Leaf;

/// How a cluster is reached.
#[derive(Clone, Copy, Debug)]
pub struct ClusterLink<'a> {
    /// The cluster's name in the file.
    pub name: &'a str,
    /// URL of the API server.
    pub server: &'a str,
    /// The authority that signed the server, PEM.
    pub ca_certificate: &'a str,
}

/// How the caller proves who it is.
#[derive(Clone, Copy, Debug)]
pub enum Credentials<'a> {
    /// The certificate and key are in the file.
    Inline(&'a Leaf),
    /// They are in files of their own, which Kubernetes' clients read again when they change.
    Files {
        /// Path of the certificate.
        certificate: &'a Path,
        /// Path of the private key.
        key: &'a Path,
    },
}

/// The text of a kubeconfig with one cluster, one user and one context of the form `user@cluster`.
#[must_use]
pub fn kubeconfig(link: &ClusterLink<'_>, user: &str, credentials: &Credentials<'_>) -> String {
    let ca = STANDARD.encode(link.ca_certificate);
    let ClusterLink { name, server, .. } = link;
    let (context, user) = (scalar(&format!("{user}@{name}")), scalar(user));
    let proof = match credentials {
        Credentials::Inline(leaf) => format!(
            "client-certificate-data: {}\n    client-key-data: {}",
            STANDARD.encode(&leaf.certificate),
            STANDARD.encode(&leaf.key)
        ),
        Credentials::Files { certificate, key } => {
            format!("client-certificate: {}\n    client-key: {}", certificate.display(), key.display())
        }
    };
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {ca}
users:
- name: {user}
  user:
    {proof}
contexts:
- name: {context}
  context:
    cluster: {name}
    user: {user}
current-context: {context}
"
    )
}

/// A name in YAML: in quotes where it could be taken for something else than a text.
fn scalar(name: &str) -> String {
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&name.to_lowercase().as_str());
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:@".contains(c);
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && !word && name.chars().all(plain) && !name.ends_with(':') {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ClusterLink, Credentials, kubeconfig};

    #[test]
    fn the_text_is_the_golden_one() {
        let link = ClusterLink { name: "shed", server: "https://127.0.0.1:6443", ca_certificate: "CA\n" };
        let files =
            Credentials::Files { certificate: Path::new("/pki/scheduler.crt"), key: Path::new("/pki/scheduler.key") };
        let text = kubeconfig(&link, "system:kube-scheduler", &files);
        assert_eq!(text, include_str!("../../golden/kubeconfig.yaml"));
    }

    #[test]
    fn it_is_yaml_with_the_named_context() {
        let link = ClusterLink { name: "shed", server: "https://10.0.0.1:6443", ca_certificate: "CA\n" };
        let files = Credentials::Files { certificate: Path::new("/a"), key: Path::new("/b") };
        let value: serde_yaml_ng::Value =
            serde_yaml_ng::from_str(&kubeconfig(&link, "admin", &files)).expect("our own text");
        assert_eq!(value["current-context"], "admin@shed");
        assert_eq!(value["clusters"][0]["cluster"]["certificate-authority-data"], "Q0EK");
    }

    #[test]
    fn a_user_is_a_text_whatever_the_name() {
        let link = ClusterLink { name: "shed", server: "https://10.0.0.1:6443", ca_certificate: "CA\n" };
        let files = Credentials::Files { certificate: Path::new("/a"), key: Path::new("/b") };
        for name in ["true", "NO", "7", "1e3", "ada:", "ada@farm.example", "system:masters"] {
            let text = kubeconfig(&link, name, &files);
            let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).expect("our own text");
            assert_eq!(value["users"][0]["name"], name);
            assert_eq!(value["contexts"][0]["context"]["user"], name);
            assert_eq!(value["current-context"], format!("{name}@shed"));
        }
    }
}
