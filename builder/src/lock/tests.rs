//! What `lock` promises.

use std::{collections::BTreeSet, path::Path};

use skerry_formats::arch::Arch;

use super::*;
use crate::{
    archive::{
        Archive,
        fixture::{Fixture, Spec, golden, nothing, spec, words},
        mirror::MirrorError,
    },
    fetch::FetchError,
    fsx,
    report::{Reporter, print_error},
};

fn base() -> Vec<Spec> {
    vec![
        spec("app", "1.0", "Depends: lib (= 1.0), data"),
        spec("lib", "1.0", ""),
        spec("data", "7", ""),
        spec("other", "1", ""),
    ]
}

fn request(named: &str) -> Vec<SetRequest> {
    vec![SetRequest::new("root/test/default", Arch::Amd64, &words(named), &nothing()).unwrap()]
}

fn make(archive: &Archive, named: &str, previous: Option<&Lock>) -> Result<Lock, LockError> {
    let (table, reporter) = (ScriptsTable::default(), Reporter::quiet());
    resolve(&request(named), previous, &Context { archive, table: &table, reporter: &reporter })
}

fn ids(lock: &Lock) -> Vec<&str> {
    lock.packages.keys().map(|id| id.as_str()).collect()
}

#[test]
fn a_lock_survives_its_text_and_names_no_mirror() {
    let fixture = Fixture::new(&base());
    let lock = make(&fixture.archive(), "app", None).unwrap();
    assert_eq!(ids(&lock), ["app_1.0_all", "data_7_all", "lib_1.0_all"]);
    let text = lock.to_text().unwrap();
    assert_eq!(Lock::parse(Path::new("skerry.lock"), &text).unwrap(), lock);
    assert!(!text.contains(fixture.dir.path().to_str().unwrap()));
    assert_eq!(make(&fixture.archive(), "app", Some(&lock)).unwrap().to_text().unwrap(), text);
}

#[test]
fn a_lock_that_contradicts_itself_is_refused() {
    let fixture = Fixture::new(&base());
    let text = make(&fixture.archive(), "app", None).unwrap().to_text().unwrap();
    for (from, to, why) in [
        ("[packages.data_7_all]", "[packages.data_8_all]", "`data_7_all`, which is not there"),
        ("pool/main/d/", "pool/../d/", "has path `pool/../d/data_7_all.deb`"),
        ("name = \"data\"", "name = \"date\"", "`data_7_all` is described as `date_7_all`"),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let error = Lock::parse(Path::new("skerry.lock"), &text.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn drift_is_shown_and_has_its_own_exit_code() {
    let fixture = Fixture::new(&base());
    let lock = make(&fixture.archive(), "app", None).unwrap();
    assert_eq!(lock.check(&request("app")), Ok(()));
    let exclude = [("data".to_owned(), "why not".to_owned())].into();
    let changed = SetRequest::new("root/test/default", Arch::Arm64, &words("lib other"), &exclude).unwrap();
    let new = SetRequest::new("toolbox/amd64", Arch::Amd64, &words("app"), &nothing()).unwrap();
    let drift = lock.check(&[changed, new]).unwrap_err();
    golden("drift.txt", &print_error(&drift));
    assert_eq!(crate::report::Explain::exit_code(&drift), 3);
}

#[test]
fn an_unreviewed_script_is_shown_and_refused() {
    let script = Spec { postinst: "#!/bin/sh\nset -e\nadduser --system app\n", ..spec("app", "1.0", "") };
    let fixture = Fixture::new(&[script]);
    let error = make(&fixture.archive(), "app", None).unwrap_err();
    let text = print_error(&error);
    golden("unknown-script.txt", &text);
    let entry = &text[text.find("[[script]]").unwrap()..text.find("  hint:").unwrap()];
    let table = |text: &str| crate::catalog::data::parse::<ScriptsTable>(Path::new("scripts.toml"), text).unwrap();
    let (empty, table) = (table(entry), table(&entry.replace("\"\"", "\"accounts.toml\"")));
    let (archive, reporter) = (fixture.archive(), Reporter::quiet());
    let context = Context { archive: &archive, table: &table, reporter: &reporter };
    assert!(resolve(&request("app"), None, &Context { table: &empty, ..context }).is_err(), "no sentence, no review");
    let lock = resolve(&request("app"), None, &context).unwrap();
    assert!(lock.packages.values().all(|package| package.scripts.is_some()));
}

#[test]
fn an_unsatisfiable_set_is_named() {
    let fixture = Fixture::new(&[spec("app", "1.0", "Depends: lib (>= 2)"), spec("lib", "1.0", "")]);
    golden("unsatisfiable-set.txt", &print_error(&make(&fixture.archive(), "app", None).unwrap_err()));
}

#[test]
fn what_is_in_the_store_needs_no_mirror() {
    let fixture = Fixture::new(&base());
    let lock = make(&fixture.archive(), "app", None).unwrap();
    let without = Archive { mirror: Err(MirrorError::None), ..fixture.archive() };
    assert_eq!(fetch(lock.packages.values(), &without, &Reporter::quiet()).unwrap().len(), 3);
    fsx::remove_dir_all(fixture.store().root()).unwrap();
    let error = fetch(lock.packages.values(), &without, &Reporter::quiet()).unwrap_err();
    assert!(matches!(error, LockError::Fetch(FetchError::Mirror(MirrorError::None))));
}

/// A lock of 1.0, then a mirror on which `app` and `lib` are 1.1, and a store without the old ones.
fn outdated() -> (Fixture, Lock) {
    let fixture = Fixture::new(&base());
    let lock = make(&fixture.archive(), "app", None).unwrap();
    fsx::remove_dir_all(fixture.store().root()).unwrap();
    let new = [spec("app", "1.1", "Depends: lib (= 1.1), data"), spec("lib", "1.1", ""), spec("data", "8", "")];
    fixture.publish(&new);
    // As on a real mirror, what is still wanted by another suite stays.
    fixture.write(&base()[2].path(), &base()[2].deb());
    (fixture, lock)
}

#[test]
fn packages_that_left_the_mirror_are_all_named() {
    let (fixture, lock) = outdated();
    let error = fetch(lock.packages.values(), &fixture.archive(), &Reporter::quiet()).unwrap_err();
    golden("packages-gone.txt", &print_error(&error));
}

fn substituted(fixture: &Fixture, lock: &Lock, gone: &[&str]) -> (Lock, Vec<String>) {
    let gone: BTreeSet<_> = lock.packages.keys().filter(|id| gone.contains(&id.as_str())).cloned().collect();
    let (archive, table, reporter) = (fixture.archive(), ScriptsTable::default(), Reporter::quiet());
    let context = Context { archive: &archive, table: &table, reporter: &reporter };
    let (amended, list) = substitute(lock, &gone, &context).unwrap();
    (amended, list.iter().map(ToString::to_string).collect())
}

#[test]
fn only_what_left_the_mirror_is_substituted() {
    let (fixture, lock) = outdated();
    fetch(lock.packages.values(), &fixture.archive(), &Reporter::quiet()).unwrap_err();
    let (amended, list) = substituted(&fixture, &lock, &["app_1.0_all", "lib_1.0_all"]);
    assert_eq!(ids(&amended), ["app_1.1_all", "data_7_all", "lib_1.1_all"]);
    let words = "the locked version left the mirror";
    assert_eq!(list, [format!("app 1.0 → 1.1: {words}"), format!("lib 1.0 → 1.1: {words}")]);
    assert_eq!(amended.check(&request("app")), Ok(()));
    let files = fetch(amended.packages.values(), &fixture.archive(), &Reporter::quiet()).unwrap();
    assert_eq!(files.len(), 3);
}

#[test]
fn what_cannot_be_beside_a_substitute_goes_with_it() {
    let (fixture, lock) = outdated();
    fixture.write(&base()[0].path(), &base()[0].deb());
    fetch(lock.packages.values(), &fixture.archive(), &Reporter::quiet()).unwrap_err();
    let (amended, list) = substituted(&fixture, &lock, &["lib_1.0_all"]);
    assert_eq!(ids(&amended), ["app_1.1_all", "data_7_all", "lib_1.1_all"]);
    assert_eq!(list[0], "app 1.0 → 1.1: it goes with a package whose locked version left the mirror");
}

#[test]
fn a_kernel_whose_name_changed_is_substituted_with_its_meta_package() {
    let fixture = Fixture::new(&[spec("app", "1", "Depends: image-1.0"), spec("image-1.0", "1", "")]);
    let lock = make(&fixture.archive(), "app", None).unwrap();
    fixture.publish(&[spec("app", "2", "Depends: image-2.0"), spec("image-2.0", "2", "")]);
    let (amended, list) = substituted(&fixture, &lock, &["image-1.0_1_all"]);
    assert_eq!(ids(&amended), ["app_2_all", "image-2.0_2_all"]);
    assert_eq!(list[1], "image-1.0 1 → none: the locked version left the mirror");
}

#[test]
fn a_build_goes_on_when_packages_left_the_mirror_unless_told_not_to() {
    let (fixture, lock) = outdated();
    let (archive, table, reporter) = (fixture.archive(), ScriptsTable::default(), Reporter::quiet());
    let context = Context { archive: &archive, table: &table, reporter: &reporter };
    let sets = ["root/test/default".parse().unwrap()];
    let refused = available(&lock, &sets, WhenGone::Refuse, &context).unwrap_err();
    golden("packages-gone.txt", &print_error(&refused));
    let (amended, substitutions) = available(&lock, &sets, WhenGone::Substitute, &context).unwrap();
    assert_eq!(substitutions.len(), 2);
    let versions: Vec<String> = amended.set(&sets[0]).unwrap().iter().map(|package| package.id().to_string()).collect();
    assert_eq!(versions, ["app_1.1_all", "data_7_all", "lib_1.1_all"]);
    assert_eq!(available(&amended, &sets, WhenGone::Refuse, &context).unwrap().1, [], "nothing is missing now");
}

#[test]
fn a_vendor_folder_serves_build_and_lock_without_the_mirror() {
    let fixture = Fixture::new(&base());
    let lock = make(&fixture.archive(), "app", None).unwrap();
    let folder = fixture.dir.path().join("vendor");
    let vendored = vendor(&lock, &folder, &fixture.archive(), &Reporter::quiet()).unwrap();
    assert_eq!((vendored.packages, vendored.without_lists.len()), (3, 0));
    fsx::remove_dir_all(fixture.store().root()).unwrap();
    fsx::remove_dir_all(&fixture.folder()).unwrap();
    let archive = fixture.archive_at(folder.to_str().unwrap());
    assert_eq!(fetch(lock.packages.values(), &archive, &Reporter::quiet()).unwrap().len(), 3);
    assert_eq!(make(&archive, "app", Some(&lock)).unwrap(), lock);
}

#[test]
fn a_diff_tells_versions_and_sets() {
    let fixture = Fixture::new(&base());
    let old = make(&fixture.archive(), "app", None).unwrap();
    fixture.publish(&[spec("app", "1.1", "Depends: lib"), spec("lib", "1.0", "")]);
    let new = make(&fixture.archive(), "app", Some(&old)).unwrap();
    assert_eq!(diff(&old, &new).lines, ["  app 1.0 → 1.1 (all)", "- data 7 (all)"]);
    assert!(diff(&new, &new).is_empty());
}

#[test]
fn the_reviewed_scripts_of_the_repository_are_readable() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/scripts.toml");
    let table = ScriptsTable::load(&path).unwrap();
    assert!(table.sentences().count() > 40 && table.sentences().all(|sentence| sentence.len() > 10));
}
