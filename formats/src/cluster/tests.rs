//! What a cluster's file accepts, refuses and says about it.

use proptest::prelude::*;

use super::{Cluster, k0sctl, read};
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
fn a_token_has_room_for_the_addresses_of_all_controllers() {
    let host = |name: &str, first: usize, count: usize| {
        let addresses: Vec<String> = (first..first + count).map(|number| format!("10.0.0.{number}")).collect();
        format!("  - {{name: {name}, role: controller, addresses: [{}]}}\n", addresses.join(", "))
    };
    let head = "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  storage: {type: etcd}\n  hosts:\n";
    let of = |second| format!("{head}{}{}", host("a", 1, 9), host("b", 20, second));
    assert_eq!(cluster(&of(7)).map(|cluster| cluster.controllers().count()), Ok(2));
    assert_eq!(
        refusals(&of(8)),
        "hosts.yaml, line 7: `spec.hosts[1].addresses`: the controllers have 17 up to here; the most is 16"
    );
}

#[test]
fn controllers_share_an_etcd_or_a_database() {
    let of = |source: &str| {
        format!(
            "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  config: {{storage: {{kine: {{dataSource: '{source}'}}}}}}\n  \
             hosts:\n  - {{name: a, role: controller, addresses: [10.0.0.1]}}\n  - {{name: b, role: controller, addresses: \
             [10.0.0.2]}}\n"
        )
    };
    assert!(cluster(&of("mysql://root:x@tcp(db)/a")).is_ok());
    assert!(refusals(&of("sqlite")).contains("needs a datastore that both share"));
}

#[test]
fn a_worker_is_passed_on_its_own_keys_and_a_controller_those_of_all_too() {
    let text = "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  config: {api: {extraArgs: {v: 2}}, node: {profile: big}}\n  \
                hosts:\n  - {name: a, role: controller, addresses: [10.0.0.1], config: {node: {profile: small}}}\n  - {name: b, \
                role: worker, config: {node: {profile: mid}}}\n  - {name: c, role: worker}\n";
    let cluster = cluster(text).unwrap();
    let extra = |index: usize| serde_yaml_ng::to_string(&cluster.extra(&cluster.spec.hosts[index])).unwrap();
    assert_eq!(extra(0), "api:\n  extraArgs:\n    v: 2\nnode:\n  profile: small\n");
    assert_eq!(extra(1), "node:\n  profile: mid\n");
    assert_eq!(extra(2), "{}\n");
}

#[test]
fn hosts_without_a_name_get_each_their_own() {
    let named = |roles: &[(&str, &str)]| -> Vec<String> {
        let host = |(role, ssh): &(&str, &str)| format!("  - role: {role}\n    ssh: {{address: {ssh}}}\n");
        let hosts: String = roles.iter().map(host).collect();
        let text = format!("apiVersion: k0sctl.k0sproject.io/v1beta1\nspec:\n  hosts:\n{hosts}");
        let imported = k0sctl::import(&text).unwrap();
        assert!(imported.remarks.iter().all(|remark| !remark.contains("has it already")), "{:?}", imported.remarks);
        imported.cluster.spec.hosts.iter().map(|host| host.name.to_string()).collect()
    };
    let both = [("controller", "10.0.0.1"), ("controller+worker", "10.0.0.2"), ("worker", "10.0.0.3")];
    assert_eq!(named(&both), ["controller-1", "controller-2", "worker-1"]);
    let mixed = [("worker", "10.0.0.1"), ("worker", "10.0.0.2"), ("worker", "worker-1.example.org")];
    assert_eq!(named(&mixed), ["worker-2", "worker-3", "worker-1"], "a name that a later host has is not free");
}

#[test]
fn what_is_no_k0sctl_file_is_refused() {
    let k0s = k0sctl::import("apiVersion: k0s.k0sproject.io/v1beta1\n").unwrap_err();
    assert_eq!(
        k0s.to_string(),
        "not a k0sctl.yaml: its `apiVersion` is `k0s.k0sproject.io/v1beta1`; wanted: `k0sctl.k0sproject.io/…`"
    );
    assert!(k0s.hint().is_some_and(|hint| hint.contains("`sk8s config import`")));
    let none = k0sctl::import("apiVersion: k0sctl.k0sproject.io/v1beta1\nspec: {hosts: []}\n").unwrap_err();
    assert_eq!(none.to_string(), "not a k0sctl.yaml: `spec.hosts` has no hosts");
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

#[test]
fn metrics_server_is_left_out_where_k0s_was_told_so() {
    let enabled = |flags: &str| {
        let text = format!(
            "apiVersion: k0sctl.k0sproject.io/v1beta1\nspec:\n  hosts:\n  - {{role: controller, hostname: tower, \
             installFlags: {flags}}}\n"
        );
        let imported = k0sctl::import(&text).unwrap();
        (imported.cluster.spec.metrics_server.enabled, imported.remarks.join("\n"))
    };
    assert!(enabled("[]").0);
    let (on, remarks) = enabled("[--disable-components=metrics-server]");
    assert!(!on && !remarks.contains("disable-components"), "{remarks}");
    let (on, remarks) = enabled("['--disable-components helm,coredns']");
    assert!(on && remarks.contains("`--disable-components coredns` left out"), "{remarks}");
}

#[test]
fn flags_of_k0s_that_sk8s_has_keys_for_are_passed_on() {
    let text = "apiVersion: k0sctl.k0sproject.io/v1beta1\nspec:\n  hosts:\n  - role: controller\n    hostname: tower\n    \
                installFlags: ['--disable-components=kube-proxy,network-provider', '--cri-socket remote:unix:///run/x.sock', \
                '--kubelet-extra-args=\"--node-ip=10.0.0.1 --v=2\"', --profile, big]\n";
    let imported = k0sctl::import(text).unwrap();
    let tower = &imported.cluster.spec.hosts[0];
    let wanted = "node:\n  profile: big\n  criSocket: unix:///run/x.sock\n  kubeletExtraArgs:\n    v: '2'\nnetwork:\n  \
                  provider: custom\n  kubeProxy:\n    disabled: true\n";
    assert_eq!(serde_yaml_ng::to_string(&tower.config).unwrap(), wanted);
    assert_eq!(tower.node_address.as_ref().map(ToString::to_string).as_deref(), Some("10.0.0.1"));
    assert_eq!(imported.remarks, [] as [String; 0]);
}

const DOCS: [&str; 2] = [include_str!("../../../docs/cluster.md"), include_str!("../../../docs/hosts.md")];

#[test]
fn the_files_in_the_documentation_are_good() {
    for doc in DOCS {
        let blocks = doc.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
        assert!(blocks.clone().count() > 0);
        blocks.for_each(|text| drop(cluster(text).unwrap()));
    }
}

proptest! {
    #[test]
    fn wherever_a_controller_is_called_is_a_name_of_the_certificate(server in "([a-zA-Z0-9-]{1,9}\\.){0,2}[a-zA-Z0-9]{1,9}|[0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9a-f:]{2,12}\\](:[0-9]{1,4})?") {
        let text = format!("apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  hosts:\n  - {{name: a, role: controller, addresses: ['{server}', other]}}\n");
        if let Ok(cluster) = cluster(&text) {
            prop_assert_eq!(cluster.sans().len(), 2, "{}", server);
        }
    }

    #[test]
    fn arbitrary_yaml_never_panics(text in "(apiVersion|spec|hosts|name|role|network|- |  |: |[a-z]{1,3}|\n|[0-9.:/]{1,5}|\\{|\\}|\\[|\\]|,){0,60}") {
        let _any = cluster(&text);
        let _any = cluster(&format!("apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  hosts:\n  {text}"));
    }

    #[test]
    fn any_k0sctl_text_is_imported_or_refused(text in "(hosts|role|worker|controller|ssh|address|installFlags|--labels=a|- |  |: |\n|[0-9.]{1,5}|\\[|\\]){0,40}") {
        let _any = k0sctl::import(&format!("apiVersion: k0sctl.k0sproject.io/v1beta1\nspec:\n  hosts:\n  - role: worker\n    {text}"));
    }
}
