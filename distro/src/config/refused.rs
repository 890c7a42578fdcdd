//! Sections that k0s has and sk8s has not: known, so that each can be refused with what to do instead.

use serde_yaml_ng::Value;

use super::raw::Spec;

/// A section that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadSection {
    /// k0s's tunnel.
    #[error("konnectivity: there is none: sk8s' own link carries logs and exec over port 6443; leave the section out")]
    Konnectivity,
    /// A report that nobody gets.
    #[error("telemetry: there is none: only `enabled: false` is understood")]
    Telemetry,
    /// A storage provider.
    #[error("extensions.storage: there is none: install one from a chart or from manifests; leave the section out")]
    Storage,
}

/// What these sections ask for that is not there.
pub(super) fn problems(spec: &Spec) -> Vec<BadSection> {
    let mut problems = Vec::new();
    if !is_empty(&spec.konnectivity) {
        problems.push(BadSection::Konnectivity);
    }
    let off = |map: &serde_yaml_ng::Mapping| map.len() == 1 && map.get("enabled") == Some(&false.into());
    if !is_empty(&spec.telemetry) && !spec.telemetry.as_mapping().is_some_and(off) {
        problems.push(BadSection::Telemetry);
    }
    if !is_empty(&spec.extensions.storage) {
        problems.push(BadSection::Storage);
    }
    problems
}

/// Whether a value says nothing: absent, or a map or list of nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Mapping(map) => map.values().all(is_empty),
        Value::Sequence(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::BadSection;

    fn problems(yaml: &str) -> Vec<BadSection> {
        super::problems(&serde_yaml_ng::from_str(yaml).expect("well-formed"))
    }

    #[test]
    fn sections_that_ask_for_nothing_pass() {
        assert_eq!(
            problems(
                "{konnectivity: {}, telemetry: {enabled: false}, extensions: {storage: {}, helm: {charts: [], repositories: }}}"
            ),
            []
        );
    }

    #[test]
    fn sections_that_ask_for_something_are_refused() {
        let yaml = "{konnectivity: {agentPort: 8132}, telemetry: {enabled: true}, extensions: {storage: {type: none}}}";
        let wanted = [BadSection::Konnectivity, BadSection::Telemetry, BadSection::Storage];
        assert_eq!(problems(yaml), wanted);
    }
}
