//! The built-in objects.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    component::METRICS_PORT,
    config::{Provider, Settings},
    link::METRICS_SERVER,
};

/// The manifest of a single node: what kube-apiserver may ask of kubelets, and the cluster's DNS where pods have a network
/// to ask it over.
#[must_use]
pub fn builtin(settings: &Settings, coredns: &str) -> String {
    if settings.provider == Provider::None {
        return include_str!("rbac.yaml").to_owned();
    }
    let dns = include_str!("coredns.yaml")
        .replace("{domain}", settings.domain.as_str())
        .replace("{address}", &settings.dns_address().to_string())
        .replace("{policy}", settings.images.pull_policy.as_str())
        .replace("{image}", coredns);
    [include_str!("rbac.yaml"), &dns].join("---\n")
}

/// What makes metrics-server a part of the API; `authority` is the certificate, PEM, that its own is believed for.
#[must_use]
pub fn metrics_server(authority: &str) -> String {
    include_str!("metrics.yaml")
        .replace("{host}", METRICS_SERVER)
        .replace("{port}", &METRICS_PORT.to_string())
        .replace("{authority}", &STANDARD.encode(authority))
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
    use super::{builtin, metrics_server, role_label};
    use crate::{
        config::{Raw, Settings},
        manifests::objects,
    };

    #[test]
    fn without_a_network_there_is_no_dns() {
        let raw = Raw::parse("spec: {network: {provider: none}}").expect("well-formed");
        let text = builtin(&Settings::validate(&raw, "barn").expect("valid"), "localhost/sk8s/coredns:1");
        assert!(!text.contains("coredns") && text.contains("ClusterRoleBinding"));
    }

    #[test]
    fn metrics_have_a_service_beside_the_api_and_their_own_come_last() {
        let found = objects(&metrics_server("PEM")).expect("valid");
        let last = found.last().expect("some");
        assert_eq!((last.kind.as_str(), last.name.as_str()), ("APIService", "v1beta1.metrics.k8s.io"));
        assert_eq!(last.value["spec"]["caBundle"], "UEVN");
        assert_eq!(last.value["spec"]["service"]["port"], 10262);
        assert!(
            found.iter().all(|object| object.value["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "sk8s")
        );
    }

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
            "Role",
            "RoleBinding",
            "ServiceAccount",
            "ClusterRole",
            "ClusterRoleBinding",
            "ConfigMap",
            "Deployment",
            "Service",
        ];
        assert_eq!(kinds, wanted);
        assert_eq!(objects(&role_label(&settings)).expect("valid")[0].name, "barn");
        for left in ["{domain}", "{address}", "{image}", "{policy}"] {
            assert!(!text.contains(left), "{left}");
        }
    }
}
