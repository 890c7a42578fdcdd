//! What is refused before anything is done.

use skerry_formats::{
    arch::Arch,
    cluster::{self, Cluster},
    digest::Digest,
    seed::{HostName, Source},
    storage::StorageType,
};

use super::{all_bare, converged, name};
use crate::cluster::{ConfigFile, Observed, Refusal, Seen, judge, judge_reset, plan, reset};

const COUNCIL: &str = "
apiVersion: skerry.dev/v1
kind: Cluster
spec:
  storage: {type: etcd}
  hosts:
  - {name: tower, role: controller, addresses: [192.0.2.1], ssh: {address: 192.0.2.1}}
  - {name: mill, role: controller, addresses: [192.0.2.2], ssh: {address: 192.0.2.2}}
  - {name: keep, role: controller, addresses: [192.0.2.3]}
  - {name: barn, role: worker, ssh: {address: barn}}
";

/// Three controllers, one of them an image that nobody logs in to, and a worker.
fn council() -> Cluster {
    cluster::read(&Source::new("hosts.yaml"), COUNCIL.as_bytes()).expect("a good file")
}

/// Bare hosts of which one is picked, and some were not looked at.
fn bare(picked: &str, unseen: &[&str]) -> Observed {
    let mut observed = Observed { picked: [name(picked)].into(), ..all_bare(&council()) };
    observed.hosts.retain(|host, _| !unseen.contains(&host.as_str()));
    observed
}

#[test]
fn no_cluster_is_made_while_a_controller_that_may_have_it_was_not_looked_at() {
    let cases: [(&str, &[&str]); 3] = [("tower", &["mill", "keep"]), ("tower", &["keep"]), ("barn", &["tower"])];
    for (picked, unseen) in cases {
        let observed = bare(picked, unseen);
        let missing: Vec<HostName> = unseen.iter().map(|host| name(host)).collect();
        assert_eq!(judge(&council(), &observed), [(name(picked), Refusal::Unseen(missing))]);
        assert_eq!(plan(&council(), &observed), [], "who is not judged first makes none either");
    }
    let said = Refusal::Unseen(vec![name("mill"), name("keep")]).to_string();
    assert!(said.contains("it may be on `mill`, `keep`"), "{said}");
}

#[test]
fn the_first_controller_makes_the_cluster_once_all_were_looked_at() {
    assert_eq!(judge(&council(), &bare("tower", &[])), []);
    assert!(!plan(&council(), &bare("tower", &[])).is_empty());
    assert_eq!(judge(&council(), &bare("mill", &[])), [(name("mill"), Refusal::NoController)]);
}

#[test]
fn a_controller_joins_at_one_that_has_the_cluster_whoever_else_is_away() {
    let mut observed = bare("tower", &["keep"]);
    observed.hosts.get_mut(&name("mill")).expect("there").authority = Some(Digest::of(b"ours"));
    assert_eq!(judge(&council(), &observed), []);
    let steps = plan(&council(), &observed);
    assert!(steps.iter().any(|step| step.to_string() == "tower: join at mill"), "{steps:?}");
}

/// What is said of a cluster that is as its file says, but for one host.
fn but(host: &str, change: impl Fn(&mut Seen)) -> Vec<(HostName, Refusal)> {
    let mut observed = converged(&council());
    change(observed.hosts.get_mut(&name(host)).expect("there"));
    judge(&council(), &observed)
}

#[test]
fn objects_that_are_kept_in_something_else_are_not_left_behind() {
    let in_sqlite = |seen: &mut Seen| seen.stores = vec![StorageType::Kine];
    let refusal = Refusal::Storage { kept: StorageType::Kine, wanted: StorageType::Etcd };
    assert!(refusal.to_string().contains("`sk8s storage migrate`"), "{refusal}");
    assert_eq!(but("tower", in_sqlite), [(name("tower"), refusal)]);
    assert_eq!(but("tower", |seen| seen.stores = vec![StorageType::Kine, StorageType::Etcd]), [], "a leftover");
    assert_eq!(but("barn", in_sqlite), [], "a worker keeps none");
    let owners = |seen: &mut Seen| {
        in_sqlite(seen);
        seen.config = Some(ConfigFile::Foreign(Digest::of(b"mine")));
    };
    assert_eq!(but("tower", owners), [], "whose configuration says so for itself");
    let back = Refusal::Storage { kept: StorageType::Etcd, wanted: StorageType::Kine };
    assert!(back.to_string().ends_with("correct `spec.storage.type`"), "{back}");
}

#[test]
fn a_member_keeps_its_name() {
    let calls = |other: &'static str| {
        move |seen: &mut Seen| {
            let words = &mut seen.service.as_mut().expect("installed").words;
            words.retain(|word| !word.starts_with("--node-name="));
            words.insert(format!("--node-name={other}"));
        }
    };
    let swapped = |host: &str, other| [(name(host), Refusal::OtherName(other))];
    assert_eq!(but("barn", calls("shed")), swapped("barn", "shed".to_owned()));
    assert_eq!(but("mill", calls("keep")), swapped("mill", "keep".to_owned()));
    let by_itself = |seen: &mut Seen| {
        seen.service.as_mut().expect("installed").words.retain(|word| !word.starts_with("--node-name="));
    };
    assert_eq!(but("barn", by_itself), swapped("barn", "node".to_owned()), "what the node says of itself");
    let never_joined = |seen: &mut Seen| {
        calls("shed")(seen);
        seen.authority = None;
    };
    assert_eq!(but("barn", never_joined), [], "whoever has not joined takes any name");
}

#[test]
fn what_has_lost_its_program_is_reset_with_another_or_not_at_all() {
    let cluster = council();
    let mut observed = converged(&cluster);
    assert_eq!(judge_reset(&cluster, &Observed { programs: [].into(), ..observed.clone() }), [], "all have their own");
    let barn = observed.hosts.get_mut(&name("barn")).expect("there");
    (barn.binary, barn.data) = (None, true);
    assert_eq!(judge_reset(&cluster, &observed), []);
    let steps = reset(&cluster, &observed);
    assert!(steps.iter().any(|step| step.to_string().starts_with("barn: upload sk8s for amd64")), "{steps:?}");
    observed.programs.remove(&Arch::Amd64);
    let refused = judge_reset(&cluster, &observed);
    assert_eq!(refused, [(name("barn"), Refusal::Lost(Arch::Amd64))]);
    assert!(refused[0].1.to_string().contains("`--binary amd64=FILE`"), "{refused:?}");
    observed.picked.remove(&name("barn"));
    assert_eq!(judge_reset(&cluster, &observed), [], "it is not asked for");
    observed.hosts.insert(name("barn"), Seen { token: true, ..super::bare() });
    observed.picked.insert(name("barn"));
    assert_eq!(judge_reset(&cluster, &observed), [], "nothing there needs a program");
}

/// What is said of a worker alone that would get a release, of a cluster whose controllers run one.
fn upgrade(release: Option<&str>, runs: &str, change: impl Fn(&mut Observed)) -> Vec<(HostName, Refusal)> {
    let mut observed = converged(&council());
    for seen in observed.hosts.values_mut() {
        seen.status.as_mut().expect("ready").version = runs.to_owned();
    }
    observed.picked = [name("barn")].into();
    observed.programs = Arch::ALL.map(|arch| (arch, Digest::of(b"another"))).into();
    observed.releases = release.iter().map(|text| (Arch::Amd64, text.parse().expect("a release"))).collect();
    change(&mut observed);
    judge(&council(), &observed)
}

#[test]
fn a_worker_does_not_become_newer_than_its_controllers() {
    let ahead = |controllers: &[&str]| {
        let controllers = controllers.iter().map(|host| name(host)).collect();
        vec![(name("barn"), Refusal::Ahead(controllers))]
    };
    let (old, new) = ("v1.36.3+sk8s.1", "v1.37.0+sk8s.1");
    let all = ["tower", "mill", "keep"];
    assert_eq!(upgrade(Some(new), old, |_| ()), ahead(&all));
    assert_eq!(upgrade(Some(new), old, |observed| observed.picked.extend([name("mill")])), ahead(&["tower", "keep"]));
    assert_eq!(
        upgrade(Some(new), old, |observed| drop(observed.hosts.remove(&name("mill")))),
        ahead(&["tower", "keep"])
    );
    for release in [old, "v1.35.1+sk8s.1"] {
        assert_eq!(upgrade(Some(release), old, |_| ()), [], "as new, or older");
    }
    assert_eq!(upgrade(None, old, |_| ()), ahead(&all), "nobody knows what it is");
    let placed = |observed: &mut Observed| {
        observed.hosts.values_mut().for_each(|seen| seen.binary = Some(Digest::of(b"another")));
        observed.hosts.get_mut(&name("barn")).expect("there").binary = None;
    };
    assert_eq!(upgrade(None, old, placed), [], "the same as theirs");
    let nobody = |observed: &mut Observed| observed.hosts.retain(|host, _| host.as_str() == "barn");
    assert_eq!(upgrade(Some(old), old, nobody), ahead(&all), "nobody knows what they run");
    let said = ahead(&["tower"])[0].1.to_string();
    assert!(said.ends_with("these come first: `tower`; name them too, `--host`"), "{said}");
}
