//! Archives as they are written and read back.

use std::path::Path;

use proptest::prelude::*;

use super::{
    BackupError, Datastore, Manifest,
    format::{Origin, Readable},
    read::unpack,
    write::{Content, Entry, write},
};
use crate::{sys::fs, version::Release};

fn entries() -> Vec<Entry> {
    let entry = |path: &str, readable, bytes: &[u8]| Entry {
        path: path.parse().expect("a name"),
        readable,
        content: Content::Bytes(bytes.to_vec()),
    };
    vec![
        entry("pki/etcd/ca.key", Readable::Owner, b"secret"),
        entry("datastore/state.db", Readable::Owner, &[7; 70_000]),
        entry(&format!("manifests/{}.yaml", "long".repeat(40)), Readable::Everyone, b"kind: Pod\n"),
        entry("manifests/empty.yaml", Readable::Everyone, b""),
    ]
}

fn manifest(entries: &[Entry]) -> Manifest {
    let made_by = Release::own().expect("ours");
    let origin = Origin { made_by, made_at: 1_795_244_000, cluster: "shed".into(), node: "barn".into() };
    let members = entries.iter().map(|entry| entry.member().expect("measured")).collect();
    Manifest::new(origin, Datastore::Sqlite { revision: 9, keys: 3 }, members)
}

fn archive() -> Vec<u8> {
    let entries = entries();
    let mut out = Vec::new();
    write(&mut out, &manifest(&entries), &entries).expect("written");
    out
}

/// Unpacks into a new folder; `None` where the tests may not give files to root.
fn unpacked(bytes: &[u8]) -> Option<(tempfile::TempDir, Result<Manifest, BackupError>)> {
    nix::unistd::getuid().is_root().then(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let result = unpack(bytes, folder.path());
        (folder, result)
    })
}

fn assert_whole(folder: &Path) {
    for entry in entries() {
        let Content::Bytes(bytes) = &entry.content else { panic!("in memory") };
        assert_eq!(&fs::read_bytes(&folder.join(entry.path.as_str())).expect("there"), bytes, "{}", entry.path);
    }
}

#[test]
fn what_is_written_is_read_back() {
    let Some((folder, result)) = unpacked(&archive()) else { return };
    assert_eq!(result.expect("whole"), manifest(&entries()));
    assert_whole(folder.path());
    let found = fs::files_below(&folder.path().join("pki")).expect("there");
    assert_eq!(found[0].access, fs::Access::Private);
}

#[test]
fn the_same_cluster_at_the_same_time_is_the_same_bytes() {
    assert_eq!(archive(), archive());
}

#[test]
fn an_entry_that_the_manifest_does_not_name_is_refused() {
    let mut more = entries();
    let manifest = manifest(&more);
    // Written as if it were another of the manifest's: its bytes are not what is said.
    more[0].content = Content::Bytes(b"Secret".to_vec());
    let mut out = Vec::new();
    write(&mut out, &manifest, &more).expect("written");
    let Some((_folder, result)) = unpacked(&out) else { return };
    assert!(matches!(result, Err(BackupError::Damaged(path)) if path.as_str() == "pki/etcd/ca.key"));
}

#[test]
fn another_archive_is_told_apart() {
    let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).expect("an encoder"));
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_entry_type(tar::EntryType::Regular);
    tar.append_data(&mut header, "k0s.yaml", &b"x"[..]).expect("written");
    let bytes = tar.into_inner().and_then(zstd::Encoder::finish).expect("written");
    let Some((_folder, result)) = unpacked(&bytes) else { return };
    assert!(matches!(result, Err(BackupError::NotOurs)));
    let (_folder, result) = unpacked(b"no archive at all").expect("root");
    assert!(result.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_archive_that_is_cut_off_is_refused(part in 0.0_f64..1.0) {
        let whole = archive();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part")]
        let length = (whole.len() as f64 * part) as usize;
        if let Some((_folder, result)) = unpacked(&whole[..length]) {
            prop_assert!(result.is_err());
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed_or_changes_nothing(at: prop::sample::Index, bit in 0_u8..8) {
        let mut bytes = archive();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Some((folder, Ok(found))) = unpacked(&bytes) {
            prop_assert_eq!(found.members, manifest(&entries()).members);
            assert_whole(folder.path());
        }
    }
}
