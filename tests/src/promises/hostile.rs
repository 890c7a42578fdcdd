//! Builds that cannot be finished: what is said, and that nothing half-written stays.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    time::Duration,
};

use skerry_qemu::Deadline;

use super::reproducible::BUILD;
use crate::{
    Broken, Check,
    cli::golden,
    elsewhere::{Elsewhere, is_root, names, own_store},
    lab::Lab,
    process::{Background, Finished, Program},
    report::Report,
};

/// What the shell prints before it lists the folder.
const LEFT: &str = "left behind:";

pub fn run(lab: &Lab, report: &mut Report) {
    report.promise("Ctrl-C while the image is compressed leaves nothing half-written", || compressing(lab));
    report.promise("Ctrl-C while the root is packed ends the tool, and the store stays usable", || packing(lab));
    report.promise("a full disk is named, and nothing half-written stays", || full_disk(lab));
}

fn compressing(lab: &Lab) -> Check {
    let out = lab.scratch("interrupted");
    let flag = OsString::from("--out");
    let words: Vec<&OsStr> = BUILD.iter().map(OsStr::new).chain([flag.as_os_str(), out.as_os_str()]).collect();
    let mut build = Background::start(lab.skerry(), &words, &lab.scratch("interrupted.log"))?;
    build.line_with("compress and digest", Deadline::seconds(600))?;
    interrupted(&mut build)?;
    empty(&out)?;
    let ours = format!(".skerry-{}-", build.id());
    match names(&own_store().join("tmp"))?.iter().find(|name| name.starts_with(&ours)) {
        None => Ok(()),
        Some(name) => Err(Broken(format!("`{name}` stays in the store"))),
    }
}

fn packing(lab: &Lab) -> Check {
    let elsewhere = Elsewhere::new(lab.skerry())?;
    elsewhere.stock(&own_store())?;
    let tool = elsewhere.path("skerry").display().to_string();
    let words: Vec<&str> = [tool.as_str()].into_iter().chain(BUILD).chain(["--out", "out"]).collect();
    let mut build = elsewhere.program(&words).background(&lab.scratch("packing.log"))?;
    build.line_with("pack root", Deadline::seconds(600))?;
    // mkfs.erofs runs once the archive that it reads is whole.
    let store = elsewhere.path("store");
    let running = Deadline::seconds(60);
    while !runs_in(&store)? {
        if running.passed() {
            return Err(Broken::new("mkfs.erofs never ran"));
        }
        skerry_qemu::clock::pause();
    }
    interrupted(&mut build)?;
    if runs_in(&store)? {
        return Err(Broken::new("mkfs.erofs goes on"));
    }
    empty(&elsewhere.path("out"))?;
    empty(&store.join("tmp"))?;
    let again = elsewhere.program(&words).limit(Duration::from_secs(900)).finish()?;
    again.success().map(|_| ())
}

/// Whether a program of the toolbox runs on this store: its own loader lies there.
fn runs_in(store: &Path) -> Check<bool> {
    let processes = std::fs::read_dir("/proc").map_err(Broken::when("no process list"))?;
    let command = |entry: std::fs::DirEntry| skerry_qemu::files::read_text(&entry.path().join("cmdline")).ok();
    let store = store.to_string_lossy().into_owned();
    Ok(processes
        .filter_map(Result::ok)
        .filter_map(command)
        .any(|words| words.contains("mkfs.erofs") && words.starts_with(&store)))
}

fn interrupted(build: &mut Background) -> Check {
    match build.interrupt(Deadline::seconds(30))? {
        Some(130) => Ok(()),
        code => Err(Broken(format!("exit code {code:?}; wanted 130"))),
    }
}

fn empty(folder: &Path) -> Check {
    let left = names(folder)?;
    if left.is_empty() { Ok(()) } else { Err(Broken(format!("in `{}` stay {left:?}", folder.display()))) }
}

/// First too little room for the image, then enough for it but not for the compressed one beside it.
fn full_disk(lab: &Lab) -> Check {
    let mut text = String::new();
    for (room, step) in [("64m", "write disk image"), ("300m", "compress and digest")] {
        let said = on_small_disk(lab, room)?;
        text.push_str(&format!("# {room} of room\n{}", error_of(&said, &lab.scratch(&disk(room)))));
        if said.code != Some(1) {
            return Err(Broken(format!("exit code {:?} with {room}: {}", said.code, said.stderr)));
        }
        if !said.stderr.contains(&format!("  ✗ {step}")) {
            return Err(Broken(format!("`{step}` did not fail with {room}:\n{}", said.stderr)));
        }
        if said.stdout.trim() != LEFT {
            return Err(Broken(format!("with {room}: {}", said.stdout)));
        }
    }
    golden("full-disk.txt", &text)
}

fn disk(room: &str) -> String {
    format!("disk of {room}")
}

/// The error with its causes and hint; the temporary file's name is another each time.
fn error_of(said: &Finished, out: &Path) -> String {
    let text = said.stderr.split_once("error: ").map_or("", |(_, error)| error);
    let text = text.replace(&*out.to_string_lossy(), "OUT");
    match text.split_once("/.skerry-") {
        Some((before, after)) => {
            format!("error: {before}/TEMPORARY{}", after.find('`').map_or("", |at| &after[at..]))
        }
        None => format!("error: {text}"),
    }
}

/// A build onto a disk of its own, seen by nobody else and gone with its processes.
fn on_small_disk(lab: &Lab, room: &str) -> Check<Finished> {
    let out = lab.scratch(&disk(room));
    std::fs::create_dir_all(&out).map_err(Broken::when("no folder"))?;
    let script = format!(
        "room=$1; out=$2; shift 2\nmount -t tmpfs -o size=\"$room\" tmpfs \"$out\" || exit 99\n\
         \"$@\" --out \"$out\"; code=$?\necho '{LEFT}'; ls -A \"$out\"; exit $code"
    );
    let namespace: &[&str] = if is_root() { &["--mount"] } else { &["--map-root-user", "--mount"] };
    let program = Program::new("unshare").args(namespace).args(["/bin/sh", "-c", &script, "sh", room]);
    program.arg(&out).arg(lab.skerry()).args(BUILD).limit(Duration::from_secs(600)).finish()
}
