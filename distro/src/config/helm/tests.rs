//! Charts as they may be written, and as they may not.

use std::time::Duration;

use proptest::prelude::*;

use super::{Chart, Helm, Manner, Source, Trust};
use crate::supervisor::chain;

fn helm(yaml: &str) -> Result<Helm, Vec<String>> {
    let raw = serde_yaml_ng::from_str(yaml).expect("well-formed");
    Helm::validate(&raw).map_err(|bad| bad.iter().map(|bad| chain(bad)).collect())
}

fn chart(yaml: &str) -> Result<Chart, Vec<String>> {
    let repositories = "repositories: [{name: stable, url: 'https://charts.example'}]";
    helm(&format!("{{{repositories}, charts: [{yaml}]}}")).map(|mut helm| helm.charts.remove(0))
}

#[test]
fn a_chart_needs_only_a_name_and_where_it_is() {
    let chart = chart("{name: web, chartname: stable/nginx}").expect("valid");
    assert_eq!(chart.release.to_string(), "default/web");
    assert_eq!(chart.source, Source::Repository { repository: "stable".to_owned(), chart: "nginx".to_owned() });
    assert_eq!((chart.version, chart.values.as_str(), chart.order), (None, "", 0));
    assert_eq!((chart.timeout, chart.manner), (Duration::from_secs(600), Manner::Apply));
}

#[test]
fn charts_come_from_repositories_registries_servers_and_files() {
    for (text, local) in [
        ("oci://registry.example/team/web", false),
        ("https://example.com/web-1.tgz", false),
        ("/srv/charts/web", true),
        ("/srv/charts/web-1.tgz", true),
    ] {
        let source = chart(&format!("{{name: web, chartname: '{text}'}}")).expect("valid").source;
        let wanted = if local { Source::Local(text.into()) } else { Source::Url(text.to_owned()) };
        assert_eq!(source, wanted);
    }
}

#[test]
fn values_are_a_map_or_the_text_of_one() {
    let values = |values: &str| chart(&format!("{{name: web, chartname: /web, values: {values}}}"));
    assert_eq!(values("{a: {b: 'yes'}}").expect("valid").values, r#"{"a":{"b":"yes"}}"#);
    assert_eq!(values(r#""a:\n  b: yes # so\n""#).expect("valid").values, "a:\n  b: yes # so\n");
    assert_eq!(values("''").expect("valid").values, "");
    for bad in ["[a]", "a word", "3", r#""a: b: c""#] {
        let wanted = "charts: web: values: wanted: a map, or a text that is one in YAML";
        assert_eq!(values(bad).expect_err("refused"), [wanted], "{bad}");
    }
}

#[test]
fn every_problem_is_told() {
    let yaml = "
concurrencyLevel: 0
repositories:
- {name: a b, url: 'ftp://x'}
- {name: stable, url: 'https://me:hidden@charts.example', username: me, keyfile: key}
- {name: stable, url: 'oci://registry.example/charts'}
- {name: good, url: 'https://charts.example', caFile: ca.crt}
charts:
- {name: Web, chartname: nginx, namespace: a.b, timeout: soon}
- {name: web, chartname: stabel/nginx, version: -x, timeout: 25h}
- {name: shop, chartname: ../shop}
- {name: shop, chartname: good/shop, values: 1}
- {name: farm, chartname: /farm}
- {name: farm, chartname: /farm, namespace: default}
";
    let problems = helm(yaml).expect_err("refused");
    assert!(!problems.iter().any(|problem| problem.contains("hidden")), "{problems:#?}");
    crate::golden::check("helm-refusals.txt", &problems.iter().map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn credentials_come_whole_and_are_not_shown() {
    let yaml = "repositories: [{name: own, url: 'https://charts.example/', username: me, password: hidden, insecure: true, \
                certFile: /a, keyfile: /b}]";
    let helm = helm(yaml).expect("valid");
    let own = &helm.repositories[0];
    assert_eq!((own.url.as_str(), own.trust), ("https://charts.example", Trust::Blind));
    assert_eq!(own.login.as_ref().map(|(name, secret)| (name.as_str(), secret.reveal())), Some(("me", "hidden")));
    assert!(!format!("{helm:?}").contains("hidden"));
}

#[test]
fn one_name_in_two_namespaces_is_two_releases() {
    let two = "{charts: [{name: a, chartname: /a}, {name: a, chartname: /a, namespace: b}]}";
    assert_eq!(helm(two).expect("valid").charts.len(), 2);
}

proptest! {
    /// What is accepted can stand in a command line and a path.
    #[test]
    fn any_chart_is_refused_or_safe(name in "\\PC{0,60}", source in "\\PC{0,60}", version in "\\PC{0,20}") {
        let raw = super::raw::RawChart {
            name, chartname: source, version: Some(version.as_str().into()), values: None, namespace: None, timeout: None,
            order: None, force_upgrade: None,
        };
        if let Ok(chart) = Chart::validate(&raw, &["stable"]) {
            prop_assert!(!chart.release.name.starts_with('-') && !chart.release.name.contains('/'));
            prop_assert!(chart.version.is_none_or(|version| !version.starts_with('-')));
        }
    }
}
