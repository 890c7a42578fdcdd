//! The file of hosts, as far as sk8s' configuration is in it.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;
use skerry_formats::{
    cluster::{
        self, Cluster, Host,
        k0sctl::{self, ImportError},
    },
    duty::Duty,
    seed::{KeyPath, Problem, Problems, Source},
};

use crate::{
    config::{self, Misfit, Weight},
    supervisor::chain,
};

/// What became of a k0sctl.yaml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The text of the file of hosts.
    pub text: String,
    /// What was not carried over or needs a look, a line each.
    pub remarks: Vec<String>,
}

/// Reads a file of hosts, with what it passes on to sk8s.
///
/// # Errors
/// All that is wrong with it.
pub fn read(source: &Source, bytes: &[u8]) -> Result<Cluster, Problems> {
    let cluster = cluster::read(source, bytes)?;
    // It was read as text just now.
    let text = String::from_utf8_lossy(bytes);
    let found: BTreeSet<(KeyPath, String)> =
        cluster.spec.hosts.iter().enumerate().flat_map(|(index, host)| misfits(&cluster, (index, host))).collect();
    let mut problems: Vec<Problem> =
        found.into_iter().map(|(path, why)| Problem::of_value(source, &text, path, why)).collect();
    problems.sort_by_key(|problem| problem.line);
    Problems::none_in(problems)?;
    Ok(cluster)
}

/// What sk8s would refuse of a host's configuration, each at its place in the file.
fn misfits(cluster: &Cluster, (index, host): (usize, &Host)) -> Vec<(KeyPath, String)> {
    if !host.role.controls() && host.config.is_empty() {
        return Vec::new();
    }
    // A worker's own keys lie over what its controllers tell it.
    let as_controller = Host { role: Duty::Controller, ..host.clone() };
    let mut wish = cluster.wish(&as_controller);
    wish.node.name = Some(&host.name);
    let spec = KeyPath::default().key("spec");
    let place = |misfit: Misfit| {
        let first = misfit.keys.first().map(String::as_str).unwrap_or_default();
        let at = match (host.config.has(first), cluster.spec.config.has(first)) {
            (true, _) => spec.key("hosts").item(index).key("config"),
            (false, true) => spec.key("config"),
            (false, false) => spec.clone(),
        };
        (misfit.keys.iter().fold(at, |path, key| path.key(key)), misfit.why)
    };
    config::misfits(&wish).into_iter().map(place).collect()
}

/// Makes a file of hosts of a k0sctl.yaml, k0s' own configuration in it included.
///
/// # Errors
/// If the text is not k0sctl's.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    let k0sctl::Imported { mut cluster, config, mut remarks } = k0sctl::import(text)?;
    if let Some(config) = config {
        pass_on(&config, &mut cluster, &mut remarks);
    }
    let text = cluster.to_yaml()?;
    // What the file needs before a cluster can be made of it.
    let unfinished = read(&Source::new("the file printed"), text.as_bytes()).err();
    remarks.extend(unfinished.iter().flat_map(Problems::iter).map(ToString::to_string));
    Ok(Imported { text, remarks })
}

fn pass_on(k0s: &Value, cluster: &mut Cluster, remarks: &mut Vec<String>) {
    let at = "spec.k0s.config";
    let converted =
        serde_yaml_ng::to_string(k0s).map_err(config::ImportError::Yaml).and_then(|text| config::import(&text));
    let converted = match converted {
        Ok(converted) => converted,
        Err(error) => return remarks.push(format!("`{at}`: not carried over: {}", chain(&error))),
    };
    let told = converted.remarks.iter().filter(|remark| remark.weight != Weight::Refused && !is_said(&remark.key));
    remarks.extend(told.map(|remark| format!("`{at}.{}`: {}", remark.key, remark.text)));
    let made: Value = serde_yaml_ng::from_str(&converted.text).unwrap_or_default();
    if let Some(Value::Mapping(spec)) = made.get("spec") {
        cluster.pass_on(spec.clone());
    }
}

/// Keys of k0s' that the file of hosts has words of its own for, and that were carried over with these.
fn is_said(key: &str) -> bool {
    ["metadata.name", "spec.network.podCIDR", "spec.network.serviceCIDR", "spec.network.clusterDomain"].contains(&key)
}

#[cfg(test)]
mod tests {
    use skerry_formats::seed::Source;

    use super::{import, read};

    fn refusals(config: &str) -> String {
        let text = format!(
            "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  network: {{podCIDR: 10.96.0.0/16}}\n{config}  hosts:\n  - \
             {{name: tower, role: controller+worker, addresses: [192.0.2.1]}}\n  - name: barn\n    role: worker\n    config:\n      \
             node: {{profile: small}}\n"
        );
        read(&Source::new("hosts.yaml"), text.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_sk8s_would_refuse_is_told_with_its_line() {
        let config = "  config:\n    network:\n      provider: cilium\n    workerProfiles:\n    - {name: smal, values: {maxPods: 9}}\n";
        crate::golden::check("cluster-misfits.txt", &(refusals(config) + "\n"));
    }

    #[test]
    fn a_worker_may_follow_a_profile_that_the_controllers_tell_it() {
        let config = "  config:\n    workerProfiles:\n    - {name: small, values: {maxPods: 9}}\n";
        let said = refusals(config);
        assert!(!said.contains("profile"), "{said}");
    }

    #[test]
    fn sk8s_takes_what_the_files_in_the_documentation_pass_on() {
        for doc in [include_str!("../../../docs/cluster.md"), include_str!("../../../docs/hosts.md")] {
            let blocks = doc.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
            for text in blocks {
                let said = read(&Source::new("documentation"), text.as_bytes()).err();
                assert_eq!(said.map(|problems| problems.to_string()), None);
            }
        }
    }

    #[test]
    fn a_k0sctl_file_is_imported_and_what_is_left_is_told() {
        let imported = import(include_str!("../../golden/k0sctl.yaml")).expect("k0sctl's");
        crate::golden::check("k0sctl-imported.yaml", &imported.text);
        crate::golden::check("k0sctl-imported.txt", &(imported.remarks.join("\n") + "\n"));
    }
}
