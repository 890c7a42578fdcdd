//! What an owner's configuration changes in command lines and files, to the letter.

use crate::{
    component::{
        Plan, components, files,
        tests::{golden, machine},
    },
    config::{Raw, Settings},
    duty::Duty,
    paths::Paths,
    peers::Known,
    sys::machine::Machine,
};

const OWNER: &str = "
metadata: {name: shed}
spec:
  api:
    address: 192.0.2.10
    externalAddress: shed.example
    extraArgs: {event-ttl: 1h, v: 2, enable-admission-plugins: 'PodNodeSelector,NodeRestriction'}
    ca: {certificatesExpireAfter: 720h}
  controllerManager: {extraArgs: {node-monitor-grace-period: 20s, leader-elect-lease-duration: 30s}}
  scheduler: {extraArgs: {profiling: true}}
  network:
    podCIDR: 10.10.0.0/16
    serviceCIDR: 10.11.0.0/16
    clusterDomain: shed.local
    provider: custom
    kubeProxy:
      mode: iptables
      iptables: {minSyncPeriod: 5s, masqueradeAll: true, localhostNodePorts: false, masqueradeBit: 13}
      nodePortAddresses: [192.0.2.0/24]
  workerProfiles:
  - name: default
    values: {maxPods: 20}
  - name: large
    values:
      maxPods: 250
      evictionHard: {memory.available: 50Mi}
      containerLogMaxSize: 1Mi
      nodeStatusReportFrequency: null
  featureGates:
  - {name: MemoryQoS, enabled: true, components: [kubelet]}
  - {name: WatchList, enabled: false, components: [kube-apiserver, kube-scheduler, kube-proxy]}
  - {name: ComponentStatusz, enabled: true, components: [kube-apiserver]}
  installConfig: {users: {kineUser: db, kubeAPIserverUser: web, kubeSchedulerUser: db}}
  node:
    name: barn
    profile: large
    kubeletExtraArgs:
      cloud-provider: external
      provider-id: 'shed://barn'
      image-credential-provider-config: /etc/shed/credentials.yaml
      image-credential-provider-bin-dir: /usr/libexec/shed
      housekeeping-interval: 10s
";

fn owners_machine() -> Machine {
    let passwd = "root:x:0:0::/:/bin/sh\nkine:x:303:303::/:\ndb:x:401:402::/:\nweb:x:403:404::/:\n".into();
    Machine { passwd, ..machine() }
}

/// Every component with its account and command line, then every file.
fn everything(yaml: &str) -> Vec<(String, Vec<String>)> {
    let settings = Settings::validate(&Raw::parse(yaml).expect("well-formed"), "barn").expect("valid");
    let (paths, machine) = (Paths::default(), owners_machine());
    let pause = "localhost/sk8s/pause:3.10";
    let plan = Plan {
        duty: Duty::Single,
        settings: &settings,
        paths: &paths,
        machine: &machine,
        known: &Known::default(),
        pause,
    };
    let described = components(&plan).into_iter().map(|spec| {
        let mut lines = vec![format!("user {}:{}", spec.account.uid, spec.account.gid)];
        lines.extend(spec.handover.map(|given| format!("gives its socket to {}", given.to.uid)));
        lines.extend(spec.env.iter().map(|(name, value)| format!("{name}={value}")));
        lines.extend(spec.args);
        (spec.id.to_string(), lines)
    });
    let rendered = files(&plan).into_iter().map(|file| {
        let lines = file.text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect();
        (file.path.display().to_string(), lines)
    });
    described.chain(rendered).collect()
}

/// Lines that `after` has and `before` has not, and the other way round.
fn changes(before: &[(String, Vec<String>)], after: &[(String, Vec<String>)]) -> String {
    let lines = |all: &[(String, Vec<String>)], name: &str| {
        all.iter().find(|(known, _)| known == name).map(|(_, lines)| lines.clone()).unwrap_or_default()
    };
    let mut names: Vec<&String> = before.iter().chain(after).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let mut text = String::new();
    for name in names {
        let (old, new) = (lines(before, name), lines(after, name));
        let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("  - {line}\n"));
        let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("  + {line}\n"));
        let changed: String = gone.chain(come).collect();
        if !changed.is_empty() {
            text.push_str(&format!("{name}\n{changed}"));
        }
    }
    text
}

fn changed_by(spec: &str) -> String {
    changes(&everything(""), &everything(&format!("spec: {spec}")))
}

#[test]
fn what_an_owner_asks_for_is_the_golden_change() {
    golden("changes-owner.txt", &changes(&everything("metadata: {name: shed}"), &everything(OWNER)));
}

#[test]
fn no_provider_leaves_pods_without_a_network() {
    let text = changed_by("{network: {provider: none}}");
    assert!(text.contains(r#"+   "name": "none""#) && text.contains(r#"+       "type": "loopback""#), "{text}");
}

#[test]
fn a_networks_largest_packet_is_that_of_its_bridge() {
    let text = changed_by("{network: {flannel: {mtu: 1400}}}");
    assert_eq!(text, "/run/sk8s/cni/10-sk8s.conflist\n  +       \"mtu\": 1400\n");
}

#[test]
fn a_disabled_proxy_is_neither_started_nor_written_for() {
    let text = changed_by("{network: {kubeProxy: {disabled: true}}}");
    assert!(!text.contains("  + "), "{text}");
    let names: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(names, ["/run/sk8s/kube-proxy/config.json", "kube-proxy"]);
}

#[test]
fn a_profile_that_takes_a_setting_away_leaves_it_to_kubelet() {
    let text = changed_by("{workerProfiles: [{name: default, values: {containerLogMaxFiles: null}}]}");
    assert_eq!(text, "/run/sk8s/kubelet/config.json\n  -   \"containerLogMaxFiles\": 2\n");
}

#[test]
fn an_owner_who_asks_for_nothing_changes_nothing() {
    assert_eq!(changed_by("{}"), "");
}

#[test]
fn a_kubelet_that_answers_for_profiles_takes_samples() {
    let text = changed_by("{workerProfiles: [{name: default, values: {enableProfilingHandler: true}}]}");
    let (file, component) = text.split_once("kubelet\n  - GODEBUG").expect("both change");
    assert!(file.contains("+   \"enableProfilingHandler\": true"), "{text}");
    assert_eq!(component, "=memprofilerate=0\n");
}
