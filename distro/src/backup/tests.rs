//! Archives as they are written and read back.

use std::path::Path;

use proptest::prelude::*;

use super::{
    BackupError, Datastore, Destination, Manifest, Order, Servers,
    format::{Origin, Readable},
    read::unpack,
    save,
    write::{Content, Entry, write},
};
use crate::{
    config::{Raw, Settings},
    paths::Paths,
    pki::{Keyring, UnixTime},
    sys::{fs, machine},
    version::Release,
};

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

/// A cluster whose objects somebody else keeps: no program is needed to save it.
fn cluster(keyring: &Keyring) -> (tempfile::TempDir, Paths, Settings) {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = Paths { data: folder.path().join("data"), ..Paths::default() };
    let text = "spec: {storage: {type: etcd, etcd: {externalCluster: {endpoints: ['http://192.0.2.1:2379']}}}}";
    let settings = Settings::validate(&Raw::parse(text).expect("well-formed"), "barn").expect("valid");
    let ring = serde_json::to_string(keyring).expect("JSON");
    for (below, text) in [("pki/ca.crt", "x"), ("pki/keyring.json", &ring), ("manifests/web.yaml", "kind: Pod")] {
        let path = paths.data.join(below);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, text.as_bytes(), fs::Access::Private, machine::account()).expect("written");
    }
    (folder, paths, settings)
}

#[test]
fn several_at_once_into_one_folder_are_whole_and_leave_nothing_else() {
    let keyring = Keyring::generate().expect("randomness");
    let (folder, paths, settings) = cluster(&keyring);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).expect("made");
    let order = Order {
        settings: &settings,
        paths: &paths,
        configuration: Some("spec: {}"),
        now: UnixTime(1_795_244_000),
        servers: Servers::Stopped,
    };
    let made = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| save(&order, Destination::Folder(&out)))).collect();
        all.into_iter().map(|one| one.join().expect("ended").expect("made").path.expect("a file")).collect::<Vec<_>>()
    });
    let mut names: Vec<String> = made.iter().map(|path| path.display().to_string()).collect();
    names.sort();
    let there = fs::list(&out).expect("there").iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    assert_eq!((names.len(), &names), (8, &there));
    for path in made {
        let Some((inside, result)) = unpacked(&fs::read_bytes(&path).expect("there")) else { return };
        let found: Vec<String> = result.expect("whole").members.iter().map(|member| member.path.to_string()).collect();
        assert_eq!(found, ["configuration/sk8s.yaml", "manifests/web.yaml", "pki/ca.crt", "pki/keyring.json"]);
        assert_eq!(crate::pki::load_keyring(&inside.path().join("pki")).expect("whole"), Some(keyring.clone()));
    }
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
