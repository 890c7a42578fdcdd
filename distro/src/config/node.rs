//! A node's name, labels and taints, checked by Kubernetes' own rules before Kubernetes sees them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use skerry_formats::text_type;

/// What is wrong with a node's name, label or taint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadNode {
    /// No DNS name.
    #[error("not a node name: `{0}`; wanted: lower-case letters, digits, `-` and `.`, at most 63")]
    Name(String),
    /// A name by which others than nodes prove themselves.
    #[error("`{0}` cannot be a node's name: certificates of the cluster use it for something else")]
    Taken(String),
    /// No label.
    #[error("not a label: `{0}`; wanted: `key=value` in Kubernetes' alphabet")]
    Label(String),
    /// A label that kube-apiserver lets no kubelet set.
    #[error("label `{0}` is reserved: a node may not give itself `kubernetes.io` and `k8s.io` labels")]
    Reserved(String),
    /// No taint.
    #[error("not a taint: `{0}`; wanted: `key=value:Effect` with NoSchedule, PreferNoSchedule or NoExecute")]
    Taint(String),
}

/// A node's name: a DNS subdomain of at most 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// One `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The key, with or without a prefix.
    pub key: String,
    /// The value; may be empty.
    pub value: String,
}

/// One `key=value:Effect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// Key and value.
    pub label: Label,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

text_type!(NodeName);

impl FromStr for NodeName {
    type Err = BadNode;

    fn from_str(text: &str) -> Result<Self, BadNode> {
        if !is_subdomain(text) || text.len() > 63 {
            return Err(BadNode::Name(short(text)));
        }
        let taken = |name: &str| text == name || text.starts_with(&format!("{name}."));
        if taken("kubernetes") || text == "localhost" || text.ends_with(".sk8s.internal") {
            return Err(BadNode::Taken(short(text)));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Label {
    /// A checked label.
    ///
    /// # Errors
    /// If key or value break Kubernetes' rules, or the key is one that only the cluster may set.
    pub fn new(key: &str, value: &str) -> Result<Self, BadNode> {
        let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
        let fits = prefix.is_none_or(is_subdomain) && is_qualified(name) && (value.is_empty() || is_qualified(value));
        if !fits {
            return Err(BadNode::Label(short(&format!("{key}={value}"))));
        }
        let under = |domain: &str| prefix.is_some_and(|p| p == domain || p.ends_with(&format!(".{domain}")));
        let allowed = ["node.kubernetes.io", "kubelet.kubernetes.io"];
        let open = prefix.is_some_and(|p| allowed.iter().any(|a| p == *a || p.ends_with(&format!(".{a}"))));
        let topology = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"].contains(&key);
        if (under("kubernetes.io") || under("k8s.io")) && !open && !topology {
            return Err(BadNode::Reserved(short(key)));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

impl FromStr for Taint {
    type Err = BadNode;

    fn from_str(text: &str) -> Result<Self, BadNode> {
        let bad = || BadNode::Taint(short(text));
        let (label, effect) = text.rsplit_once(':').ok_or_else(bad)?;
        if !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) {
            return Err(bad());
        }
        let (key, value) = label.split_once('=').unwrap_or((label, ""));
        let name = key.split_once('/').map_or(key, |(_, name)| name);
        if !is_qualified(name) || !(value.is_empty() || is_qualified(value)) {
            return Err(bad());
        }
        let label = Label { key: key.to_owned(), value: value.to_owned() };
        Ok(Self { label, effect: effect.to_owned() })
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

pub(super) fn is_subdomain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        part.starts_with(plain)
            && part.ends_with(plain)
            && part.len() <= 63
            && part.chars().all(|c| plain(c) || c == '-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

fn is_qualified(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    (1..=63).contains(&text.len())
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::{BadNode, Label, NodeName, Taint};

    #[test]
    fn a_role_label_is_reserved_to_the_cluster() {
        let error = Label::new("node-role.kubernetes.io/worker", "").expect_err("reserved");
        assert_eq!(error, BadNode::Reserved("node-role.kubernetes.io/worker".into()));
        assert!(Label::new("topology.kubernetes.io/zone", "barn").is_ok());
    }

    #[test]
    fn a_label_with_a_comma_is_refused() {
        assert!(matches!(Label::new("a", "b,c=d"), Err(BadNode::Label(_))));
    }

    #[test]
    fn a_taint_needs_a_known_effect() {
        assert!("dedicated=db:NoSchedule".parse::<Taint>().is_ok());
        assert!("dedicated:NoExecute".parse::<Taint>().is_ok());
        assert!("dedicated=db:Never".parse::<Taint>().is_err());
    }

    #[test]
    fn a_node_name_is_a_dns_name() {
        assert!("barn-1.local".parse::<NodeName>().is_ok());
        for bad in ["", "Barn", "-barn", "barn..x", "barn_1"] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_node_can_have_a_name_by_which_the_api_proves_itself() {
        for taken in ["localhost", "kubernetes", "kubernetes.default.svc", "controller.sk8s.internal"] {
            assert!(matches!(taken.parse::<NodeName>(), Err(BadNode::Taken(_))), "{taken}");
        }
        assert!("kubernetes-1".parse::<NodeName>().is_ok());
    }
}
