//! From a file of hosts to seeds: the mapping, what is kept, and what is imported.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt as _,
};

use proptest::prelude::*;
use sk8s::{
    api::ApiError,
    link,
    pki::{Identity, UnixTime},
};
use skerry_formats::{
    cluster::{self, Cluster, Host},
    cluster_config::Extra,
    duty::Duty,
    role::Role,
    seed::{self, Header, HostName, Seed, Source},
    storage::StorageType,
    token::{JoinToken, PreShared, TokenId},
};

use super::{Change, ClusterError, Departures, Farewell, Folder, Owner, Registry, plan, seeds};
use crate::{fsx, report::print_error};

const HOSTS: &str = include_str!("../../golden/cluster/hosts.yaml");
const NOW: UnixTime = UnixTime(1_800_000_000);

fn hosts(text: &str) -> Cluster {
    cluster::read(&Source::new("hosts.yaml"), text.as_bytes()).unwrap()
}

fn token(role: Role, number: usize) -> PreShared {
    PreShared {
        id: format!("tok{number:03}").parse().unwrap(),
        secret: format!("{number:016}").parse().unwrap(),
        role,
        expires: None,
        description: String::new(),
    }
}

fn folder(path: &std::path::Path) -> Folder {
    Folder::new(path.join("home"), "home".parse().unwrap())
}

/// A seed as a node reads it.
fn read(text: &str) -> Seed {
    seed::read(&Source::new("seed"), text.as_bytes(), Header::Required).unwrap().validate().unwrap()
}

#[test]
fn a_cluster_is_made_once_and_follows_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    assert!(matches!(folder.apply(&hosts(HOSTS)), Err(ClusterError::Missing(_))));
    let made = folder.create(&hosts(HOSTS)).unwrap();
    assert_eq!((made.seeds.len(), made.tokens.len(), made.changes.len()), (3, 2, 2));
    assert!(matches!(folder.create(&hosts(HOSTS)), Err(ClusterError::Exists(_))));
    let keys = folder.identity().unwrap();

    let same = folder.apply(&hosts(HOSTS)).unwrap();
    assert!(same.changes.is_empty() && same.seeds.iter().all(|seed| !seed.written), "{same:?}");

    let more = HOSTS.replace("  - name: mill\n", "  - name: shed\n    role: worker\n  - name: mill\n");
    let grown = folder.apply(&hosts(&more)).unwrap();
    let written: Vec<&str> = grown.seeds.iter().filter(|seed| seed.written).map(|seed| seed.host.as_str()).collect();
    assert_eq!(written, ["tower", "shed"], "the controller learns of it, and the others stay as they are");
    assert_eq!(grown.changes.iter().map(|(_, change, _)| *change).collect::<Vec<_>>(), [Change::New]);
    let fewer = folder.apply(&hosts(HOSTS)).unwrap();
    assert_eq!(
        fewer.changes.iter().map(|(host, change, _)| (host.as_str(), *change)).collect::<Vec<_>>(),
        [("shed", Change::Gone)]
    );
    assert!(fsx::symlink_metadata(&folder.path().join("seeds/shed.yaml")).unwrap().is_none(), "its seed goes with it");
    assert_eq!(folder.identity().unwrap(), keys);
    assert_eq!(folder.urls().unwrap(), ["https://192.168.1.10:6443", "https://tower.example.org:7443"]);
}

#[test]
fn the_objects_of_a_single_node_stay_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    super::create(folder.path(), folder.name(), "https://127.0.0.1:6443").unwrap();
    let moved = HOSTS.replace("  tokens:\n", "  storage:\n    type: etcd\n  tokens:\n");
    let refused = folder.apply(&hosts(&moved));
    assert!(
        matches!(refused, Err(ClusterError::Storage { kept: StorageType::Kine, wanted: StorageType::Etcd })),
        "{refused:?}"
    );
    assert!(fsx::symlink_metadata(&folder.path().join("seeds")).unwrap().is_none(), "nothing was written");
    folder.apply(&hosts(HOSTS)).unwrap();
}

#[test]
fn everything_that_is_kept_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    folder.create(&hosts(HOSTS)).unwrap();
    for name in [
        "tokens.json",
        "founder",
        "cluster.yaml",
        "admin.kubeconfig",
        "seeds/tower.yaml",
        "seeds/barn.yaml",
        "pki/ca.key",
    ] {
        let meta = fsx::symlink_metadata(&folder.path().join(name)).unwrap().unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_controllers_are_passed_on_no_worker_gets() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    let passing = HOSTS
        .replace(
            "  tokens:\n",
            "  config: {storage: {kine: {dataSource: 'postgres://sk8s:secret@db/home'}}}\n  tokens:\n",
        )
        .replace("  - name: mill\n", "  - name: mill\n    config: {node: {profile: camera}}\n");
    folder.create(&hosts(&passing)).unwrap();
    let of = |host: &str| fsx::read_to_string(&folder.path().join(format!("seeds/{host}.yaml"))).unwrap();
    assert!(of("tower").contains("dataSource: postgres://sk8s:secret@db/home"));
    assert!(!of("barn").contains("  config:") && !of("mill").contains("secret@"), "{}{}", of("barn"), of("mill"));
    assert!(of("mill").contains("  config:\n    node:\n      profile: camera\n"), "{}", of("mill"));
    assert!(["tower", "barn", "mill"].iter().all(|host| read(&of(host)).hostname.is_some()));
}

#[test]
fn a_workers_token_is_what_its_controller_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    folder.create(&hosts(HOSTS)).unwrap();
    let of = |host: &str| read(&fsx::read_to_string(&folder.path().join(format!("seeds/{host}.yaml"))).unwrap());
    let (tower, barn) = (of("tower"), of("barn"));
    let token: JoinToken = barn.skerry.token.as_ref().unwrap().reveal().parse().unwrap();
    let known = tower.skerry.tokens.iter().find(|known| known.id == token.id).unwrap();
    assert_eq!((known.secret == token.secret, known.description.as_str()), (true, "barn"));
    assert_eq!(token.authority, link::print_of(&folder.identity().unwrap().ca.certificate).unwrap());
    let servers: Vec<String> = token.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.168.1.10", "tower.example.org:7443"]);
    let sans: Vec<String> = tower.skerry.api.sans.iter().map(ToString::to_string).collect();
    assert_eq!(sans, ["home.example.org", "192.168.1.10", "tower.example.org"]);
}

#[test]
fn what_runs_beside_the_api_is_for_controllers_to_know() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    folder.create(&hosts(HOSTS)).unwrap();
    let of = |host: &str| read(&fsx::read_to_string(&folder.path().join(format!("seeds/{host}.yaml"))).unwrap());
    assert_eq!((of("tower").skerry.metrics_server, of("barn").skerry.metrics_server), (Some(true), None));
}

/// Three controllers and a worker.
const COUNCIL: &str = "apiVersion: skerry.dev/v1\nkind: Cluster\nspec:\n  storage: {type: etcd}\n  hosts:\n  \
                       - {name: tower, role: controller, network: [{addresses: [10.0.0.1/24]}]}\n  \
                       - {name: mill, role: controller+worker, addresses: [10.0.0.2]}\n  \
                       - {name: keep, role: controller, addresses: [10.0.0.3]}\n  - {name: barn, role: worker}\n";

#[test]
fn one_controller_may_make_the_cluster_and_the_others_ask_it_first() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    folder.create(&hosts(COUNCIL)).unwrap();
    let of = |host: &str| read(&fsx::read_to_string(&folder.path().join(format!("seeds/{host}.yaml"))).unwrap()).skerry;
    let asks = |host: &str| -> Vec<String> {
        let token: JoinToken = of(host).token.unwrap().reveal().parse().unwrap();
        token.servers.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        ["tower", "mill", "keep", "barn"].map(|host| of(host).cluster.ca_key.is_some()),
        [true, false, false, false]
    );
    assert_eq!(
        (asks("tower"), asks("mill")),
        (vec!["10.0.0.2".into(), "10.0.0.3".into()], vec!["10.0.0.1".into(), "10.0.0.3".into()])
    );
    assert_eq!(asks("barn").len(), 3);
    assert_eq!(of("tower").tokens.iter().filter(|token| token.role == Role::Controller).count(), 3);
    assert_eq!((of("keep").storage, of("barn").storage), (Some(StorageType::Etcd), None));
    assert_eq!((of("tower").api.address, of("keep").api.sans.len()), (Some([10, 0, 0, 1].into()), 3));
}

#[test]
fn another_order_of_the_file_makes_no_second_founder() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    folder.create(&hosts(COUNCIL)).unwrap();
    let mut lines: Vec<&str> = COUNCIL.lines().collect();
    lines.swap(5, 7);
    let turned = lines.join("\n") + "\n";
    folder.apply(&hosts(&turned)).unwrap();
    let of = |host: &str| read(&fsx::read_to_string(&folder.path().join(format!("seeds/{host}.yaml"))).unwrap()).skerry;
    assert_eq!(
        ["tower", "keep"].map(|host| of(host).cluster.ca_key.is_some()),
        [true, false],
        "who had the keys keeps them"
    );
    lines.remove(7);
    let fewer = folder.apply(&hosts(&(lines.join("\n") + "\n"))).unwrap();
    assert_eq!(fewer.left, [("tower".parse().unwrap(), Duty::Controller)]);
    let keep = of("keep");
    assert!(keep.cluster.ca_key.is_some() && keep.token.is_some(), "the next one, which asks first as well");
}

#[test]
fn a_controller_that_becomes_a_worker_leaves_as_a_controller() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    folder.create(&hosts(COUNCIL)).unwrap();
    let less = COUNCIL.replace("role: controller+worker, addresses: [10.0.0.2]", "role: worker");
    let applied = folder.apply(&hosts(&less)).unwrap();
    assert_eq!(applied.left, [("mill".parse().unwrap(), Duty::ControllerWorker)]);
    assert!(fsx::symlink_metadata(&folder.path().join("seeds/mill.yaml")).unwrap().is_some());
}

/// An API that refuses what it is asked for, for as many times as it is told to.
#[derive(Default)]
struct Api {
    refuses: Cell<usize>,
    told: RefCell<Vec<String>>,
}

impl Api {
    fn asked(&self, what: String) -> Result<bool, ClusterError> {
        if let Some(left) = self.refuses.get().checked_sub(1) {
            self.refuses.set(left);
            let source = ApiError::Refused { path: what, status: 500, message: "no leader".to_owned() };
            return Err(ClusterError::Refused { server: "https://10.0.0.1:6443".to_owned(), source });
        }
        self.told.borrow_mut().push(what);
        Ok(true)
    }
}

impl Registry for Api {
    fn end(&self, token: &TokenId) -> Result<bool, ClusterError> {
        self.asked(format!("end {token}"))
    }

    fn dismiss(&self, host: &HostName) -> Result<bool, ClusterError> {
        self.asked(format!("dismiss {host}"))
    }
}

/// The council without two of its hosts.
fn fewer() -> Cluster {
    let gone = |line: &&str| !line.contains("name: keep") && !line.contains("name: barn");
    hosts(&(COUNCIL.lines().filter(gone).collect::<Vec<_>>().join("\n") + "\n"))
}

#[test]
fn who_is_gone_is_told_to_the_cluster_until_it_has_heard() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    let made = folder.create(&hosts(COUNCIL)).unwrap();
    let id = |host: &str| made.changes.iter().find(|(name, ..)| name.as_str() == host).unwrap().2.id.clone();
    let api = Api { refuses: Cell::new(1), ..Api::default() };
    folder.apply(&fewer()).unwrap();
    assert!(matches!(folder.see_off(&api, |_| ()), Err(ClusterError::Refused { .. })));
    let meta = fsx::symlink_metadata(&folder.path().join("departures.json")).unwrap().unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);

    let again = folder.apply(&fewer()).unwrap();
    assert!(again.changes.is_empty() && again.left.is_empty(), "{again:?}");
    assert_eq!((again.departures.tokens.len(), again.departures.controllers.len()), (2, 1));
    let mut told = Vec::new();
    folder.see_off(&api, |farewell| told.push(farewell)).unwrap();
    let wanted = [format!("end {}", id("barn")), format!("end {}", id("keep")), "dismiss keep".to_owned()];
    assert_eq!(*api.told.borrow(), wanted);
    assert_eq!(told.last(), Some(&Farewell::Leaves("keep".parse().unwrap())));

    assert_eq!(folder.apply(&fewer()).unwrap().departures, Departures::default());
    folder.see_off(&api, |_| ()).unwrap();
    assert_eq!(api.told.borrow().len(), 3, "what it has heard is not said again");
}

#[test]
fn a_cluster_that_refuses_in_between_is_told_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    folder.create(&hosts(COUNCIL)).unwrap();
    folder.apply(&fewer()).unwrap();
    let api = Api::default();
    let mut count = 0;
    let refused = folder.see_off(&api, |_| {
        count += 1;
        api.refuses.set(1);
    });
    assert_eq!((refused.is_err(), count), (true, 1));
    folder.see_off(&api, |_| ()).unwrap();
    assert_eq!(api.told.borrow().iter().collect::<BTreeSet<_>>().len(), 3, "each once: {:?}", api.told);
}

#[test]
fn who_is_back_or_over_is_not_seen_off() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    let made = folder.create(&hosts(COUNCIL)).unwrap();
    folder.apply(&fewer()).unwrap();
    let back = folder.apply(&hosts(COUNCIL)).unwrap();
    assert_eq!((back.departures.tokens.len(), back.departures.controllers.len()), (2, 0), "with other tokens");
    let mut over = back.departures.clone();
    let ends = over.tokens.iter().filter_map(|token| token.expires).max().unwrap();
    over.forget(&hosts(COUNCIL), &BTreeMap::new(), UnixTime(ends.0));
    assert_eq!(over, Departures::default(), "all have ended by themselves");
    let mut good = back.departures.clone();
    let kept = made.tokens.iter().map(|token| (token.description.parse().unwrap(), token.clone())).collect();
    good.forget(&hosts(COUNCIL), &kept, NOW);
    assert_eq!(good, Departures::default(), "a token that a host has is not ended");
}

#[test]
fn who_joins_as_something_else_gets_another_token() {
    let mut count = 0;
    let mut make = |role, _| {
        count += 1;
        Ok::<_, ()>(token(role, count))
    };
    let first = plan(&hosts(COUNCIL), &BTreeMap::new(), NOW, &mut make).unwrap();
    let promoted = COUNCIL.replace("barn, role: worker", "barn, role: controller, addresses: [10.0.0.4]");
    let then = plan(&hosts(&promoted), &first.tokens, NOW, &mut make).unwrap();
    let barn: HostName = "barn".parse().unwrap();
    let changes: Vec<_> = then.changes.iter().map(|(host, change, token)| (host, *change, token.role)).collect();
    assert_eq!(changes, [(&barn, Change::New, Role::Controller), (&barn, Change::Gone, Role::Worker)]);
}

#[test]
fn a_token_is_kept_until_it_ends() {
    let cluster = hosts(HOSTS);
    let mut count = 0;
    let mut make = |role, expires| {
        count += 1;
        Ok::<_, ()>(PreShared { expires, ..token(role, count) })
    };
    let first = plan(&cluster, &BTreeMap::new(), NOW, &mut make).unwrap();
    let ends = NOW.0 + 100 * 60 * 60;
    assert!(first.tokens.values().all(|token| token.expires.map(|moment| moment.0) == Some(ends)));
    let before = plan(&cluster, &first.tokens, UnixTime(ends - 1), &mut make).unwrap();
    assert_eq!((before.tokens, before.changes), (first.tokens.clone(), Vec::new()));
    let after = plan(&cluster, &first.tokens, UnixTime(ends), &mut make).unwrap();
    assert!(after.changes.iter().all(|(_, change, _)| *change == Change::Renewed));
    assert_eq!(after.changes.len(), 2);
}

#[test]
fn what_is_refused_is_golden() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hosts.yaml");
    let mut said = String::new();
    for text in [HOSTS.replace("role: worker", "rolle: worker"), HOSTS.replace("name: home", "name: away")] {
        fsx::write_atomic(&file, text.as_bytes()).unwrap();
        said += &print_error(&super::read(&file, &"home".parse().unwrap()).unwrap_err());
    }
    let folder = folder(dir.path());
    said += &print_error(&folder.apply(&hosts(HOSTS)).unwrap_err());
    folder.create(&hosts(HOSTS)).unwrap();
    said += &print_error(&folder.create(&hosts(HOSTS)).unwrap_err());
    let moved = HOSTS.replace("  tokens:\n", "  storage:\n    type: etcd\n  tokens:\n");
    said += &print_error(&folder.apply(&hosts(&moved)).unwrap_err());
    let said = said.replace(&dir.path().display().to_string(), "DIR");
    golden("refusals.txt", &said);
}

/// Compares with a file of `golden/cluster/`; with `BLESS` set, writes it instead.
fn golden(name: &str, text: &str) {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/cluster").join(name);
    if std::env::var_os("BLESS").is_some() {
        fsx::write_atomic(&path, text.as_bytes()).unwrap();
    }
    assert_eq!(text, fsx::read_to_string(&path).unwrap(), "{name}");
}

fn host(number: usize, role: Duty) -> Host {
    let addresses = if role.controls() { vec![format!("10.0.0.{}", number + 1).parse().unwrap()] } else { Vec::new() };
    Host {
        name: format!("host-{number}").parse().unwrap(),
        role,
        no_taints: false,
        addresses,
        node_address: [None, Some("eth1"), Some("10.0.0.0/24")][number % 3].map(|wish| wish.parse().unwrap()),
        ssh: None,
        localhost: false,
        board: None,
        network: Vec::new(),
        labels: BTreeMap::new(),
        taints: Vec::new(),
        config: Extra::default(),
    }
}

fn any_cluster() -> impl Strategy<Value = Cluster> {
    (0..3_usize, 0..6_usize, 0..4_usize, any::<bool>()).prop_map(|(kind, workers, more, no_taints)| {
        let role = [Duty::Controller, Duty::ControllerWorker, Duty::Single][kind];
        let (workers, more) = if role == Duty::Single { (0, 0) } else { (workers, more) };
        let mut cluster = Cluster::default();
        let no_taints = no_taints && role == Duty::ControllerWorker;
        cluster.spec.hosts.push(Host { no_taints, ..host(0, role) });
        if more > 0 {
            cluster.spec.storage.kind = StorageType::Etcd;
            cluster.spec.hosts.extend((10..10 + more).map(|number| host(number, role)));
        }
        cluster.spec.hosts.extend((1..=workers).map(|number| host(number, Duty::Worker)));
        cluster
    })
}

/// One for all cases: keys are slow to make.
fn identity() -> &'static Identity {
    static IDENTITY: std::sync::OnceLock<Identity> = std::sync::OnceLock::new();
    IDENTITY.get_or_init(|| Identity::generate(&"home".parse().unwrap(), NOW).unwrap())
}

proptest! {
    #[test]
    fn every_host_gets_a_seed_that_a_node_takes(cluster in any_cluster()) {
        let mut count = 0;
        let make = |role, _| { count += 1; Ok::<_, ()>(token(role, count)) };
        let plan = plan(&cluster, &BTreeMap::new(), NOW, make).unwrap();
        let (name, founder) = ("home".parse().unwrap(), &cluster.spec.hosts[0].name);
        let owner = Owner { name: &name, identity: identity(), tokens: &plan.tokens, founder: Some(founder) };
        let made = seeds(&cluster, &owner).unwrap();
        let several = cluster.controllers().count() > 1;
        let names: Vec<&HostName> = made.iter().map(|(name, _)| name).collect();
        let wanted: Vec<&HostName> = cluster.spec.hosts.iter().map(|host| &host.name).collect();
        prop_assert_eq!(names, wanted);
        for ((_, made), host) in made.iter().zip(&cluster.spec.hosts) {
            let text = made.to_cloud_config().unwrap();
            prop_assert_eq!(&read(&text), made);
            prop_assert_eq!(&made.skerry.node_address, &host.node_address);
            prop_assert_eq!(text.contains("PRIVATE KEY"), host.name == *founder, "only one may make the cluster");
            prop_assert_eq!(made.skerry.token.is_some(), several || !host.role.controls());
            let told = if host.name == *founder { plan.tokens.len() } else { 0 };
            prop_assert_eq!(made.skerry.tokens.len(), told);
            if let Some(token) = &made.skerry.token {
                let token: JoinToken = token.reveal().parse().unwrap();
                prop_assert_eq!(token.role, host.role.role());
                prop_assert!(host.addresses.iter().all(|own| !token.servers.contains(own)), "nobody asks itself");
                let known = &plan.tokens[&host.name];
                prop_assert!(known.id == token.id && known.role == token.role);
            }
        }
        let again = cluster::read(&Source::new("s"), cluster.to_yaml().unwrap().as_bytes());
        prop_assert_eq!(again, Ok(cluster));
    }
}
