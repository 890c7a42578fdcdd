//! The log of a service of OpenRC's: systemd keeps its own within bounds, a file that `supervise-daemon` appends to grows until
//! something rotates it.

use std::path::{Path, PathBuf};

use super::order::{Init, ServiceRole};
use crate::sys::{
    accounts::Account,
    fs::{self, Access, FsError},
};

/// Where logrotate reads what packages say of their logs.
const FOLDER: &str = "/etc/logrotate.d";
/// The first line of what is ours to remove.
const MARK: &str = "# Written by `sk8s install`; `sk8s reset` removes it.\n";

/// Whether a service's log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// There is no logrotate to ask, or no file to rotate.
    Nobody,
    /// logrotate is not told of it yet.
    Missing,
    /// It is, by us or by the owner.
    There,
}

/// Where a service of OpenRC's writes its log.
pub(super) fn log(role: ServiceRole) -> PathBuf {
    PathBuf::from(format!("/var/log/{role}.log"))
}

/// A service's logs, also those that were rotated: `sk8sworker.log.2.gz`, or `sk8sworker.log-20261121`.
///
/// # Errors
/// If the folder cannot be listed.
pub fn logs() -> Result<Vec<PathBuf>, FsError> {
    let all = fs::list(Path::new("/var/log"))?;
    Ok(all.into_iter().filter(|path| ServiceRole::ALL.iter().any(|role| is_log(path, *role))).collect())
}

fn is_log(path: &Path, role: ServiceRole) -> bool {
    let (path, log) = (path.to_string_lossy(), log(role));
    path.strip_prefix(&*log.to_string_lossy()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

fn file(role: ServiceRole) -> PathBuf {
    Path::new(FOLDER).join(role.to_string())
}

/// Looks.
pub(super) fn observe(init: Init, role: ServiceRole) -> Rotation {
    match init {
        Init::OpenRc if fs::exists(&file(role)) => Rotation::There,
        Init::OpenRc if fs::exists(Path::new(FOLDER)) => Rotation::Missing,
        _ => Rotation::Nobody,
    }
}

/// What logrotate is told. The file is copied and then emptied, since `supervise-daemon` never opens it again; it appends,
/// so that it goes on at the beginning.
fn text(role: ServiceRole) -> String {
    let log = log(role);
    let words = ["weekly", "maxsize 50M", "rotate 4", "compress", "missingok", "notifempty", "copytruncate"];
    let words: String = words.iter().map(|word| format!("\t{word}\n")).collect();
    format!("{MARK}{} {{\n{words}}}\n", log.display())
}

/// Tells logrotate.
///
/// # Errors
/// If its file cannot be written.
pub(super) fn write(role: ServiceRole) -> Result<(), FsError> {
    fs::write(&file(role), text(role).as_bytes(), Access::Public, Account::ROOT)
}

/// Takes back what it was told, unless the owner did.
///
/// # Errors
/// If its file cannot be read or removed.
pub(super) fn remove(role: ServiceRole) -> Result<(), FsError> {
    match fs::read_if_there(&file(role))? {
        Some(text) if text.starts_with(MARK) => fs::remove_file(&file(role)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    #[test]
    fn what_logrotate_is_told_is_the_golden_text() {
        golden::check("sk8scontroller.logrotate", &text(ServiceRole::Controller));
    }

    #[test]
    fn logs_are_known_when_they_were_rotated() {
        let is = |name: &str| is_log(&Path::new("/var/log").join(name), ServiceRole::Worker);
        assert!(["sk8sworker.log", "sk8sworker.log.2.gz", "sk8sworker.log-20261121"].into_iter().all(is));
        assert!(!["sk8sworker.logic", "sk8scontroller.log", "sk8sworker", "syslog"].into_iter().any(is));
    }
}
