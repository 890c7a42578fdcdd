//! Programs that carry files.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use skerry_formats::{
    arch::Arch,
    digest::Digest,
    payload::{FileEntry, Index, Mode, Trailer},
};

/// A file to carry: path, mode, bytes.
pub type Carried<'a> = (&'a str, Mode, &'a [u8]);

/// What kubectl is here: it says how it was called.
pub const CLIENTS: &[u8] = b"#!/bin/sh\necho \"$0 $*\"\n";

/// The files of most tests.
pub const FEW: [Carried<'static>; 4] = [
    ("bin/clients", Mode::Program, CLIENTS),
    ("cni/bridge", Mode::Program, b"bridge"),
    ("images.json", Mode::Data, b"{}"),
    ("images/pause.tar", Mode::Data, b""),
];

/// The architecture that the tests run on.
pub fn here() -> Arch {
    Arch::of_kernel(std::env::consts::ARCH).expect("one of ours")
}

/// The smallest thing that ends like a program: a head and an empty table of sections behind it.
pub fn stand_in() -> Vec<u8> {
    let mut program = vec![0; 128];
    program[..6].copy_from_slice(b"\x7fELF\x02\x01");
    program[40..48].copy_from_slice(&64_u64.to_le_bytes());
    (program[58], program[60]) = (64, 1);
    program
}

/// sk8s itself, as it was built for the tests.
pub fn sk8s() -> Vec<u8> {
    fs::read(env!("CARGO_BIN_EXE_sk8s")).expect("built")
}

/// Bytes that hardly shrink.
pub fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A program with files behind it.
pub fn carrying(program: &[u8], arch: Arch, files: &[Carried<'_>]) -> Vec<u8> {
    assemble((program, arch), files, files)
}

/// A program that carries the bytes of some files and lists others.
pub fn assemble((program, arch): (&[u8], Arch), files: &[Carried<'_>], listed: &[Carried<'_>]) -> Vec<u8> {
    let bytes: BTreeMap<&str, &[u8]> = files.iter().map(|(path, _, bytes)| (*path, *bytes)).collect();
    let frame = zstd::encode_all(&bytes.into_values().collect::<Vec<_>>().concat()[..], 1).expect("packed");
    let entry = |(path, mode, bytes): &Carried<'_>| FileEntry {
        path: path.parse().expect("a plain path"),
        mode: *mode,
        size: bytes.len() as u64,
        sha256: Digest::of(bytes),
    };
    let components = [("kine", "0.16.4"), ("kubernetes", "1.36.3")];
    let components = components.map(|(n, v)| (n.parse().expect("a name"), v.parse().expect("a version")));
    let index = Index::new(arch, components.into(), listed.iter().map(entry).collect()).expect("sound");
    let trailer = Trailer::new((program.len() as u64, frame.len() as u64), &index).expect("short");
    [program, &frame, &index.to_json(), &trailer.to_bytes()].concat()
}

/// While one test writes a program no other starts one: a child would keep the file open for writing, and a program that
/// someone may write to cannot be started.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder for one test, with a program in it.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Writes a program.
    pub fn program(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder().join(name);
        let _alone = alone();
        fs::write(&path, bytes).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("allowed");
        path
    }

    /// The names in the folder of components, sorted.
    pub fn shelf(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.data().join("components")) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|e| e.expect("read").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    }

    /// A program of sk8s with its folders here. `before` is said to the shell that becomes it.
    pub fn command(&self, program: &Path, before: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{before}\nexec \"$0\" \"$@\"")]).arg(program).current_dir(self.folder());
        for (flag, name) in [("--data-dir", "data"), ("--run-dir", "run")] {
            command.arg(flag).arg(self.folder().join(name));
        }
        command
    }

    pub fn run(&self, program: &Path, args: &[&str]) -> Said {
        self.said(self.command(program, "").args(args))
    }

    pub fn said(&self, command: &mut Command) -> Said {
        let child = start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
        Said::new(&child.wait_with_output().expect("ends"), self.folder())
    }
}

/// Starts a program while nobody writes one.
pub fn start(command: &mut Command) -> Child {
    let _alone = alone();
    command.spawn().expect("starts")
}

/// What a program said, with the test's folder called `DIR`.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    fn new(output: &Output, folder: &Path) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder.display().to_string(), "DIR");
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Standard error from the error on.
    pub fn error(&self) -> &str {
        self.err.find("error:").map_or("", |at| &self.err[at..])
    }
}
