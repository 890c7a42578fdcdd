//! The built-in objects.

use crate::config::Settings;

/// The manifest of a single node: what kube-apiserver may ask of kubelets, and the cluster's DNS.
#[must_use]
pub fn builtin(settings: &Settings, coredns: &str) -> String {
    let dns = include_str!("coredns.yaml")
        .replace("{domain}", settings.domain.as_str())
        .replace("{address}", &settings.dns_address().to_string())
        .replace("{image}", coredns);
    [include_str!("rbac.yaml"), &dns].join("---\n")
}

/// The label that shows a node's role to people; only the cluster may set it, and only once the node is there.
#[must_use]
pub fn role_label(settings: &Settings) -> String {
    let node = &settings.node;
    format!(
        "apiVersion: v1
kind: Node
metadata:
  name: {node}
  labels:
    node-role.kubernetes.io/control-plane: \"\"
"
    )
}

#[cfg(test)]
mod tests {
    use super::{builtin, role_label};
    use crate::{
        config::{Raw, Settings},
        manifests::objects,
    };

    #[test]
    fn every_placeholder_is_filled() {
        let settings = Settings::validate(&Raw::default(), "barn").expect("defaults");
        let text = builtin(&settings, "localhost/sk8s/coredns:1");
        let kinds: Vec<_> = objects(&text).expect("valid").into_iter().map(|object| object.kind).collect();
        let wanted = [
            "ClusterRoleBinding",
            "ClusterRoleBinding",
            "ClusterRole",
            "ClusterRoleBinding",
            "ServiceAccount",
            "ClusterRole",
            "ClusterRoleBinding",
            "ConfigMap",
            "Deployment",
            "Service",
        ];
        assert_eq!(kinds, wanted);
        assert_eq!(objects(&role_label(&settings)).expect("valid")[0].name, "barn");
        for left in ["{domain}", "{address}", "{image}"] {
            assert!(!text.contains(left), "{left}");
        }
    }
}
