//! The data files that come with Skerry load, and typing errors in them are named with line and nearest key.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "these are tests")]

use std::{fs, path::Path};

use skerry::{
    catalog::{Catalog, DataError},
    report::print_error,
};
use skerry_formats::name::Name;

fn shipped() -> Catalog {
    Catalog::at(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn every_shipped_board_loads() {
    let names = shipped().board_names().unwrap();
    assert!(names.contains(&"qemu-x86_64".to_owned()) && names.contains(&"qemu-arm64".to_owned()));
    for board in names {
        shipped().board(&name(&board)).unwrap();
    }
}

#[test]
fn every_shipped_profile_names_overlays_and_components_that_exist() {
    for profile in shipped().profile_names().unwrap() {
        let recipe = shipped().recipe(&name(&profile)).unwrap();
        for overlay in &recipe.overlays {
            shipped().overlay(overlay).unwrap();
        }
        for component in &recipe.components {
            shipped().component(component).unwrap();
        }
    }
}

#[test]
fn shipped_package_sets_load() {
    assert!(shipped().sets().unwrap().contains_key(&name("toolbox")));
}

/// A copy of the shipped board file with one word replaced, and the error it gives.
fn error_of_board_with(word: &str, replacement: &str) -> String {
    let source = fs::read_to_string(shipped().root().join("boards/qemu-x86_64/board.toml")).unwrap();
    assert!(source.contains(word));
    let folder = tempfile::tempdir().unwrap();
    let board = folder.path().join("boards/qemu-x86_64");
    fs::create_dir_all(&board).unwrap();
    fs::write(board.join("board.toml"), source.replacen(word, replacement, 1)).unwrap();
    message(&Catalog::at(folder.path()).board(&name("qemu-x86_64")).unwrap_err(), folder.path())
}

fn message(error: &DataError, root: &Path) -> String {
    print_error(error).replace(&root.display().to_string(), "ROOT")
}

#[test]
fn a_misspelt_board_key_names_line_and_nearest_key() {
    assert_eq!(
        error_of_board_with("initrd-modules", "initrd-modles"),
        "error: ROOT/boards/qemu-x86_64/board.toml:10: unknown field `initrd-modles`, expected one of `package`, \
         `cmdline`, `initrd-modules`, `modules`\n  hint: did you mean `initrd-modules`?\n"
    );
}

#[test]
fn a_misspelt_boot_backend_names_the_nearest() {
    let text = error_of_board_with("\"sdboot\"", "\"sdbot\"");
    assert_eq!(
        text,
        "error: ROOT/boards/qemu-x86_64/board.toml:14: unknown variant `sdbot`, expected `sdboot`\n  \
         hint: did you mean `sdboot`?\n"
    );
}

#[test]
fn an_unknown_board_names_the_nearest() {
    let error = shipped().board(&name("qemu-x86-64")).unwrap_err();
    assert_eq!(
        message(&error, shipped().root()),
        "error: ROOT: unknown board: `qemu-x86-64`\n  hint: did you mean `qemu-x86_64`?\n"
    );
}

#[test]
fn an_unknown_profile_lists_the_known_ones() {
    let error = shipped().recipe(&name("nightly-zzz")).unwrap_err();
    assert!(message(&error, shipped().root()).contains("hint: known: `default`"), "{error}");
}
