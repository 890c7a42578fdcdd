//! What is written and made, to the letter.

use super::{Begin, Existing, Found, Manner, Step, plan};
use crate::golden;
use crate::service::{Init, Order, Rotation, ServiceError, ServiceRole, State};

fn order(words: &[&str]) -> Order {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Order::new(ServiceRole::Controller, "/usr/local/bin/sk8s".into(), words).expect("plain words")
}

fn single() -> Order {
    let mut order = order(&["controller", "--single", "--config=/etc/sk8s/my config.yaml", "--node-name=100%"]);
    order.env = vec!["HTTPS_PROXY=http://proxy:3128".parse().expect("a variable")];
    order
}

fn bare(init: Init) -> Found {
    Found {
        init,
        service: None,
        environment: None,
        other: false,
        rotation: Rotation::Nobody,
        enabled: false,
        state: State::Stopped,
        passwd: "root:x:0:0:root:/root:/bin/sh\netcd:x:105:110::/var/lib/etcd:/bin/false\n".into(),
    }
}

/// What is there after an order was carried out.
fn after(order: &Order, init: Init) -> Found {
    let passwd = crate::service::accounts::ACCOUNTS.iter().map(|(name, _)| format!("{name}:x:1:1::/:/\n")).collect();
    let environment = Some(crate::service::environment::text(&order.env)).filter(|text| !text.is_empty());
    Found { service: Some(init.text(order)), environment, enabled: true, passwd, ..bare(init) }
}

const CAREFUL: Manner = Manner { existing: Existing::Keep, begin: Begin::Later };
const FORCED: Manner = Manner { existing: Existing::Replace, begin: Begin::Now };

#[test]
fn the_unit_is_the_golden_one() {
    golden::check("sk8scontroller.service", &Init::Systemd.text(&single()));
}

#[test]
fn the_script_is_the_golden_one() {
    golden::check("sk8scontroller.openrc", &Init::OpenRc.text(&single()));
}

#[test]
fn words_come_back_from_either_text() {
    for init in Init::ALL {
        assert_eq!(init.words(&init.text(&single())), single().words);
    }
}

#[test]
fn an_empty_machine_gets_accounts_service_and_link() {
    let steps = plan(&single(), &bare(Init::Systemd), CAREFUL).expect("nothing is in the way");
    let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
    let accounts = ["account: kine", "account: kube-apiserver", "account: kube-controller-manager"];
    let more = ["account: kube-scheduler", "account: metrics-server"];
    let rest = ["environment written", "service written", "started at each boot"];
    assert_eq!(steps, [&accounts[..], &more[..], &rest[..]].concat());
}

#[test]
fn a_worker_needs_no_accounts() {
    let order = Order::new(ServiceRole::Worker, "/usr/bin/sk8s".into(), vec!["worker".into()]).expect("plain");
    let steps = plan(&order, &bare(Init::OpenRc), CAREFUL).expect("nothing is in the way");
    assert_eq!(steps, [Step::Service(Init::OpenRc.text(&order)), Step::Enable]);
}

#[test]
fn a_log_is_rotated_where_something_rotates_logs() {
    let there = |rotation| Found { rotation, ..after(&single(), Init::OpenRc) };
    let steps = |rotation| plan(&single(), &there(rotation), CAREFUL).expect("the same");
    assert_eq!(steps(Rotation::Missing), [Step::Rotation]);
    assert_eq!(steps(Rotation::There), []);
}

#[test]
fn the_second_time_nothing_is_to_do() {
    for init in Init::ALL {
        assert_eq!(plan(&single(), &after(&single(), init), CAREFUL).expect("the same"), []);
        let running = Found { state: State::Running, ..after(&single(), init) };
        assert_eq!(plan(&single(), &running, FORCED).expect("the same"), []);
    }
}

#[test]
fn another_text_is_kept_unless_forced() {
    let there = Found { state: State::Running, ..after(&single(), Init::Systemd) };
    let other = order(&["controller"]);
    let error = plan(&other, &there, CAREFUL).expect_err("it differs");
    assert_eq!(
        error.to_string(),
        "`/etc/systemd/system/sk8scontroller.service` is there already and says something else"
    );
    let steps = plan(&other, &there, FORCED).expect("forced");
    let text = Init::Systemd.text(&other);
    assert_eq!(steps, [Step::Environment(String::new()), Step::Service(text), Step::Stop, Step::Start]);
}

#[test]
fn one_machine_has_one_role_unless_forced() {
    let there = Found { other: true, ..bare(Init::Systemd) };
    let error = plan(&single(), &there, CAREFUL).expect_err("a worker is there");
    assert!(matches!(error, ServiceError::OtherRole(ServiceRole::Worker)), "{error}");
    let steps = plan(&single(), &there, FORCED).expect("forced");
    assert_eq!(steps.first(), Some(&Step::RemoveOther(ServiceRole::Worker)));
}
