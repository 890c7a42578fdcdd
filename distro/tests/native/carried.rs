//! The one file that `skerry sk8s` makes, put together of the program under test and the components that it is tested with.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use skerry_formats::{
    arch::Arch,
    digest::Digest,
    payload::{FileEntry, Index, Mode, Trailer},
};

const FOLDERS: [(&str, &str, Mode); 3] = [
    ("bin", "SK8S_COMPONENTS", Mode::Program),
    ("cni", "SK8S_CNI", Mode::Program),
    ("images", "SK8S_IMAGES", Mode::Data),
];

/// Writes it. Another `level` of compression makes other bytes of the same content: another version, as far as a host sees.
pub fn one_file(name: &str, level: i32) -> PathBuf {
    let mut files: BTreeMap<String, (Mode, Vec<u8>)> = BTreeMap::new();
    for (folder, key, mode) in FOLDERS {
        let place = std::env::var(key).unwrap_or_else(|_| panic!("{key} is not set"));
        for entry in fs::read_dir(place).expect("a folder") {
            let path = entry.expect("read").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("text").to_owned();
            files.insert(format!("{folder}/{name}"), (mode, fs::read(path).expect("read")));
        }
    }
    let list = serde_json::to_vec(&super::node::images()).expect("JSON");
    files.insert("images.json".to_owned(), (Mode::Data, list));
    let entry = |(path, (mode, bytes)): (&String, &(Mode, Vec<u8>))| FileEntry {
        path: path.parse().expect("a plain path"),
        mode: *mode,
        size: bytes.len() as u64,
        sha256: Digest::of(bytes),
    };
    let arch = Arch::of_kernel(std::env::consts::ARCH).expect("one of ours");
    let index = Index::new(arch, BTreeMap::new(), files.iter().map(entry).collect()).expect("sound");
    let all: Vec<u8> = files.into_values().flat_map(|(_, bytes)| bytes).collect();
    let frame = zstd::encode_all(&all[..], level).expect("packed");
    let program = fs::read(env!("CARGO_BIN_EXE_sk8s")).expect("built");
    let trailer = Trailer::new((program.len() as u64, frame.len() as u64), &index).expect("short");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, [program, frame, index.to_json(), trailer.to_bytes().to_vec()].concat()).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("allowed");
    path
}
