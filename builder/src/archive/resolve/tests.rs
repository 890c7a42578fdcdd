//! What `resolve` promises.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    archive::{fixture::golden, index, suite::Suite},
    report::print_error,
};

/// One package a line: `name version [Depends: …][; Provides: …][; Conflicts: …][; Priority: …]`.
fn universe(lines: &str) -> Universe {
    let mut text = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut parts = line.split(';').map(str::trim);
        let (name, version) = parts.next().unwrap().split_once(' ').unwrap();
        text.push_str(&format!("Package: {name}\nVersion: {version}\nArchitecture: all\nSize: 1\n"));
        text.push_str(&format!("Filename: pool/{name}_{version}.deb\nSHA256: {}\n", "0".repeat(64)));
        parts.for_each(|field| text.push_str(&format!("{field}\n")));
        text.push('\n');
    }
    Universe::new(index::read(Suite::Release, text.as_bytes()).unwrap()).unwrap()
}

fn names(words: &str) -> BTreeSet<PackageName> {
    words.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

fn resolved(universe: &Universe, named: &str, exclude: &str) -> String {
    let resolution = resolve(universe, &names(named), &names(exclude)).unwrap();
    let ids = resolution.packages.values().map(|chosen| format!("{}={}", chosen.record.name, chosen.record.version));
    ids.collect::<Vec<_>>().join(" ")
}

fn error(universe: &Universe, named: &str) -> String {
    print_error(&resolve(universe, &names(named), &BTreeSet::new()).unwrap_err())
}

#[test]
fn the_newest_version_that_fits_is_taken() {
    let universe = universe("app 1; Depends: lib (<< 3)\nlib 1\nlib 2\nlib 3\napp2 1; Depends: lib");
    assert_eq!(resolved(&universe, "app", ""), "app=1 lib=2");
    assert_eq!(resolved(&universe, "app2", ""), "app2=1 lib=3");
}

#[test]
fn an_alternative_that_comes_in_anyway_is_taken() {
    let universe = universe("aa 1; Depends: mawk | gawk\nbb 1; Depends: gawk\nmawk 1\ngawk 1");
    assert_eq!(resolved(&universe, "aa bb", ""), "aa=1 bb=1 gawk=1");
}

#[test]
fn a_required_provider_is_taken_before_others() {
    let universe = universe("aa 1; Depends: awk\ngawk 1; Provides: awk\nmawk 1; Provides: awk; Priority: required");
    assert_eq!(resolved(&universe, "aa", ""), "aa=1 mawk=1");
}

#[test]
fn a_versioned_provision_meets_a_version_and_an_unversioned_does_not() {
    let one = universe("aa 1; Depends: api (>= 2)\npp 1; Provides: api (= 2.1)");
    assert_eq!(resolved(&one, "aa", ""), "aa=1 pp=1");
    let other = universe("aa 1; Depends: api (>= 2)\npp 1; Provides: api");
    assert!(resolve(&other, &names("aa"), &BTreeSet::new()).is_err());
}

#[test]
fn an_exclusion_cuts_unless_the_dependency_names_another() {
    let lines = "aa 1; Depends: bus | bus-api, other | third\nbus 1; Provides: bus-api\nbroker 1; Provides: bus-api\n\
                 other 1\nthird 1";
    let universe = universe(lines);
    assert_eq!(resolved(&universe, "aa", "bus other"), "aa=1 third=1");
    let cuts = resolve(&universe, &names("aa"), &names("bus")).unwrap().cuts;
    assert_eq!(cuts[0].relation, "bus | bus-api");
    assert_eq!(resolved(&universe, "aa bus", "bus"), "aa=1 bus=1 other=1", "a named package is not excluded");
}

#[test]
fn an_alternative_in_conflict_is_passed_over() {
    let universe = universe("aa 1; Depends: xx | yy\nbb 1; Conflicts: xx\nxx 1\nyy 1");
    assert_eq!(resolved(&universe, "aa bb", ""), "aa=1 bb=1 yy=1");
}

#[test]
fn what_cannot_be_met_names_who_wants_it_and_what_there_is() {
    let universe = universe(
        "top 1; Depends: middle\nmiddle 1; Depends: lib (>= 2) | none\nlib 1\n\
         left 1; Depends: shared\nright 1; Conflicts: shared (<< 5)\nshared 1\nbash 1",
    );
    let all = ["top", "left right", "bahs"].map(|named| error(&universe, named)).concat();
    golden("unsatisfiable.txt", &all);
}

proptest! {
    #[test]
    fn what_is_resolved_is_closed_and_free_of_conflicts(
        edges in proptest::collection::vec((0..8_usize, 0..8_usize, 0..3_u8), 0..16),
    ) {
        let mut lines = String::new();
        for package in 0..8 {
            let list = |kind| edges.iter().filter(|edge| edge.0 == package && edge.2 == kind && edge.1 != package)
                .map(|edge| format!("p{}", edge.1)).collect::<Vec<_>>();
            let (plain, any, conflicts) = (list(0), list(1), list(2));
            let depends = [plain.join(", "), any.join(" | ")].iter().filter(|part| !part.is_empty())
                .cloned().collect::<Vec<_>>().join(", ");
            lines.push_str(&format!("p{package} 1; Depends: {depends}; Conflicts: {}\n", conflicts.join(", ")));
        }
        let universe = universe(&lines);
        let first = resolve(&universe, &names("p0"), &BTreeSet::new());
        prop_assert_eq!(&first, &resolve(&universe, &names("p0"), &BTreeSet::new()));
        let Ok(resolution) = first else { return Ok(()) };
        let meets = |wanted: &Wanted| resolution.packages.values().any(|chosen| chosen.record.meets(wanted));
        for chosen in resolution.packages.values() {
            for relation in relation::parse_list(&chosen.record.depends).unwrap() {
                prop_assert!(relation.alternatives.iter().any(meets), "{relation} of {}", chosen.record.name);
            }
            for relation in relation::parse_list(&chosen.record.conflicts).unwrap() {
                prop_assert!(!relation.alternatives.iter().any(meets), "conflict {relation} of {}", chosen.record.name);
            }
        }
    }
}
