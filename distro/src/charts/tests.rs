//! What becomes of charts, and how helm is told.

use proptest::prelude::*;
use serde_json::json;
use skerry_formats::status::ChartState;

use super::{
    Contents, Job, Mark, Patience, Releases, Revision, Site, State, Step, complaint, environment, jobs, logins, print,
    refresh, releases, report, repositories, roll_back, uninstall, upgrade,
};
use crate::{
    config::{Chart, Helm, NodeName, Raw, ReleaseRef, Settings},
    paths::Paths,
    sys::{
        fs::{self, Access},
        machine,
    },
};

const CONFIG: &str = "
spec:
  extensions:
    helm:
      repositories:
      - {name: stable, url: 'https://charts.example/stable', username: me, password: hidden, caFile: /etc/ca.crt}
      - {name: open, url: 'http://open.example', insecure: true}
      - {name: team, url: 'oci://registry.example/team', username: us, password: secret, certFile: /a.crt, keyfile: /a.key}
      - {name: any, url: 'oci://registry.example', insecure: true}
      charts:
      - {name: shop, chartname: stable/shop, version: 1.2.3, namespace: shop, values: {replicas: 2}, order: 2, timeout: 90s}
      - {name: web, chartname: 'oci://registry.example/team/web', forceUpgrade: true}
      - {name: mail, chartname: 'oci://registry.example/teams/mail'}
      - {name: farm, chartname: /srv/farm.tgz, order: -1}
";

fn helm() -> Helm {
    Settings::validate(&Raw::parse(CONFIG).expect("well-formed"), "barn").expect("valid").helm
}

fn node(name: &str) -> NodeName {
    name.parse().expect("a name")
}

fn release(name: &str) -> ReleaseRef {
    ReleaseRef { namespace: "default".into(), name: name.into() }
}

fn revision(number: u32, state: State, mark: Option<(&str, &str)>) -> Revision {
    Revision { number, state, mark: mark.map(|(print, by)| Mark { print: print.into(), node: node(by) }) }
}

/// What is to be done about one release, wanted with a print or not wanted.
fn step(wanted: Option<&str>, revisions: &[Revision]) -> Option<Step> {
    let mut chart = helm().charts.remove(1);
    chart.release = release("web");
    let wanted: Vec<(&Chart, String)> = wanted.map(|print| (&chart, print.to_owned())).into_iter().collect();
    let there: Releases =
        if revisions.is_empty() { Releases::new() } else { [(release("web"), revisions.to_vec())].into() };
    jobs(&wanted, &there, &node("barn")).first().map(|job| job.step)
}

#[test]
fn a_chart_is_made_changed_and_left_alone() {
    assert_eq!(step(Some("a"), &[]), Some(Step::Upgrade));
    let ours = |state| [revision(1, state, Some(("a", "barn")))];
    assert_eq!(step(Some("a"), &ours(State::Deployed)), Some(Step::Leave));
    assert_eq!(step(Some("b"), &ours(State::Deployed)), Some(Step::Upgrade));
    assert_eq!(step(Some("a"), &ours(State::Failed)), Some(Step::Upgrade));
    assert_eq!(step(Some("a"), &ours(State::Uninstalling)), Some(Step::Uninstall));
}

#[test]
fn a_run_that_was_cut_short_is_undone() {
    let pending = revision(3, State::Pending, Some(("b", "barn")));
    assert_eq!(step(Some("a"), std::slice::from_ref(&pending)), Some(Step::Uninstall));
    let upgrade = [
        revision(1, State::Superseded, Some(("a", "barn"))),
        revision(2, State::Deployed, Some(("a", "barn"))),
        pending.clone(),
    ];
    assert_eq!(step(Some("b"), &upgrade), Some(Step::RollBack(2)));
    let rollback =
        [revision(1, State::Superseded, Some(("a", "barn"))), revision(2, State::Failed, Some(("b", "barn"))), pending];
    assert_eq!(step(Some("b"), &rollback), Some(Step::RollBack(1)));
}

#[test]
fn a_release_of_others_is_left_alone_whatever_it_is_called() {
    assert_eq!(step(Some("a"), &[revision(1, State::Deployed, None)]), Some(Step::Refuse));
    assert_eq!(step(Some("a"), &[revision(1, State::Pending, None)]), Some(Step::Refuse));
    assert_eq!(step(Some("a"), &[revision(1, State::Uninstalled, None)]), Some(Step::Upgrade), "the name is free");
    assert_eq!(step(None, &[revision(1, State::Deployed, None)]), None);
    assert_eq!(step(None, &[revision(1, State::Deployed, Some(("a", "mill")))]), None, "another controller's");
    assert_eq!(step(None, &[revision(1, State::Deployed, Some(("a", "barn")))]), Some(Step::Uninstall));
}

#[test]
fn what_left_goes_first_and_the_others_come_by_their_order() {
    let helm = helm();
    let wanted: Vec<(&Chart, String)> = helm.charts.iter().map(|chart| (chart, "a".to_owned())).collect();
    let there = [(release("old"), vec![revision(1, State::Deployed, Some(("a", "barn")))])].into();
    let order: Vec<_> = jobs(&wanted, &there, &node("barn")).iter().map(|job| job.release.to_string()).collect();
    assert_eq!(order, ["default/old", "default/farm", "default/web", "default/mail", "shop/shop"]);
}

#[test]
fn releases_are_read_from_what_helm_writes_on_its_secrets() {
    let item = |version: &str, status: &str, ours: bool| {
        let mut labels = json!({"owner": "helm", "name": "web", "version": version, "status": status});
        if ours {
            labels["sk8s.skerry.dev/chart"] = "a".into();
            labels["sk8s.skerry.dev/node"] = "barn".into();
        }
        json!({"metadata": {"namespace": "default", "name": format!("sh.helm.release.v1.web.v{version}"), "labels": labels}})
    };
    let list = json!({"items": [item("10", "pending-upgrade", true), item("9", "deployed", false), {"metadata": {}}]});
    let wanted = vec![revision(9, State::Deployed, None), revision(10, State::Pending, Some(("a", "barn")))];
    assert_eq!(releases(&list), [(release("web"), wanted)].into());
    assert_eq!(releases(&json!({})), Releases::new());
}

#[test]
fn a_print_changes_with_whatever_a_release_is_made_from() {
    let (helm, mut seen) = (helm(), std::collections::BTreeSet::new());
    let chart = &helm.charts[0];
    let of = |chart: &Chart| print(chart, &helm.repositories, None);
    assert!(seen.insert(of(chart)));
    assert!(seen.insert(of(&Chart { version: None, ..chart.clone() })));
    assert!(seen.insert(of(&Chart { values: "{}".into(), ..chart.clone() })));
    assert!(seen.insert(of(&helm.charts[1])));
    assert!(seen.insert(print(chart, &[], None)), "another place");
    let content = Some(skerry_formats::digest::Digest::of(b"farm"));
    assert!(seen.insert(print(&helm.charts[3], &[], content)) && seen.insert(print(&helm.charts[3], &[], None)));
    assert!(!seen.insert(of(&Chart { order: 9, timeout: std::time::Duration::MAX, ..chart.clone() })));
}

#[test]
fn the_content_of_a_chart_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (chart, mut contents) = (folder.path().join("farm"), Contents::default());
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(chart.join("templates")).expect("a folder");
        fs::write(&chart.join(name), text.as_bytes(), Access::Public, machine::account()).expect("written");
    };
    assert_eq!(contents.digest(&chart).expect("looked at"), None);
    write("Chart.yaml", "name: farm");
    let first = contents.digest(&chart).expect("read");
    assert!(first.is_some() && contents.digest(&chart).expect("read") == first);
    write("templates/pod.yaml", "kind: Pod");
    let second = contents.digest(&chart).expect("read");
    assert_ne!(first, second);
    assert_eq!(Contents::default().digest(&chart).expect("read"), second);
    assert_ne!(contents.digest(&chart.join("Chart.yaml")).expect("read"), None);
}

#[test]
fn helm_is_told_in_these_words() {
    let (helm, site, barn) = (helm(), Site::of(&Paths::default()), node("barn"));
    let mut lines: Vec<Vec<String>> = Vec::new();
    for chart in &helm.charts {
        lines.push(upgrade(chart, "0123abcd", (&barn, &site), &helm.repositories));
    }
    lines.extend([refresh("stable"), roll_back(&release("web"), 3), uninstall(&release("web"))]);
    let mut text: String = lines.iter().map(|words| format!("{}\n", words.join("\n  "))).collect();
    text.push_str("environment\n");
    for (name, value) in environment(&site) {
        text.push_str(&format!("  {name}={}\n", value.display()));
    }
    assert!(!text.contains("hidden") && !text.contains("secret"));
    crate::golden::check("argv-helm.txt", &text);
    let files = format!("{}{}", repositories(&helm.repositories), logins(&helm.repositories));
    crate::golden::check("files-helm.txt", &files);
}

#[test]
fn a_complaint_is_helms_own() {
    let err = "level=WARN msg=x\nError: UPGRADE FAILED: no such thing\n";
    assert_eq!(complaint("", err), "UPGRADE FAILED: no such thing");
    let out = "Hang on\n...Unable to get an update from the \"x\" chart repository (http://x):\n\tno route to host\n";
    assert_eq!(complaint(out, "Error: failed to update the following repositories: [http://x]\n"), "no route to host");
    assert_eq!(complaint("", "panic\n\n"), "panic");
    assert_eq!(complaint("", ""), "it said nothing");
}

#[test]
fn every_chart_is_reported() {
    let job = |name: &str, step, order| Job { release: release(name), step, order };
    let mut patience = Patience::default();
    patience.failed(&release("bad"), ("a", "no such chart"), std::time::Duration::ZERO);
    let jobs = [
        job("old", Step::Uninstall, None),
        job("good", Step::Leave, Some(0)),
        job("bad", Step::Upgrade, Some(0)),
        job("new", Step::Upgrade, Some(0)),
        job("theirs", Step::Refuse, Some(0)),
    ];
    let found = report(&jobs, &patience);
    let states: Vec<_> = found.iter().map(|line| line.state).collect();
    let wanted =
        [ChartState::Removing, ChartState::Deployed, ChartState::Failed, ChartState::Waiting, ChartState::Failed];
    assert_eq!(states, wanted);
    assert_eq!(found[2].why.as_deref(), Some("no such chart"));
    assert!(found[4].why.as_deref().is_some_and(|why| why.contains("sk8s did not make")));
}

fn any_revision() -> impl Strategy<Value = Revision> {
    let states =
        [State::Deployed, State::Superseded, State::Failed, State::Pending, State::Uninstalling, State::Uninstalled];
    let mark = proptest::option::of(("[ab]", "(barn|mill)"));
    (1_u32..9, proptest::sample::select(states.to_vec()), mark).prop_map(|(number, state, mark)| {
        revision(number, state, mark.as_ref().map(|(print, by)| (print.as_str(), by.as_str())))
    })
}

proptest! {
    /// Whatever is there: nobody else's is touched, and what is not as it should be is never left alone for good.
    #[test]
    fn nothing_of_others_is_touched(mut revisions in proptest::collection::vec(any_revision(), 1..5), wanted in any::<bool>()) {
        revisions.sort_by_key(|revision| revision.number);
        let last = revisions.last().expect("at least one").clone();
        let done = step(wanted.then_some("a"), &revisions);
        if last.mark.is_none() && last.state != State::Uninstalled {
            prop_assert!(matches!(done, None | Some(Step::Refuse)));
        }
        if wanted && done == Some(Step::Leave) {
            prop_assert!(last.state == State::Deployed && last.mark.is_some_and(|mark| mark.print == "a"));
        }
        if let Some(Step::RollBack(number)) = done {
            prop_assert!(last.state == State::Pending && revisions.iter().any(|revision| revision.number == number));
        }
        if !wanted {
            prop_assert!(matches!(done, None | Some(Step::Uninstall)));
        }
    }
}
