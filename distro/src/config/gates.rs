//! Features of Kubernetes that an owner turns on or off: `spec.featureGates`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use skerry_formats::hint;

/// What is turned on or off, by component and by feature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureGates(BTreeMap<&'static str, BTreeMap<String, bool>>);

/// One of `spec.featureGates` as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGate {
    /// The feature.
    pub name: String,
    /// On or off.
    pub enabled: bool,
    /// Where; everywhere if absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<String>>,
}

/// The components that have feature gates.
pub const COMPONENTS: [&str; 5] =
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

/// A feature gate that cannot be set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadGate {
    /// Kubernetes has none of that name: components would end at once.
    #[error("unknown feature: `{name}`{}", .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Unknown {
        /// What was written.
        name: String,
        /// The known one nearest to it.
        near: Option<&'static str>,
    },
    /// No component with feature gates.
    #[error("{name}: unknown component: `{component}`; known: `{}`", COMPONENTS.join("`, `"))]
    Component {
        /// The feature.
        name: String,
        /// What was written.
        component: String,
    },
    /// One feature, two answers.
    #[error("{name}: both on and off in {component}")]
    Twice {
        /// The feature.
        name: String,
        /// Where.
        component: &'static str,
    },
}

/// Every feature that the components of this version know, one a line.
const KNOWN: &str = include_str!("gates.txt");

impl FeatureGates {
    /// Checks `spec.featureGates`.
    ///
    /// # Errors
    /// Every gate that cannot be set.
    pub fn validate(raw: &[RawGate]) -> Result<Self, Vec<BadGate>> {
        let (mut gates, mut problems) = (Self::default(), Vec::new());
        for gate in raw {
            if !KNOWN.lines().any(|known| known == gate.name) {
                let near = hint::nearest(&gate.name, KNOWN.lines());
                problems.push(BadGate::Unknown { name: gate.name.clone(), near });
            }
            let (known, unknown) = places(gate);
            problems.extend(unknown);
            for component in known {
                let before = gates.0.entry(component).or_default().insert(gate.name.clone(), gate.enabled);
                if before.is_some_and(|before| before != gate.enabled) {
                    problems.push(BadGate::Twice { name: gate.name.clone(), component });
                }
            }
        }
        if problems.is_empty() { Ok(gates) } else { Err(problems) }
    }

    /// Every feature that components know.
    pub fn known() -> impl Iterator<Item = &'static str> {
        KNOWN.lines()
    }

    /// What is turned on or off in a component; `None` if nothing is.
    #[must_use]
    pub fn of(&self, component: &str) -> Option<&BTreeMap<String, bool>> {
        self.0.get(component)
    }
}

fn places(gate: &RawGate) -> (Vec<&'static str>, Vec<BadGate>) {
    let words = gate.components.as_deref().unwrap_or_default();
    if words.is_empty() {
        return (COMPONENTS.into(), Vec::new());
    }
    let find = |word: &String| COMPONENTS.into_iter().find(|known| known == word);
    let bad = |word: &&String| find(word).is_none();
    let unknown = words.iter().filter(bad).map(|component| {
        let component = component.clone();
        BadGate::Component { name: gate.name.clone(), component }
    });
    (words.iter().filter_map(find).collect(), unknown.collect())
}

#[cfg(test)]
mod tests {
    use super::{COMPONENTS, FeatureGates};

    fn gates(yaml: &str) -> Result<FeatureGates, Vec<String>> {
        let raw: Vec<super::RawGate> = serde_yaml_ng::from_str(yaml).expect("well-formed");
        FeatureGates::validate(&raw).map_err(|bad| bad.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_gate_without_components_is_for_all() {
        let gates =
            gates("[{name: AllAlpha, enabled: true}, {name: MemoryQoS, enabled: false, components: [kubelet]}]");
        let gates = gates.expect("valid");
        for component in COMPONENTS {
            assert!(gates.of(component).is_some_and(|set| set["AllAlpha"]), "{component}");
        }
        assert!(gates.of("kubelet").is_some_and(|set| !set["MemoryQoS"]));
        assert!(gates.of("kube-proxy").is_some_and(|set| !set.contains_key("MemoryQoS")));
    }

    #[test]
    fn every_problem_is_told() {
        let yaml = "[{name: MemoryQos, enabled: true}, {name: MemoryQoS, enabled: true, components: [etcd, kubelet]}, \
                    {name: MemoryQoS, enabled: false, components: [kubelet]}]";
        let wanted = [
            "unknown feature: `MemoryQos`; did you mean `MemoryQoS`?",
            "MemoryQoS: unknown component: `etcd`; known: `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, \
             `kubelet`, `kube-proxy`",
            "MemoryQoS: both on and off in kubelet",
        ];
        assert_eq!(gates(yaml).expect_err("refused"), wanted);
    }
}
