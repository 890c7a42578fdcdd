//! What a program carries is laid out whole or not at all, whatever happens to the program, the disk and the process.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test of files and processes makes some, and says so when it fails"
)]

mod fixture;
mod processes;

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use fixture::{Bench, Carried, FEW, assemble, carrying, here, noise, stand_in};
use sk8s::payload::{Payload, PayloadError, Ready, ensure, remove_unused};
use skerry_formats::{arch::Arch, payload::Mode};

fn found(program: &Path) -> Payload {
    Payload::of(program).expect("sound").expect("there")
}

fn lay_out(bench: &Bench, name: &str, files: &[Carried<'_>]) -> Ready {
    let program = bench.program(name, &carrying(&stand_in(), here(), files));
    ensure(&found(&program), &bench.data()).expect("laid out")
}

/// The error and its causes, as the command line prints them.
fn words(error: &PayloadError, bench: &Bench) -> String {
    let mut text = format!("error: {error}\n");
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!("  caused by: {source}\n"));
        cause = source.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("  hint: {hint}\n"));
    }
    text.replace(&bench.folder().display().to_string(), "DIR")
}

/// Compares with a file of `golden/`; with `BLESS` set, writes it instead.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, text).expect("written");
    }
    assert_eq!(text, fs::read_to_string(&path).expect("a golden file"), "{name}");
}

fn assert_holds(folder: &Path, files: &[Carried<'_>]) {
    for (path, mode, bytes) in files {
        let path = folder.join(path);
        assert_eq!(fs::read(&path).expect("there"), *bytes, "{}", path.display());
        let has = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(has & 0o7777, mode.bits(), "{}", path.display());
    }
}

#[test]
fn what_is_carried_is_laid_out_under_the_digest_of_its_index() {
    let bench = Bench::new();
    let program = bench.program("sk8s", &carrying(&stand_in(), here(), &FEW));
    let payload = found(&program);
    let ready = ensure(&payload, &bench.data()).expect("laid out");
    assert_eq!(bench.shelf(), [payload.digest().to_string()]);
    assert_holds(ready.folder(), &FEW);
    let paths = ready.places(sk8s::paths::Paths::default());
    assert_eq!(paths.components, ready.folder().join("bin"));
    assert_eq!(paths.images_list(), ready.folder().join("images.json"));
}

#[test]
fn what_lies_ready_is_used_as_it_is() {
    let bench = Bench::new();
    let inode = |ready: &Ready| fs::metadata(ready.folder().join("bin/clients")).expect("there").ino();
    let first = inode(&lay_out(&bench, "sk8s", &FEW));
    // Another program with the same files: nothing is laid out again.
    let mut longer = stand_in();
    longer.extend([0; 64]);
    longer[40] += 64;
    let other = bench.program("other", &carrying(&longer, here(), &FEW));
    assert_eq!(inode(&ensure(&found(&other), &bench.data()).expect("there")), first);
}

#[test]
fn a_folder_that_lost_a_file_is_made_anew() {
    let bench = Bench::new();
    let ready = lay_out(&bench, "sk8s", &FEW);
    for damage in ["remove", "cut"] {
        let file = ready.folder().join("bin/clients");
        match damage {
            "remove" => fs::remove_file(&file).expect("removed"),
            _ => fs::write(&file, b"#!").expect("cut"),
        }
        assert_holds(lay_out(&bench, "sk8s", &FEW).folder(), &FEW);
        assert_eq!(bench.shelf().len(), 1, "{damage}");
    }
}

#[test]
fn what_a_crash_left_is_removed() {
    let bench = Bench::new();
    let left = bench.data().join("components").join(format!("{}.part-1", "0".repeat(64))).join("bin");
    fs::create_dir_all(&left).expect("made");
    fs::write(left.join("clients"), b"half").expect("written");
    lay_out(&bench, "sk8s", &FEW);
    assert_eq!(bench.shelf().len(), 1);
    assert!(!left.exists());
}

#[test]
fn a_program_without_a_payload_carries_nothing() {
    let bench = Bench::new();
    let payload = Payload::of(&bench.program("sk8s", &stand_in())).expect("read");
    assert!(payload.is_none());
    let payload = Payload::of(&bench.program("sk8s", &fixture::sk8s())).expect("read");
    assert!(payload.is_none(), "the linker leaves nothing behind the sections");
}

#[test]
fn damage_is_named_and_leaves_nothing() {
    let bench = Bench::new();
    let files = [("bin/clients", Mode::Program, &noise(300_000)[..]), ("images.json", Mode::Data, b"{}")];
    let whole = carrying(&stand_in(), here(), &files);
    let behind = |from: usize| whole[..from].to_vec();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let packs = |program: &[u8], more: &[Carried<'_>]| {
        let packed = [&[("bin/clients", Mode::Program, program), files[1]][..], more].concat();
        assemble((&stand_in(), here()), &packed, &files)
    };
    let mut other = noise(300_000);
    other[7] ^= 1;
    let mut text = String::new();
    for (title, bytes) in [
        ("cut in the last byte", behind(whole.len() - 1)),
        ("cut in what is packed", behind(1000)),
        ("cut behind the program", behind(129)),
        ("a bit of what is packed", flipped(150_000)),
        ("a bit of the index", flipped(whole.len() - 100)),
        ("a bit of the trailer's version", flipped(whole.len() - 56)),
        ("a bit of the trailer's numbers", flipped(whole.len() - 40)),
        ("a bit of the trailer's magic", flipped(whole.len() - 64)),
        ("other bytes", packs(&other, &[])),
        ("fewer bytes", packs(&noise(200_000), &[])),
        ("more bytes", packs(&noise(300_000), &[("z", Mode::Data, b"more")])),
        ("another machine's", carrying(&stand_in(), *Arch::ALL.iter().find(|a| **a != here()).expect("two"), &files)),
    ] {
        let program = bench.program("sk8s", &bytes);
        let done = Payload::of(&program)
            .map(|payload| payload.expect("something"))
            .and_then(|payload| ensure(&payload, &bench.data()).map(|ready| ready.folder().to_owned()));
        let error = done.expect_err(title);
        text.push_str(&format!("# {title}\n{}", words(&error, &bench)));
        assert!(bench.shelf().is_empty(), "{title}: {:?}", bench.shelf());
    }
    if here() == Arch::Amd64 {
        golden("payload-refusals.txt", &text);
    }
}

#[test]
fn no_flipped_bit_gives_other_bytes() {
    let bench = Bench::new();
    let whole = carrying(&stand_in(), here(), &FEW);
    let mut refused = 0;
    for at in stand_in().len()..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let program = bench.program("sk8s", &bytes);
        // A frame may have bits that mean nothing: then what is laid out is right all the same.
        let Ok(Some(payload)) = Payload::of(&program) else {
            refused += 1;
            continue;
        };
        match ensure(&payload, &bench.data()) {
            Ok(ready) => assert_holds(ready.folder(), &FEW),
            Err(_) => {
                refused += 1;
                assert!(bench.shelf().is_empty(), "byte {at}");
            }
        }
        fs::remove_dir_all(bench.data()).unwrap_or_default();
    }
    let bytes = whole.len() - stand_in().len();
    assert!(refused * 10 > bytes * 9, "{refused} of {bytes}");
}

#[test]
fn another_version_lies_beside_the_first_until_nobody_needs_it() {
    let bench = Bench::new();
    let sleep = fs::read("/bin/sleep").expect("every Linux has one");
    let old = [FEW[0], ("bin/sleep", Mode::Program, &sleep[..])];
    let alone = fixture::alone();
    let old_program = bench.folder().join("old");
    fs::write(&old_program, carrying(&stand_in(), here(), &old)).expect("written");
    let first = ensure(&found(&old_program), &bench.data()).expect("laid out");
    drop(alone);
    let new = [FEW[0], FEW[1]];
    let second = lay_out(&bench, "new", &new);
    let folder = first.folder().to_owned();
    let removed = || remove_unused(&second).expect("swept");

    assert!(removed().is_empty(), "it is held");
    let mut sleeper = fixture::start(std::process::Command::new(folder.join("bin/sleep")).arg("1000"));
    drop(first);
    assert!(removed().is_empty(), "a program of it runs");
    assert_holds(&folder, &old);
    sleeper.kill().expect("runs");
    sleeper.wait().expect("ended");
    assert_eq!(removed(), [folder]);
    assert_holds(second.folder(), &new);
    assert_eq!(bench.shelf().len(), 1);
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let bench = Bench::new();
    let ready = lay_out(&bench, "sk8s", &FEW);
    fs::write(bench.data().join("components/note"), b"mine").expect("written");
    assert!(remove_unused(&ready).expect("swept").is_empty());
    lay_out(&bench, "other", &FEW[..2]);
    assert!(bench.data().join("components/note").exists());
}

#[test]
fn many_at_once_find_one_folder() {
    let bench = Bench::new();
    let files = [("bin/clients", Mode::Program, &noise(2_000_000)[..])];
    let program = bench.program("sk8s", &carrying(&stand_in(), here(), &files));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let ready = ensure(&found(&program), &bench.data()).expect("laid out");
                assert_holds(ready.folder(), &files);
            });
        }
    });
    assert_eq!(bench.shelf().len(), 1);
}
