//! What is refused before anything is done.

use skerry_formats::{
    cluster::{self, Cluster},
    digest::Digest,
    seed::{HostName, Source},
};

use super::{all_bare, name};
use crate::cluster::{Observed, Refusal, judge, plan};

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
