//! What a cluster's file accepts, refuses and says about it.

use proptest::prelude::*;

use super::{Cluster, read};
use crate::{
    role::Role,
    seed::{Problems, Source, Workloads},
};

fn cluster(text: &str) -> Result<Cluster, Problems> {
    read(&Source::new("hosts.yaml"), text.as_bytes())
}

fn refusals(text: &str) -> String {
    match cluster(text) {
        Ok(cluster) => format!("accepted: {cluster:?}"),
        Err(problems) => problems.to_string(),
    }
}

/// Each case of the golden file: a cluster's file, a line `=>`, and what is said of it.
#[test]
fn refusals_are_golden() {
    let golden = include_str!("../../golden/cluster-refusals.txt");
    let said: Vec<String> = golden
        .split("\n\n")
        .map(|case| {
            let text = case.split("\n=>\n").next().unwrap_or_default();
            format!("{text}\n=>\n{}", refusals(text))
        })
        .collect();
    let said = said.join("\n\n") + "\n";
    assert!(said == golden, "golden/cluster-refusals.txt should be:\n{said}");
}

#[test]
fn a_full_file_is_read_and_written_as_it_was() {
    let text = include_str!("../../golden/cluster-full.yaml");
    let read = cluster(text).unwrap();
    assert_eq!(read.to_yaml().unwrap(), text);
    let tower = &read.spec.hosts[0];
    assert_eq!((tower.role.role(), tower.workloads()), (Role::Controller, Some(Workloads::All)));
    let servers: Vec<String> = tower.servers().iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.168.1.10", "tower.example.org:7443"]);
}

#[test]
fn a_controller_with_a_fixed_address_is_called_there() {
    let text = "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  hosts:\n  - name: a\n    role: single\n    network:\n    \
                - addresses: [10.0.0.5/24, \"fd00::5/64\"]\n";
    let servers: Vec<String> = cluster(text).unwrap().spec.hosts[0].servers().iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["10.0.0.5", "[fd00::5]"]);
}

const DOC: &str = include_str!("../../../docs/cluster.md");

#[test]
fn the_files_in_the_documentation_are_good() {
    let blocks = DOC.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let mut count = 0;
    for text in blocks {
        cluster(text).unwrap();
        count += 1;
    }
    assert!(count > 0);
}

proptest! {
    #[test]
    fn arbitrary_yaml_never_panics(text in "(apiVersion|spec|hosts|name|role|network|- |  |: |[a-z]{1,3}|\n|[0-9.:/]{1,5}|\\{|\\}|\\[|\\]|,){0,60}") {
        let _any = cluster(&text);
        let _any = cluster(&format!("apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  hosts:\n  {text}"));
    }
}
