//! Properties of the form: nothing but a whole payload is one, and what is written is read.

use proptest::prelude::*;

use super::*;
use crate::{arch::Arch, digest::Digest};

fn entry(path: &str) -> FileEntry {
    FileEntry { path: path.parse().expect("a plain path"), mode: Mode::Program, size: 7, sha256: Digest::of(b"7") }
}

fn index(files: &[&str]) -> Result<Index, BadPayload> {
    let components = [("kine", "0.16.4")].map(|(n, v)| (n.parse().expect("a name"), v.parse().expect("a version")));
    Index::new(Arch::Amd64, components.into(), files.iter().map(|path| entry(path)).collect())
}

fn trailer(program: u64, frame: u64, index: &Index) -> Trailer {
    Trailer::new((program, frame), index).expect("short")
}

fn json(text: &str) -> Result<Index, BadPayload> {
    Index::parse(text.replace('\'', "\"").as_bytes())
}

const GOOD: &str = "{'format':1,'arch':'amd64','components':{'kine':'0.16.4'},'files':[\
    {'path':'bin/a','mode':'0755','size':7,'sha256':'SHA'},\
    {'path':'cni/b','mode':'0755','size':7,'sha256':'SHA'}]}";

fn good() -> String {
    GOOD.replace("SHA", &Digest::of(b"7").to_string())
}

#[test]
fn the_form_is_the_written_one() {
    let index = index(&["cni/b", "bin/a"]).expect("sound");
    assert_eq!(String::from_utf8(index.to_json()).expect("text"), good().replace('\'', "\""));
    assert_eq!(json(&good()).expect("sound"), index);
    assert_eq!((index.size(), index.folders().into_iter().collect()), (14, vec!["bin", "cni"]));
}

#[test]
fn an_index_that_contradicts_itself_is_refused() {
    for (from, to) in [
        ("'format':1", "'format':2"),
        ("'arch':'amd64'", "'arch':'mips'"),
        ("'arch'", "'owner':0,'arch'"),
        ("'size':7", "'size':4294967297"),
        ("'size':7", "'size':-1"),
        ("'size':7", "'size':7,'at':0"),
        ("'mode':'0755'", "'mode':'4755'"),
        ("bin/a", "../a"),
        ("bin/a", "/bin/a"),
        ("bin/a", "bin//a"),
        ("bin/a", "bin/.a"),
        ("bin/a", "cni/b/a"),
        ("bin/a", "cni/c"),
        ("cni/b", "bin/a"),
        ("cni/b", "bin/a/b"),
    ] {
        assert!(good().contains(from), "{from}");
        assert!(json(&good().replacen(from, to, 1)).is_err(), "{from} → {to}");
    }
}

#[test]
fn a_payload_without_files_or_with_too_many_is_refused() {
    assert!(index(&[]).is_err());
    let names: Vec<String> = (0..=FILES_LIMIT).map(|number| format!("f{number}")).collect();
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(index(&files).is_err());
    assert!(index(&files[1..]).is_ok());
}

/// A head whose table of sections ends at `end`.
fn head(end: u64) -> Vec<u8> {
    let mut head = vec![0; 64];
    head[..6].copy_from_slice(b"\x7fELF\x02\x01");
    head[40..48].copy_from_slice(&(end - 64).to_le_bytes());
    head[58] = 64;
    head[60] = 1;
    head
}

#[test]
fn a_file_that_ends_with_its_program_carries_nothing() {
    assert!(matches!(find(&head(1000), &[0; TRAILER], 1000), Ok(None)));
    assert!(matches!(find(b"#!/bin/sh", b"\n", 10), Ok(None)));
    assert!(matches!(find(&[], &[], 0), Ok(None)));
}

#[test]
fn a_file_cut_short_is_told_from_one_without_a_payload() {
    let error = find(&head(1000), &[7; TRAILER], 1300).expect_err("cut");
    assert!(matches!(error, BadPayload::Cut(300)), "{error}");
}

#[test]
fn a_later_version_is_named() {
    let mut bytes = trailer(64, 5, &index(&["bin/a"]).expect("sound")).to_bytes();
    bytes[8] = 2;
    assert!(matches!(Trailer::read(&bytes, 1000), Err(BadPayload::Version(2))));
}

#[test]
fn the_same_files_have_the_same_digest_whatever_the_program_and_the_packing() {
    let index = index(&["bin/a"]).expect("sound");
    assert_eq!(trailer(64, 5, &index).digest(), trailer(4096, 6, &index).digest());
    assert!(matches!(Trailer::new((64, 0), &index), Err(BadPayload::Bounds)));
}

fn any_path() -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-c0-1][a-c._+-]{0,3}", 1..4).prop_map(|parts| parts.join("/"))
}

proptest! {
    #[test]
    fn any_bytes_are_an_index_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Index::parse(&bytes);
    }

    #[test]
    fn a_damaged_index_is_never_taken_for_the_written_one(at in 0_usize..300, to in any::<u8>()) {
        let index = index(&["bin/a", "cni/b"]).expect("sound");
        let trailer = trailer(64, 5, &index);
        let mut bytes = index.to_json();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        prop_assert!(matches!(trailer.index(&bytes), Err(BadPayload::Changed)));
    }

    #[test]
    fn what_is_written_is_read(
        files in proptest::collection::btree_set(any_path(), 1..20),
        program in 64_u64..1 << 40,
        frame in 1_u64..1 << 40,
    ) {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        // Two paths may contradict each other: then there is no index at all.
        let Ok(index) = index(&files) else { return Ok(()) };
        let json = index.to_json();
        let trailer = trailer(program, frame, &index);
        let size = program + frame + json.len() as u64 + TRAILER as u64;
        let read = find(&[], &trailer.to_bytes(), size).expect("sound").expect("there");
        prop_assert_eq!(read, trailer);
        prop_assert_eq!(read.frame_place(), (program, frame));
        prop_assert_eq!(read.index_place(), (program + frame, json.len() as u32));
        prop_assert_eq!(read.index(&json).expect("sound"), index);
        prop_assert!(Trailer::read(&trailer.to_bytes(), size - 1).is_err());
    }

    #[test]
    fn any_head_and_tail_are_a_trailer_or_refused(
        head in proptest::collection::vec(any::<u8>(), 0..80),
        tail in proptest::collection::vec(any::<u8>(), 56),
        size in any::<u64>(),
    ) {
        let tail = [b"sk8s+one", &tail[..]].concat();
        if let Ok(Some(trailer)) = find(&head, &tail, size) {
            prop_assert_eq!(trailer.to_bytes().to_vec(), tail);
            prop_assert_eq!(trailer.index_place().0 + u64::from(trailer.index_place().1) + TRAILER as u64, size);
        }
    }

    #[test]
    fn any_trailer_with_sound_numbers_is_read_back(
        program in 0_u64..1 << 50,
        frame in 1_u64..1 << 40,
        index in 1..=INDEX_LIMIT,
    ) {
        let mut tail = [0; TRAILER];
        tail[..8].copy_from_slice(b"sk8s+one");
        tail[8] = 1;
        tail[12..16].copy_from_slice(&index.to_le_bytes());
        tail[16..24].copy_from_slice(&program.to_le_bytes());
        tail[24..32].copy_from_slice(&(program + frame).to_le_bytes());
        let size = program + frame + u64::from(index) + TRAILER as u64;
        let trailer = Trailer::read(&tail, size).expect("sound").expect("there");
        prop_assert_eq!(trailer.to_bytes(), tail);
        prop_assert_eq!(trailer.frame_place(), (program, frame));
    }

    #[test]
    fn a_path_stays_below_its_folder(text in "[a-z./+-]{0,12}") {
        if let Ok(path) = text.parse::<FilePath>() {
            prop_assert!(!path.as_str().split('/').any(|part| matches!(part, "" | "." | "..")));
            prop_assert!(path.folders().all(|folder| path.as_str().starts_with(folder)));
        }
    }
}
