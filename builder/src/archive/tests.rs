//! A mirror that lies: each lie is refused, in these words.

use std::collections::{BTreeMap, BTreeSet};

use skerry_formats::{arch::Arch, digest::Digest};

use super::{
    Archive, Known,
    deb::{self, DebError},
    fixture::{Fixture, NOW, ar, golden, sign, spec, tar, xz},
    keyring::Keyring,
    suite::Suite,
};
use crate::{
    fsx,
    report::{Reporter, print_error},
};

fn read(archive: &Archive, known: &BTreeMap<Suite, Known>) -> Result<super::Snapshot, super::ArchiveError> {
    archive.snapshot(&BTreeSet::from([Arch::Amd64]), known, &Reporter::quiet())
}

fn refusal(fixture: &Fixture, archive: &Archive) -> String {
    fixture.plain(&print_error(&read(archive, &BTreeMap::new()).map(|_| ()).unwrap_err()))
}

#[test]
fn an_honest_mirror_is_read() {
    let fixture = Fixture::new(&[spec("ab", "1", "")]);
    let snapshot = read(&fixture.archive(), &BTreeMap::new()).unwrap();
    let newest = snapshot.universe(Arch::Amd64).newest(&"ab".parse().unwrap()).unwrap();
    assert_eq!(newest.version.as_str(), "1");
    assert_eq!(snapshot.universe(Arch::Arm64).names().count(), 0, "nobody asked for arm64");
}

#[test]
fn a_changed_list_is_refused() {
    let fixture = Fixture::new(&[]);
    fixture.change("dists/trixie/InRelease", |bytes| {
        let at = bytes.windows(4).position(|four| four == b"Test").unwrap();
        bytes[at] = b'B';
    });
    golden("tampered-inrelease.txt", &refusal(&fixture, &fixture.archive()));
}

#[test]
fn text_around_the_signed_part_is_not_read() {
    let fixture = Fixture::new(&[]);
    fixture.change("dists/trixie/InRelease", |bytes| bytes.splice(0..0, *b"Codename: trixie\n\n").for_each(drop));
    golden("unsigned-text.txt", &refusal(&fixture, &fixture.archive()));
}

#[test]
fn a_list_of_an_unknown_key_is_refused() {
    let fixture = Fixture::new(&[]);
    let archive = Archive { keyring: Keyring::debian().unwrap(), ..fixture.archive() };
    golden("unknown-key.txt", &refusal(&fixture, &archive));
}

#[test]
fn an_expired_list_is_refused_unless_the_lock_stands_on_it() {
    let dates = "Date: Sat, 05 Sep 2026 07:55:41 UTC\nValid-Until: Sat, 12 Sep 2026 07:55:41 UTC";
    let fixture = Fixture { dates, ..Fixture::new(&[]) };
    fixture.publish(&[]);
    golden("expired.txt", &refusal(&fixture, &fixture.archive()));
    let known = |suite: Suite| {
        let bytes = fsx::read(&fixture.folder().join(suite.inrelease_path())).unwrap();
        (suite, Known { date: NOW - 8 * 86_400, digest: Digest::of(&bytes) })
    };
    assert!(read(&fixture.archive(), &Suite::ALL.map(known).into()).is_ok());
}

#[test]
fn a_list_older_than_the_locks_is_refused() {
    let fixture = Fixture::new(&[]);
    let known = Known { date: NOW, digest: Digest::of(b"another") };
    let error = read(&fixture.archive(), &BTreeMap::from([(Suite::Updates, known)])).map(|_| ()).unwrap_err();
    golden("replayed.txt", &fixture.plain(&print_error(&error)));
}

#[test]
fn another_suites_list_is_refused() {
    let fixture = Fixture::new(&[]);
    fixture.publish_suite(Suite::Release, "", "bookworm");
    golden("wrong-suite.txt", &refusal(&fixture, &fixture.archive()));
}

#[test]
fn a_changed_index_is_refused() {
    let fixture = Fixture::new(&[spec("ab", "1", "")]);
    fixture.change("dists/trixie/main/binary-amd64/Packages.xz", |bytes| bytes[40] ^= 1);
    golden("tampered-index.txt", &refusal(&fixture, &fixture.archive()));
}

#[test]
fn a_signed_list_without_an_index_is_refused() {
    let fixture = Fixture::new(&[]);
    let text = format!("Codename: trixie\n{}\nSHA256:\n {} 0 other\n", fixture.dates, Digest::of(b""));
    fixture.write("dists/trixie/InRelease", sign(&text).as_bytes());
    golden("missing-index.txt", &refusal(&fixture, &fixture.archive()));
}

#[test]
fn a_package_is_read_whatever_it_is_packed_with() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.deb");
    let control = tar(&[("./control", b"Package: x\n".to_vec()), ("./postinst", b"#!/bin/sh\n".to_vec())]);
    let data = tar(&[("./usr/a", b"a".to_vec()), ("./usr/b", vec![7; 3])]);
    let zst = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let gz = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    for (end, data) in [("", data.clone()), (".xz", xz(&data)), (".zst", zst(&data)), (".gz", gz(&data))] {
        let name = format!("data.tar{end}");
        let bytes = ar(&[("debian-binary", b"2.0\n".to_vec()), ("control.tar.gz", gz(&control)), (&name, data)]);
        fsx::write_atomic(&path, &bytes).unwrap();
        assert_eq!(deb::read_control(&path).unwrap().scripts.iter().next(), Some(("postinst", "#!/bin/sh\n")));
        assert_eq!(names(&bytes).unwrap(), ["usr/a", "usr/b"], "{name}");
    }
}

#[test]
fn a_package_cut_anywhere_is_an_error() {
    let whole = spec("ab", "1", "").deb();
    assert_eq!(names(&whole).unwrap(), ["usr/share/noise"]);
    for length in (0..whole.len() - 2).step_by(997).chain([whole.len() - 3]) {
        assert!(names(&whole[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn a_member_longer_than_the_package_is_an_error() {
    let mut bytes = ar(&[("data.tar", tar(&[("./a", vec![1])]))]);
    let size = bytes.windows(5).position(|five| five == b"2048 ").unwrap();
    bytes[size..size + 5].copy_from_slice(b"99999");
    assert!(matches!(names(&bytes), Err(DebError::Read(_))));
}

fn names(deb: &[u8]) -> Result<Vec<String>, DebError> {
    let mut names = Vec::new();
    deb::data_from::<DebError>(deb, |entry| {
        names.push(String::from_utf8_lossy(&entry.path_bytes()).into_owned());
        Ok(())
    })?;
    Ok(names)
}
