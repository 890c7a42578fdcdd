//! What `oci` promises.

use super::*;
use crate::tree::{Content, Entry};

fn image() -> Image {
    let mut root = Tree::default();
    root.insert("/bin/demo".parse().unwrap(), Entry::file(Content::from_bytes(*b"program"), 0o755)).unwrap();
    root.insert("/bin/sh".parse().unwrap(), Entry::symlink("demo")).unwrap();
    root.insert("/tmp".parse().unwrap(), Entry { mode: 0o1777, ..Entry::dir() }).unwrap();
    let run = Run { entrypoint: vec!["/bin/demo".to_owned()], user: Some("65535:65535".to_owned()), ..Run::default() };
    Image { name: "localhost/sk8s/demo:1.0".to_owned(), arch: Arch::Arm64, run, root }
}

fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(archive);
    let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

fn archive() -> Vec<u8> {
    let mut bytes = Vec::new();
    image().write(&mut bytes).unwrap();
    bytes
}

#[test]
fn documents_are_the_golden_ones() {
    let text: Vec<String> = members(&archive())
        .into_iter()
        .map(|(path, bytes)| match serde_json::from_slice::<serde_json::Value>(&bytes) {
            Ok(_) => format!("{path}\n  {}\n", String::from_utf8(bytes).unwrap()),
            Err(_) => format!("{path}\n  {} bytes\n", bytes.len()),
        })
        .collect();
    assert_eq!(text.concat(), include_str!("../../golden/oci/demo.txt"));
}

#[test]
fn every_blob_has_the_digest_of_its_name() {
    let blobs: Vec<_> = members(&archive()).into_iter().filter(|(path, _)| path.starts_with("blobs/")).collect();
    assert_eq!(blobs.len(), 3);
    for (path, bytes) in blobs {
        assert_eq!(path, format!("blobs/sha256/{}", skerry_formats::digest::Digest::of(&bytes)));
    }
}

#[test]
fn the_layer_holds_the_tree_without_times() {
    let (_, layer) = members(&archive()).pop().unwrap();
    let plain = zstd::decode_all(&layer[..]).unwrap();
    let mut archive = tar::Archive::new(&plain[..]);
    let list: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (0, 0));
            format!("{:o} {}", header.mode().unwrap(), entry.path().unwrap().display())
        })
        .collect();
    assert_eq!(list, ["755 bin/", "755 bin/demo", "777 bin/sh", "1777 tmp/"]);
}

#[test]
fn the_same_files_give_the_same_bytes() {
    assert_eq!(archive(), archive());
}
