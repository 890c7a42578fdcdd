//! What is planned for clusters, in words and as properties.

mod judging;
mod shells;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use proptest::prelude::*;
use skerry_formats::{
    arch::Arch,
    cluster::{self, Cluster},
    digest::Digest,
    seed::{HostName, Source},
    status::{Phase, Status},
    storage::StorageType,
};

use super::{
    Act, ConfigFile, Installed, Observed, Refusal, Rights, Running, Seen, Step, Way, judge, plan,
    plan::leader,
    render::{self, words},
    reset, script,
};
use crate::{config::Raw, config::Settings, golden, quote, service::Init, sys::process};

const HOSTS: &str = "
apiVersion: skerry.dev/v1
kind: Cluster
metadata: {name: home}
spec:
  api: {sans: [home.example.org]}
  network: {podCIDR: 10.42.0.0/16}
  metricsServer: {enabled: true}
  storage: {type: etcd}
  config: {workerProfiles: [{name: small, values: {maxPods: 9}}]}
  hosts:
  - {name: tower, role: controller, addresses: [192.0.2.1, Tower.example.org], nodeAddress: 10.0.0.0/24, ssh: {address: 192.0.2.1, user: root}}
  - name: mill
    role: controller+worker
    noTaints: true
    addresses: [192.0.2.2]
    network: [{name: eth0, addresses: [192.0.2.2/24]}]
    ssh: {address: 192.0.2.2, user: keeper, port: 2222, keyPath: ~/.ssh/a key}
    labels: {example.org/site: mill}
    taints: ['a=b:NoSchedule']
  - {name: barn, role: worker, nodeAddress: eth1, labels: {a: '1', b: '2'}, ssh: {address: barn}}
  - {name: shed, role: worker, localhost: true, config: {node: {profile: small}}}
";

fn hosts() -> Cluster {
    cluster::read(&Source::new("hosts.yaml"), HOSTS.as_bytes()).expect("a good file")
}

fn name(text: &str) -> HostName {
    text.parse().expect("a name")
}

fn program(arch: Arch) -> Digest {
    Digest::of(arch.debian().as_bytes())
}

fn bare() -> Seen {
    Seen { architecture: "x86_64".to_owned(), init: Some(Init::Systemd), ..Seen::default() }
}

/// A cluster of bare hosts, all of them picked.
fn all_bare(cluster: &Cluster) -> Observed {
    let names = || cluster.spec.hosts.iter().map(|host| host.name.clone());
    Observed {
        programs: Arch::ALL.map(|arch| (arch, program(arch))).into(),
        hosts: names().map(|name| (name, bare())).collect(),
        picked: names().collect(),
        ..Observed::default()
    }
}

fn status(phase: Phase) -> Status {
    let role = skerry_formats::role::Role::Worker;
    let (version, node, waiting_for) = ("v1".to_owned(), "node".to_owned(), String::new());
    Status { version, role, node, phase, waiting_for, components: Vec::new(), timeline: Vec::new(), charts: Vec::new() }
}

/// What a step makes of a host. Whether a program that runs is the one in its place is told by what follows.
fn apply(seen: &mut Seen, cluster: &Cluster, step: &Step) {
    let host = cluster.spec.hosts.iter().find(|host| host.name == step.host).expect("a host of the file");
    let install = |more: Option<String>, running| {
        let words = words(host).into_iter().skip(1).chain(more).collect();
        Some(Installed { role: render::role(host), words, running })
    };
    let running = if seen.runs() { Running::Yes } else { Running::No };
    let begin = |seen: &mut Seen| {
        if let Some(service) = &mut seen.service {
            service.running = Running::Yes;
        }
        seen.process = seen.service.as_ref().map(|service| service.words.clone());
        seen.stale = false;
        seen.started = match seen.config {
            Some(ConfigFile::Ours(digest) | ConfigFile::Foreign(digest)) => Some(digest),
            None => None,
        };
        seen.status = Some(status(Phase::Starting));
    };
    match &step.act {
        Act::Upload(_, digest) => drop(seen.staged.insert(*digest)),
        Act::Place(digest) => {
            assert!(seen.staged.remove(digest), "only what was uploaded is put in place");
            seen.stale = seen.runs();
            seen.binary = Some(*digest);
        }
        Act::Check => assert!(seen.binary.is_some(), "a machine is judged by its program"),
        Act::Configure => seen.config = Some(ConfigFile::Ours(render::config_digest(cluster, host))),
        Act::Install => {
            assert!(seen.binary.is_some(), "a service has a program");
            seen.service = install(None, running);
        }
        Act::Join(_) => {
            seen.token = true;
            seen.service = install(Some(render::token_word()), Running::Yes);
            begin(seen);
        }
        Act::Start => {
            assert!(!seen.runs(), "what runs is not started");
            begin(seen);
        }
        Act::Restart => {
            assert!(seen.runs(), "what does not run is not restarted");
            begin(seen);
        }
        Act::Await => {
            seen.authority.get_or_insert(Digest::of(b"ours"));
            seen.status = Some(status(Phase::Ready));
        }
        Act::Settle => {
            seen.token = false;
            seen.service = install(None, running);
        }
        Act::Leave(_) | Act::Forget(_) => {}
        Act::Wipe => *seen = bare(),
    }
}

/// What the first steps of a plan make of hosts.
fn after(cluster: &Cluster, observed: &Observed, steps: &[Step]) -> Observed {
    let mut observed = observed.clone();
    for step in steps {
        apply(observed.hosts.get_mut(&step.host).expect("reached"), cluster, step);
    }
    observed
}

fn told(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("{:?}  {step}\n", step.round)).collect()
}

/// A cluster as its file says.
fn converged(cluster: &Cluster) -> Observed {
    let bare = all_bare(cluster);
    after(cluster, &bare, &plan(cluster, &bare))
}

#[test]
fn plans_are_golden() {
    let cluster = hosts();
    let mut text = String::from("== bare hosts\n");
    text += &told(&plan(&cluster, &all_bare(&cluster)));
    let ready = converged(&cluster);
    text += "== as the file says\n";
    text += &told(&plan(&cluster, &ready));
    text += "== another version\n";
    let newer = Observed { programs: Arch::ALL.map(|arch| (arch, Digest::of(b"newer"))).into(), ..ready.clone() };
    text += &told(&plan(&cluster, &newer));
    text += "== other words, another configuration, a leftover token, a worker that is off\n";
    let mut changed = ready.clone();
    let of = |observed: &mut Observed, host: &str, change: &dyn Fn(&mut Seen)| {
        change(observed.hosts.get_mut(&name(host)).expect("there"));
    };
    of(&mut changed, "tower", &|seen| seen.config = Some(ConfigFile::Ours(Digest::of(b"older"))));
    of(&mut changed, "mill", &|seen| {
        seen.service.as_mut().expect("installed").words.remove("--no-taints");
    });
    of(&mut changed, "barn", &|seen| seen.token = true);
    of(&mut changed, "shed", &|seen| {
        seen.service.as_mut().expect("installed").running = Running::No;
        seen.status = None;
    });
    text += &told(&plan(&cluster, &changed));
    text += "== one host reset while the cluster lives on\n";
    let nodes = ["mill", "barn", "shed"].map(str::to_owned).into();
    let members = ["tower", "mill"].map(str::to_owned).into();
    let picked = [name("mill"), name("barn")].into();
    text += &told(&reset(&cluster, &Observed { picked, nodes, members, ..ready.clone() }));
    text += "== all hosts reset\n";
    text += &told(&reset(&cluster, &ready));
    golden::check("cluster-plans.txt", &text);
}

#[test]
fn a_restart_that_failed_is_made_up_for() {
    let cluster = hosts();
    let mut observed = converged(&cluster);
    observed.hosts.get_mut(&name("mill")).expect("there").process = Some([word()].into());
    assert_eq!(
        told(&plan(&cluster, &observed)),
        "Controllers  mill: restart\nControllers  mill: wait until it is ready\n"
    );
    assert!(
        converged(&cluster).hosts[&name("barn")].process.iter().flatten().any(|word| *word == render::token_word())
    );
    assert_eq!(
        plan(&cluster, &converged(&cluster)),
        [],
        "the token that a process was started with is none of its words"
    );
}

#[test]
fn what_a_host_is_given_is_golden() {
    let cluster = hosts();
    let mut text = String::new();
    for host in &cluster.spec.hosts {
        let way = Way::of(host).expect("a way");
        text += &format!("== {}\n{}\n", host.name, words(host).join(" "));
        if render::is_configured(host) {
            text += &render::config(&cluster, host);
        }
        for argv in
            [way.first(Path::new("/tmp/s%/socket")), way.script(Path::new("/tmp/s%/socket"), Rights::Sudo, "a 'b'")]
        {
            text += &format!("{}\n", quote::shell(&argv));
        }
    }
    golden::check("cluster-hosts.txt", &text);
}

#[test]
fn the_configuration_is_one_that_a_node_takes() {
    let cluster = hosts();
    for host in cluster.controllers() {
        let text = render::config(&cluster, host);
        let raw = Raw::parse(&text).expect("a configuration");
        let settings = Settings::validate(&raw, host.name.as_str()).expect("valid");
        assert_eq!(settings.cluster.as_str(), "home");
        let names: BTreeSet<String> = settings.api.sans.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), 4, "{text}");
        assert_eq!(settings.api.address.is_some(), host.name.as_str() == "mill");
        assert_eq!(settings.node_address, host.node_address);
    }
}

#[test]
fn etcd_is_reached_at_the_nodes_address_where_there_is_a_choice() {
    let settings = |cluster: &Cluster| {
        let text = render::config(cluster, &cluster.spec.hosts[1]);
        Settings::validate(&Raw::parse(&text).expect("a configuration"), "mill").expect("valid")
    };
    let mut cluster = hosts();
    assert_eq!(settings(&cluster).peer_address(), Some([192, 0, 2, 2].into()));
    cluster.spec.hosts[1].node_address = Some("10.0.0.0/24".parse().expect("a range"));
    let chosen = settings(&cluster);
    assert_eq!((chosen.peer_address(), chosen.api.address), (None, Some([192, 0, 2, 2].into())));
}

#[test]
fn scripts_are_golden() {
    let servers = ["192.0.2.1".parse().expect("a server"), "tower:7443".parse().expect("a server")];
    let digest = program(Arch::Amd64);
    let role = crate::service::ServiceRole::Worker;
    let all = [
        ("observe", script::observe()),
        ("upload", script::upload(digest)),
        ("place", script::place(digest)),
        ("check", script::check(skerry_formats::duty::Duty::Worker)),
        ("write", script::write(super::CONFIG, "a: b\n")),
        ("install", script::install(role, &["worker".to_owned(), "--labels=a=it's".to_owned()])),
        ("take the token back", script::take_token_back()),
        ("status", script::status(role)),
        ("token", script::token(skerry_formats::role::Role::Worker, &servers)),
        ("kubeconfig", script::kubeconfig("https://a'b:6443")),
        ("company", script::company()),
        ("wipe", script::wipe(render::MARK)),
    ];
    let text: String = all.iter().map(|(name, script)| format!("== {name}\n{script}")).collect();
    golden::check("cluster-scripts.txt", &text);
    for (name, script) in all {
        process::output(Path::new("sh"), &["-n", "-c", &script]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn what_a_host_says_is_read() {
    let pem = crate::pki::Identity::generate(&"home".parse().expect("a name"), crate::pki::UnixTime(1_800_000_000));
    let pem = pem.expect("keys").ca.certificate;
    let digest = program(Arch::Amd64);
    let text = format!(
        "motd\n== arch\n x86_64\n== systemd\n== binary\n {digest}\n== staged\n {digest}\n== staged\n draft.12\n\
         == systemd controller\n== openrc controller\n== systemd worker\n [Service]\n ExecStart=/usr/local/bin/sk8s worker \
         --node-name=barn \"--labels=a=b c\"\n== openrc worker\n== active worker\n== stale\n== process\n \
         /usr/local/bin/sk8s\n worker\n --node-name=barn\n --labels=a=b c\n== config\n {digest}\n== mark\n {}\n\
         == started\n {digest}  /etc/sk8s/sk8s.yaml\n== token\n== data\n== etcd\n== authority\n== membership\n {}\n== status\n {}\n",
        render::MARK,
        serde_json::json!(pem),
        serde_json::to_string(&status(Phase::Ready)).expect("JSON")
    );
    let seen = Seen::read(&text);
    let words: BTreeSet<String> = ["--node-name=barn", "--labels=a=b c"].map(str::to_owned).into();
    let role = crate::service::ServiceRole::Worker;
    let wanted = Seen {
        architecture: "x86_64".to_owned(),
        init: Some(Init::Systemd),
        image: false,
        binary: Some(digest),
        staged: [digest].into(),
        stale: true,
        process: Some(words.clone()),
        service: Some(Installed { role, words, running: Running::Yes }),
        config: Some(ConfigFile::Ours(digest)),
        started: Some(digest),
        token: true,
        data: true,
        stores: vec![StorageType::Etcd],
        authority: Some(crate::link::print_of(&pem).expect("a certificate")),
        status: Some(status(Phase::Ready)),
    };
    assert_eq!(seen, wanted);
    let foreign = Seen::read(&text.replace(render::MARK, "# mine"));
    assert_eq!(foreign.config, Some(ConfigFile::Foreign(digest)));
    assert!(Seen::read("== arch\n riscv64\n== binary\n== config\n== mark\n").is_bare());
}

#[test]
fn a_host_that_cannot_be_is_refused() {
    let cluster = hosts();
    let refusal = |host: &str, change: &dyn Fn(&mut Seen)| {
        let mut observed = converged(&cluster);
        change(observed.hosts.get_mut(&name(host)).expect("there"));
        judge(&cluster, &observed)
    };
    let of = |host: &str, refusal| vec![(name(host), refusal)];
    assert_eq!(refusal("barn", &|_| ()), []);
    let elsewhere = |seen: &mut Seen| seen.authority = Some(Digest::of(b"another"));
    assert_eq!(refusal("barn", &elsewhere), of("barn", Refusal::OtherCluster));
    assert_eq!(refusal("mill", &elsewhere), of("mill", Refusal::OtherCluster));
    let serves = refusal("barn", &|seen| {
        seen.service.as_mut().expect("installed").role = crate::service::ServiceRole::Controller
    });
    assert_eq!(serves, of("barn", Refusal::OtherRole(crate::service::ServiceRole::Controller)));
    let foreign = refusal("barn", &|seen| seen.architecture = "riscv64".to_owned());
    assert_eq!(foreign, of("barn", Refusal::Architecture("riscv64".to_owned())));
    assert_eq!(refusal("barn", &|seen| seen.init = None), of("barn", Refusal::NoInit));
    assert_eq!(refusal("barn", &|seen| seen.image = true), of("barn", Refusal::Image));

    let mut observed = all_bare(&cluster);
    observed.programs.remove(&Arch::Amd64);
    assert_eq!(judge(&cluster, &observed).len(), 4);
    let mut alone = all_bare(&cluster);
    alone.picked = [name("barn")].into();
    assert_eq!(judge(&cluster, &alone), of("barn", Refusal::NoController));
}

/// A word that nobody wants.
fn word() -> String {
    "--labels=a=older".to_owned()
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let binary = prop_oneof![Just(None), Just(Some(program(Arch::Amd64))), Just(Some(Digest::of(b"older")))];
    let process = prop_oneof![Just(None), Just(Some([render::token_word()].into())), Just(Some([word()].into()))];
    let flags = any::<[bool; 7]>();
    (flags, binary, process).prop_map(|([staged, stale, token, joined, installed, on, config], binary, process)| Seen {
        binary,
        staged: if staged { [program(Arch::Amd64)].into() } else { [].into() },
        stale: stale && installed && on && binary.is_some(),
        process: process.filter(|_| installed && on),
        token,
        authority: joined.then(|| Digest::of(b"ours")),
        config: config.then(|| ConfigFile::Ours(Digest::of(b"other"))),
        service: installed.then(|| Installed {
            role: crate::service::ServiceRole::Worker,
            words: [render::token_word()].into(),
            running: if on { Running::Yes } else { Running::No },
        }),
        ..bare()
    })
}

/// Hosts in any state that their role may have.
fn any_observed() -> impl Strategy<Value = Observed> {
    proptest::collection::vec((any_seen(), any::<bool>()), 4).prop_map(|states| {
        let cluster = hosts();
        let mut observed = all_bare(&cluster);
        for (host, (mut seen, as_wanted)) in cluster.spec.hosts.iter().zip(states) {
            if let Some(service) = &mut seen.service {
                service.role = render::role(host);
                service.words.extend(words(host).into_iter().skip(1).filter(|_| as_wanted));
            }
            observed.hosts.insert(host.name.clone(), seen);
        }
        observed
    })
}

proptest! {
    #[test]
    fn a_plan_is_carried_out_from_anywhere_and_then_nothing_is_left(observed in any_observed(), cut in 0..40_usize) {
        let cluster = hosts();
        // A cluster whose controllers have no state has no workers that joined.
        let first = plan(&cluster, &observed);
        let broken = after(&cluster, &observed, &first[..cut.min(first.len())]);
        let second = plan(&cluster, &broken);
        let done = after(&cluster, &broken, &second);
        prop_assert_eq!(plan(&cluster, &done), [], "{}", told(&second));
        for (host, seen) in &done.hosts {
            prop_assert!(seen.is_ready() && !seen.token && !seen.stale, "{}", host);
            prop_assert_eq!(seen.binary, Some(program(Arch::Amd64)));
            prop_assert!(!seen.process.iter().flatten().any(|found| *found == word()), "{}", host);
        }
    }

    #[test]
    fn nothing_is_done_to_a_host_that_is_not_picked(observed in any_observed(), picked in any::<[bool; 4]>()) {
        let cluster = hosts();
        let names: BTreeMap<HostName, bool> = cluster.spec.hosts.iter().map(|host| host.name.clone()).zip(picked).collect();
        let observed = Observed { picked: names.iter().filter(|(_, on)| **on).map(|(name, _)| name.clone()).collect(), ..observed };
        for step in plan(&cluster, &observed).iter().chain(&reset(&cluster, &observed)) {
            prop_assert!(names[&step.host], "{}", step);
        }
    }

    #[test]
    fn controllers_come_before_workers_and_the_leader_before_the_others(observed in any_observed()) {
        let cluster = hosts();
        let steps = plan(&cluster, &observed);
        prop_assert!(steps.is_sorted_by_key(|step| step.round));
        let joins = |step: &Step| matches!(step.act, Act::Join(_));
        if let (Some(leader), Some(join)) = (leader(&cluster, &observed), steps.iter().position(joins)) {
            let late = steps.iter().skip(join).any(|step| step.host == leader.name);
            prop_assert!(!late, "the leader is ready before anyone joins: {}", told(&steps));
        }
    }

    #[test]
    fn a_reset_leaves_bare_hosts(observed in any_observed()) {
        let cluster = hosts();
        let done = after(&cluster, &observed, &reset(&cluster, &observed));
        prop_assert!(done.hosts.values().all(Seen::is_bare));
        prop_assert_eq!(reset(&cluster, &done), []);
    }

    #[test]
    fn a_shell_gets_back_every_word(words in proptest::collection::vec("[^\\x00]{0,12}", 1..5)) {
        let script = format!("printf '%s\\0' {}", quote::shell(&words));
        let said = process::output(Path::new("sh"), &["-c", &script]).expect("a shell");
        let back: Vec<&str> = said.split_terminator('\0').collect();
        prop_assert_eq!(back, words);
    }
}
