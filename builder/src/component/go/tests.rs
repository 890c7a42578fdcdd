//! What `go` promises.

use std::path::{Path, PathBuf};

use skerry_formats::arch::Arch;

use crate::{
    component::{Built, Component, ComponentError, NoPackages, Toolchain, Workshop},
    fsx,
    report::{Explain as _, Reporter},
    store::Store,
    tool::ToolError,
};

const SPEC: &str = r#"
name = "demo"
version = "1.2.3"
kind = "go"
module = "example.org/other"
stamps = { "main.version" = "v{version}" }
[[program]]
package = "."
install = "/usr/bin/demo"
"#;
const GO_MOD: &str = "module demo\n\ngo 1.24\n\nrequire example.org/other v1.2.3\n";
const MAIN: &str = "package main\n\nvar version = \"unset\"\n\nfunc main() { println(version) }\n";

struct Place {
    dir: tempfile::TempDir,
    component: Component,
}

/// The same component in a folder of another name and depth.
fn place(below: &str) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(below).join("demo");
    fsx::create_dir_all(&folder).unwrap();
    for (name, text) in [("component.toml", SPEC), ("go.mod", GO_MOD), ("main.go", MAIN)] {
        fsx::write_atomic(&folder.join(name), text.as_bytes()).unwrap();
    }
    let component = Component::load(&folder).unwrap();
    Place { dir, component }
}

/// Go's own cache for all tests, so that they compile its library once.
fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-go")
}

fn try_build(place: &Place, arch: Arch, cache: &Path) -> Result<Built, ComponentError> {
    let store = Store::at(place.dir.path().join("cache"));
    let toolchain = Toolchain::new(cache, place.dir.path());
    let workshop =
        Workshop { store: &store, toolchain: &toolchain, packages: &NoPackages, reporter: &Reporter::quiet() };
    workshop.build(&place.component, arch)
}

fn build(place: &Place, arch: Arch) -> Built {
    try_build(place, arch, &shared()).unwrap()
}

fn stored(built: &Built) -> PathBuf {
    match &built.files[0].content {
        crate::tree::Content::Stored { path, .. } => path.clone(),
        crate::tree::Content::Bytes(_) => panic!("not in the store"),
    }
}

#[test]
fn the_same_module_in_another_folder_gives_the_same_bytes() {
    let (one, other) = (place("a"), place("deep/er and with spaces"));
    let apart = |place: &Place| try_build(place, Arch::Amd64, &place.dir.path().join("go")).unwrap();
    let (first, second) = (apart(&one), apart(&other));
    assert_eq!(first.files[0].content.digest(), second.files[0].content.digest());
    assert_eq!(first.files[0].install.to_string(), "/usr/bin/demo");
    assert_ne!(build(&one, Arch::Arm64).files[0].content.digest(), first.files[0].content.digest());
}

#[test]
fn a_second_build_rebuilds_nothing() {
    let place = place("a");
    let path = stored(&build(&place, Arch::Amd64));
    // Were it built again, the bytes would be the program's.
    fsx::write_atomic(&path, b"marked").unwrap();
    assert_eq!(stored(&build(&place, Arch::Amd64)), path);
    assert_eq!(fsx::read(&path).unwrap(), b"marked");
}

#[test]
fn a_changed_source_is_built_again() {
    let place = place("a");
    let before = stored(&build(&place, Arch::Amd64));
    fsx::write_atomic(&place.component.folder.join("main.go"), MAIN.replace("unset", "none").as_bytes()).unwrap();
    assert_ne!(stored(&build(&place, Arch::Amd64)), before);
}

#[test]
fn a_changed_module_beside_it_is_built_again() {
    let place = place("a");
    let write = |path: &str, text: &str| {
        let path = place.component.folder.join(path);
        fsx::create_dir_all(path.parent().unwrap()).unwrap();
        fsx::write_atomic(&path, text.as_bytes()).unwrap();
    };
    write("go.mod", &format!("{GO_MOD}\nrequire ours v0.0.0\n\nreplace ours => ../ours\n"));
    write("../ours/go.mod", "module ours\n\ngo 1.24\n");
    write("main.go", "package main\n\nimport \"ours\"\n\nfunc main() { println(ours.Word) }\n");
    write("../ours/ours.go", "package ours\n\nconst Word = \"before\"\n");
    let before = stored(&build(&place, Arch::Amd64));
    assert_eq!(stored(&build(&place, Arch::Amd64)), before);
    write("../ours/ours.go", "package ours\n\nconst Word = \"after\"\n");
    assert_ne!(stored(&build(&place, Arch::Amd64)), before);
}

#[test]
fn the_version_is_stamped() {
    let place = place("a");
    let text = fsx::read(&stored(&build(&place, Arch::Amd64))).unwrap();
    assert!(text.windows(6).any(|window| window == b"v1.2.3"));
}

#[test]
fn a_module_that_does_not_compile_says_why() {
    let place = place("a");
    fsx::write_atomic(&place.component.folder.join("main.go"), b"package main\n\nfunc main() { nonsense() }\n")
        .unwrap();
    let error = try_build(&place, Arch::Amd64, &shared()).unwrap_err();
    assert_eq!(error.to_string(), "could not build `demo`");
    let ComponentError::Build { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("undefined: nonsense"), "{source}");
    assert!(fsx::symlink_metadata(&place.dir.path().join("cache/made")).unwrap().is_none());
}

#[test]
fn a_missing_go_is_named_with_exit_code_4() {
    let error = super::Go::ask(Path::new("/nowhere/go").into()).unwrap_err();
    assert!(matches!(&error, ComponentError::Tool(ToolError::Missing { name }) if name == "go"), "{error:?}");
    assert_eq!(error.exit_code(), 4);
    assert!(error.hint().is_some_and(|hint| hint.contains("Go 1.26")));
}
