//! What `import` promises.

use super::*;
use crate::store::{Key, Selection, export};

fn sample(store: &Store) -> Key {
    let key = Key::new("test").with("input", "1");
    let work = store.workspace().unwrap();
    fsx::create_dir_all(&work.path().join("lib/deep")).unwrap();
    fsx::write_atomic(&work.path().join("lib/program"), b"program").unwrap();
    fsx::set_mode(&work.path().join("lib/program"), 0o755).unwrap();
    fsx::symlink(Path::new("../program"), &work.path().join("lib/deep/link")).unwrap();
    store.keep(&key, work).unwrap();
    key
}

fn exported() -> (Vec<u8>, Key) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path());
    let key = sample(&store);
    let mut bytes = Vec::new();
    export(&store, Selection::Keys(std::slice::from_ref(&key)), &mut bytes).unwrap();
    (bytes, key)
}

/// An archive with a list and members of our choosing.
fn forged(manifest: &str, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    for (name, bytes) in std::iter::once(&(manifest::NAME, manifest.as_bytes())).chain(members) {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        // Past the tar crate's own refusal of `..`.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn refusal(manifest: &str, members: &[(&str, &[u8])]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path().join("store"));
    let error = import(&store, &forged(manifest, members)[..]).unwrap_err();
    assert_eq!(fsx::symlink_metadata(&store.root().join("made")).unwrap().map(|_| ()), None, "{error}");
    assert_eq!(fsx::symlink_metadata(&dir.path().join("evil")).unwrap().map(|_| ()), None, "{error}");
    error.to_string()
}

fn list(items: &str) -> String {
    format!(r#"{{"version":1,"made":{{"{}":{{{items}}}}}}}"#, "ab".repeat(32))
}

#[test]
fn an_imported_folder_is_the_exported_one() {
    let (bytes, key) = exported();
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path());
    assert_eq!(import(&store, &bytes[..]).unwrap(), 1);
    let folder = store.made(&key).unwrap().unwrap();
    let program = fsx::read(&folder.join("lib/deep/link")).unwrap();
    assert_eq!(program, b"program");
    assert_eq!(import(&store, &bytes[..]).unwrap(), 0);
    let mut again = Vec::new();
    export(&store, Selection::All, &mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn a_wrong_digest_is_refused() {
    let key = "ab".repeat(32);
    let items = format!(r#""a":{{"file":{{"mode":493,"size":1,"digest":"{}"}}}}"#, Digest::of(b"x"));
    let text = refusal(&list(&items), &[(&format!("{key}/a"), b"y")]);
    assert!(text.contains("content does not match"), "{text}");
    let text = refusal(&list(&items), &[(&format!("{key}/a"), b"xx")]);
    assert!(text.contains("got 2 bytes"), "{text}");
}

#[test]
fn a_path_that_leaves_its_folder_is_refused() {
    for path in ["../../../evil", "/evil", "a/../../evil", "a//b", "./a", ""] {
        let items = format!(r#""{path}":{{"file":{{"mode":420,"size":0,"digest":"{}"}}}}"#, Digest::of(b""));
        let text = refusal(&list(&items), &[("x", b"")]);
        assert!(text.contains("refused to import"), "{path}: {text}");
    }
}

#[test]
fn a_link_that_leaves_its_folder_is_refused() {
    for target in ["/etc", "..", "../evil", "a/../../evil", "a/..", ""] {
        let items = format!(r#""link":{{"link":{{"target":"{target}"}}}}"#);
        let text = refusal(&list(&items), &[]);
        assert!(text.contains("links out of its folder"), "{target}: {text}");
    }
}

#[test]
fn a_file_behind_a_link_is_refused() {
    let items = format!(
        r#""a":{{"link":{{"target":"b"}}}},"a/evil":{{"file":{{"mode":420,"size":0,"digest":"{}"}}}},"b":{{"folder":{{}}}}"#,
        Digest::of(b"")
    );
    let text = refusal(&list(&items), &[]);
    assert!(text.contains("does not lie in a folder"), "{text}");
}

#[test]
fn a_truncated_or_foreign_archive_is_refused() {
    let (bytes, _) = exported();
    let dir = tempfile::tempdir().unwrap();
    for input in [&bytes[..bytes.len() / 2], b"no archive".as_slice(), b""] {
        assert!(import(&Store::at(dir.path()), input).is_err());
    }
    let error =
        import(&Store::at(dir.path()), &forged(r#"{"version":1,"made":{}}"#, &[("more", b"")])[..]).unwrap_err();
    assert!(error.to_string().contains("more than it lists"), "{error}");
}
