//! Does what is planned, one stage after the other, with a fresh look before each.

use std::{path::Path, time::Duration};

use nix::{
    errno::Errno,
    mount::{MntFlags, umount2},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    Backups, ResetError, admit, mounts,
    observe::{nft, observe as look},
    places::Places,
    plan::plan,
    step::{Keep, Stage, Step},
};
use crate::{
    paths::Paths,
    service::{self, accounts},
    sys::{fs, netlink, process},
};

/// What a reset came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Steps that were done.
    pub done: usize,
    /// Steps that failed.
    pub failed: usize,
}

/// Why a step failed.
type Failure = Box<dyn std::error::Error>;

/// Removes all that is left, and says of each thing whether it is gone: an empty reason means that it is.
///
/// # Errors
/// If it must not be done here, or the machine cannot be looked at.
pub fn run(paths: &Paths, backups: Backups, mut say: impl FnMut(&Step, &str)) -> Result<Outcome, ResetError> {
    let places = Places::find(paths)?;
    admit(&places, backups)?;
    let mut outcome = Outcome::default();
    for stage in Stage::ALL {
        for _ in 0..rounds(stage) {
            let before = outcome;
            let steps = plan(&look(&places)?, &places).into_iter().filter(|step| step.stage() == stage);
            for step in steps {
                let Some(step) = marked(step, &places, outcome) else { continue };
                let told = match carry_out(&step, &places) {
                    Ok(()) => {
                        outcome.done += 1;
                        String::new()
                    }
                    Err(error) => {
                        outcome.failed += 1;
                        crate::supervisor::chain(&*error)
                    }
                };
                say(&step, &told);
            }
            if outcome.failed > before.failed || outcome.done == before.done {
                break;
            }
        }
    }
    Ok(outcome)
}

/// How often a stage is looked at again: a process may have started another in its last moment, and a mount hidden another.
const fn rounds(stage: Stage) -> usize {
    match stage {
        Stage::Processes | Stage::Mounts => 5,
        _ => 1,
    }
}

/// After a failure the data folder stays, empty: by it the next reset knows that what is left is ours. So do links: by them
/// it finds what is left.
fn marked(step: Step, places: &Places, so_far: Outcome) -> Option<Step> {
    match step {
        step if so_far.failed == 0 => Some(step),
        Step::Folder(path, _) if path == places.real.data => Some(Step::Folder(path, Keep::Itself)),
        Step::Link(_) => None,
        step => Some(step),
    }
}

fn carry_out(step: &Step, places: &Places) -> Result<(), Failure> {
    match step {
        Step::Kill { pid, .. } => end(*pid),
        Step::Unmount(path) => unmount(path),
        Step::Interface { index, .. } => Ok(netlink::remove(*index)?),
        Step::Table(family, name) => {
            let nft = nft(places).unwrap_or_else(|| "nft".into());
            Ok(process::output(&nft, &["delete", "table", family, name]).map(drop)?)
        }
        Step::Chains { program, script } => Ok(process::feed(Path::new(program), &["--noflush"], script)?),
        Step::Remove(path) => Ok(fs::remove_unmounted(path)?),
        Step::RemoveEmpty(path) => Ok(fs::remove_empty_folder(path)?),
        Step::Group(path) => remove_group(path),
        Step::Folder(path, keep) => remove_folder(path, *keep),
        Step::Link(path) => Ok(fs::remove_file(path)?),
        Step::Service(control) => Ok(service::remove(*control)?),
        Step::Account(name) => Ok(accounts::remove(name)?),
    }
}

/// Tries until it works or ten seconds have passed: what the kernel takes apart is gone a moment later.
fn patiently(mut attempt: impl FnMut() -> Result<(), Errno>) -> Result<(), Errno> {
    for _ in 0..100 {
        match attempt() {
            Err(Errno::EBUSY) => std::thread::sleep(Duration::from_millis(100)),
            other => return other,
        }
    }
    attempt()
}

/// Kills a process and waits until it is gone. A dead one that nobody has waited for holds nothing any more.
fn end(pid: i32) -> Result<(), Failure> {
    match kill(Pid::from_raw(pid), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(patiently(|| if process::is_alive(pid) { Err(Errno::EBUSY) } else { Ok(()) })?)
}

/// Unmounts; what is still in use after a while is taken out of the tree, and ends with its last user.
fn unmount(path: &Path) -> Result<(), Failure> {
    let plain = patiently(|| umount2(path, MntFlags::UMOUNT_NOFOLLOW));
    match plain {
        // It went with another mount.
        Err(Errno::EINVAL | Errno::ENOENT) => Ok(()),
        Err(Errno::EBUSY) => Ok(umount2(path, MntFlags::UMOUNT_NOFOLLOW | MntFlags::MNT_DETACH)?),
        other => Ok(other?),
    }
}

/// Removes a control group after those in it. A process that was ended leaves its group a moment later.
fn remove_group(path: &Path) -> Result<(), Failure> {
    for child in fs::folders(path)? {
        remove_group(&child)?;
    }
    let mut last = fs::remove_empty_folder(path);
    for _ in 0..50 {
        if last.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        last = fs::remove_empty_folder(path);
    }
    Ok(last?)
}

/// Something is mounted in a folder that was to be removed: what lies there may not be ours.
#[derive(Debug, thiserror::Error)]
#[error("still mounted: `{0}`")]
struct Mounted(String);

/// Removes a folder in which nothing is mounted any more: what a mount shows is never removed, whether the list of mounts
/// names it by this path or not.
fn remove_folder(path: &Path, keep: Keep) -> Result<(), Failure> {
    let found = mounts::parse(&fs::read_lossy(Path::new("/proc/self/mountinfo"))?);
    if let Some(point) = mounts::below(&found, &[path]).first() {
        return Err(Mounted(point.display().to_string()).into());
    }
    match keep {
        Keep::Itself => Ok(fs::empty_unmounted(path)?),
        Keep::Nothing => Ok(fs::remove_unmounted(path)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failure_the_next_reset_finds_what_is_left() {
        let places = Places::from(Paths::default());
        let data = || Step::Folder(places.real.data.clone(), Keep::Nothing);
        let link = || Step::Link("/var/lib/kubelet".into());
        let (well, badly) = (Outcome::default(), Outcome { failed: 1, done: 9 });
        assert_eq!([data(), link()].map(|step| marked(step, &places, well)), [Some(data()), Some(link())]);
        let kept = Some(Step::Folder("/var/lib/sk8s".into(), Keep::Itself));
        assert_eq!([data(), link()].map(|step| marked(step, &places, badly)), [kept, None]);
    }
}
