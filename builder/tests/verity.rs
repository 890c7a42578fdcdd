//! Our hash tree against the reference program: the same bytes, the same root hash, and one changed byte is refused.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's failure is its message")]

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use skerry::{
    fsx,
    seal::verity::{self, Area},
    tool::{Tool, ToolError},
};
use skerry_formats::{
    cmdline::RootRef,
    verity::{BLOCK, SUPERBLOCK_SIZE, Superblock},
};

const B: u64 = BLOCK as u64;

/// The reference program. `./check` installs it; without it nothing is shown, so its absence is a failure.
fn veritysetup() -> Tool {
    let places = ["/usr/sbin/veritysetup", "/sbin/veritysetup"].map(PathBuf::from);
    let found = places.into_iter().find(|path| path.exists()).unwrap_or_else(|| "veritysetup".into());
    Tool::new(found)
}

fn ran(result: Result<Vec<u8>, ToolError>) -> String {
    match result {
        Ok(output) => String::from_utf8(output).unwrap(),
        Err(ToolError::Missing { .. }) => panic!("veritysetup is missing: apt-get install cryptsetup-bin"),
        Err(error) => panic!("{error}"),
    }
}

/// A file of so many bytes that no two blocks share.
fn data(path: &Path, size: u64) -> File {
    let file = fsx::create_new(path).unwrap();
    file.set_len(size).unwrap();
    for at in (0..size).step_by(BLOCK) {
        let word = (at ^ 0x9e37_79b9_7f4a_7c15).to_le_bytes();
        let fits = usize::try_from(size - at).unwrap_or(BLOCK).min(word.len());
        file.write_all_at(&word[..fits], at).unwrap();
    }
    file
}

/// A file with our tree behind it.
fn sealed(path: &Path, size: u64) -> RootRef {
    let mut file = data(path, size);
    verity::append(path, &mut file).unwrap()
}

fn superblock(path: &Path, root: &RootRef) -> Superblock {
    let mut bytes = [0; SUPERBLOCK_SIZE];
    fsx::open(path).unwrap().read_exact_at(&mut bytes, root.data_blocks * B).unwrap();
    Superblock::decode(&bytes).unwrap()
}

fn verify(path: &Path, root: &RootRef) -> Result<Vec<u8>, ToolError> {
    let offset = format!("--hash-offset={}", root.data_blocks * B);
    let verb = veritysetup().args(["verify", &offset]).args([path, path]);
    verb.args([root.root_hash.to_string()]).output()
}

/// What the reference program makes of the same data with our salt and UUID.
fn reference(path: &Path, size: u64, like: &Superblock) -> String {
    let file = data(path, size);
    file.set_len(like.data_blocks * B).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let uuid = uuid::Uuid::from_bytes(like.uuid);
    let mut arguments =
        ["format", "--hash=sha256", "--data-block-size=4096", "--hash-block-size=4096"].map(String::from).to_vec();
    arguments.push(format!("--hash-offset={}", like.data_blocks * B));
    arguments.push(format!("--data-blocks={}", like.data_blocks));
    arguments.push(format!("--salt={}", hex(&like.salt)));
    arguments.push(format!("--uuid={uuid}"));
    ran(veritysetup().args(arguments).args([path, path]).output())
}

#[test]
fn tree_is_the_one_that_veritysetup_makes() {
    // One digest; a full block of them; one more; a ragged end; a third level.
    for size in [1, B, 2 * B, 128 * B, 129 * B, 200 * B - 7, 16_384 * B, 16_385 * B] {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        let root = sealed(&ours, size);
        let printed = reference(&theirs, size, &superblock(&ours, &root));
        let line = printed.lines().find(|line| line.starts_with("Root hash:")).unwrap();
        assert_eq!(line.split_whitespace().last(), Some(root.root_hash.to_string().as_str()), "{size} bytes");
        assert!(fsx::read(&ours).unwrap() == fsx::read(&theirs).unwrap(), "{size} bytes: the files differ");
        ran(verify(&ours, &root));
    }
}

#[test]
fn one_changed_byte_is_refused_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.img");
    let root = sealed(&path, 200 * B);
    let file = fsx::open_rw(&path).unwrap();
    // First and last byte of the data, the tree's top, its leaves; not the superblock, which the root hash does not cover.
    for at in [0, 200 * B - 1, 201 * B + 33, 202 * B, 203 * B + 71 * 32] {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
        assert!(matches!(verify(&path, &root), Err(ToolError::Failed { .. })), "a changed byte at {at} passed");
        assert!(
            !verity::matches(Area { path: &path, file: &file, start: 0 }, &root).unwrap(),
            "a changed byte at {at} passed our own check"
        );
        file.write_all_at(&byte, at).unwrap();
    }
    ran(verify(&path, &root));
    assert!(verity::matches(Area { path: &path, file: &file, start: 0 }, &root).unwrap());
}
