//! Where a reset would be wrong.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use skerry_formats::cmdline::RootRef;

use super::{
    Backups, ResetError, backups, mounts,
    observe::{groups, processes, services},
    places::Places,
    process,
};
use crate::{images::external_runtime, service::State, status, sys::fs};

/// Refuses where a reset would be wrong: not root, an image's own node, something that runs, a folder with more than ours, or
/// one with backups that are to be spared.
///
/// # Errors
/// The reason.
pub fn admit(places: &Places, backups: Backups) -> Result<(), ResetError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(ResetError::NotRoot);
    }
    if RootRef::parse(&fs::read_lossy(Path::new("/proc/cmdline")).unwrap_or_default()).is_ok() {
        return Err(ResetError::Image);
    }
    if let Some(folder) = taboo(places) {
        return Err(ResetError::Folder(folder.to_owned()));
    }
    for control in services() {
        if control.state() == State::Running {
            return Err(ResetError::Service(control.role));
        }
    }
    let socket = places.spelled.status_socket();
    if UnixStream::connect(&socket).is_ok() {
        return Err(ResetError::Running(status::pid(&socket)));
    }
    if let Some(supervisor) = process::supervisor(&processes()?, places) {
        return Err(ResetError::Running(Some(supervisor.pid)));
    }
    if let Some(socket) = external_runtime(&places.real)?
        && pods_run()?
    {
        return Err(ResetError::Pods(socket));
    }
    spare(places, backups)
}

/// Refuses where backups are to be spared and lie in the data folder.
///
/// # Errors
/// If there are some, or it cannot be looked at.
pub fn spare(places: &Places, backups: Backups) -> Result<(), ResetError> {
    if backups == Backups::Remove {
        return Ok(());
    }
    let mounts = mounts::parse(&fs::read_lossy(Path::new("/proc/self/mountinfo"))?);
    let found = backups::below(&places.real.data, &mounts)?;
    if found.is_empty() { Ok(()) } else { Err(ResetError::Backups(found)) }
}

/// Whether there are processes in the control groups of pods.
fn pods_run() -> Result<bool, fs::FsError> {
    let mounts = mounts::parse(&fs::read_lossy(Path::new("/proc/self/mountinfo"))?);
    let of_pods = |group: &PathBuf| group.to_string_lossy().contains("/kubepods");
    let busy = |group: PathBuf| fs::read_lossy(&group.join("cgroup.procs")).is_ok_and(|text| !text.trim().is_empty());
    Ok(groups(&mounts).into_iter().filter(of_pods).any(busy))
}

/// Folders that hold more than ours, and so do all folders that they lie in.
const SYSTEM: [&str; 24] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/run/lock",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/share",
    "/var/lib",
    "/var/log",
    "/var/tmp",
];

/// A folder that must not be removed, by either name: what is spelled as if it were ours may be a link to what is not.
fn taboo(places: &Places) -> Option<&Path> {
    let systems: Vec<PathBuf> = SYSTEM.iter().filter_map(|system| fs::real(Path::new(system)).ok()).collect();
    let holds = |folder: &Path| systems.iter().any(|system| system.starts_with(folder));
    places
        .pairs()
        .into_iter()
        .flat_map(|(spelled, real)| [spelled, real])
        .find(|folder| !may_go(folder) || holds(folder))
}

/// Whether a folder may be removed with all it holds: a typing error must not cost a machine.
fn may_go(folder: &Path) -> bool {
    let above = |system: &&str| Path::new(system).starts_with(folder);
    let plain = folder.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    folder.is_absolute() && plain && !SYSTEM.iter().any(above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Paths;

    #[test]
    fn a_reset_spares_backups_unless_it_is_told_otherwise() {
        let root = tempfile::tempdir().expect("a folder");
        let places = Places::from(Paths { data: root.path().to_owned(), ..Paths::default() });
        spare(&places, Backups::Spare).expect("none there");
        let backup = root.path().join("sk8s_backup_2026-11-21T14-05-00Z.tar.zst");
        drop(fs::create_new(&backup, fs::Access::Private).expect("written"));
        let refused = spare(&places, Backups::Spare).expect_err("one is there");
        assert_eq!(refused.to_string(), format!("backups are in the data folder: `{}`", backup.display()));
        assert!(refused.hint().is_some_and(|hint| hint.contains("--with-backups")));
        spare(&places, Backups::Remove).expect("told so");
    }

    #[test]
    fn a_typing_error_does_not_cost_a_machine() {
        for folder in ["/", "/var", "/var/lib", "/usr", "/run", "relative", "/srv/../etc", "/home/"] {
            assert!(!may_go(Path::new(folder)), "{folder}");
        }
        for folder in ["/var/lib/sk8s", "/run/sk8s", "/srv/k8s", "/var/lib/kubelet", "/home/user/data"] {
            assert!(may_go(Path::new(folder)), "{folder}");
        }
    }

    #[test]
    fn a_link_does_not_make_a_system_s_folder_ours() {
        let root = tempfile::tempdir().expect("a folder");
        let data = |target: &str| {
            let link = root.path().join(target.replace('/', "_"));
            fs::link(Path::new(target), &link).expect("linked");
            let places = Places::find(&Paths { data: link, ..Paths::default() }).expect("found");
            taboo(&places).map(Path::to_owned)
        };
        assert_eq!(data("/usr/lib"), Some("/usr/lib".into()));
        assert_eq!(data("/"), Some("/".into()));
        assert_eq!(data("/srv/sk8s-of-ours"), None);
        // Where `/srv` is a link itself, what it leads to is no less the system's.
        let real = fs::real(Path::new("/bin")).expect("there");
        let places = Places { real: Paths { data: real.clone(), ..Paths::default() }, ..Paths::default().into() };
        assert_eq!(taboo(&places), Some(&*real));
    }
}
