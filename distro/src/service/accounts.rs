//! The accounts that components run as.
//!
//! `useradd` makes them where it is: it knows the distribution's ranges of numbers, labels the files for SELinux and tells
//! the caches. Where it is not (Alpine, a bare busybox), we edit the files ourselves, under the lock that every such program
//! takes, each file replaced in one step. An account is ours if its comment ends with our mark: one of the same name that
//! was there before (Debian's own `etcd`) is used as it is, and stays.

use std::path::Path;

use super::passwd::{Books, Full};
use crate::sys::{
    fs::{self, FsError},
    process::{self, ProcessError},
};

/// Names and comments of all accounts.
pub const ACCOUNTS: [(&str, &str); 6] = [
    ("kine", "datastore on SQL (sk8s)"),
    ("etcd", "datastore (sk8s)"),
    ("kube-apiserver", "Kubernetes API server (sk8s)"),
    ("kube-controller-manager", "Kubernetes controller manager (sk8s)"),
    ("kube-scheduler", "Kubernetes scheduler (sk8s)"),
    ("metrics-server", "Kubernetes metrics (sk8s)"),
];

/// How the comment of an account of ours ends.
const MARK: &str = "(sk8s)";

/// An account that could not be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// A program of the system.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// No number is left.
    #[error("no number is left for the account `{0}`")]
    Full(String, #[source] Full),
}

/// The accounts in the text of a passwd file that we have made.
#[must_use]
pub fn ours(passwd: &str) -> Vec<&'static str> {
    let marked = |name: &str| {
        passwd.lines().any(|line| {
            let mut fields = line.split(':');
            fields.next() == Some(name) && fields.nth(3).is_some_and(|comment| comment.ends_with(MARK))
        })
    };
    ACCOUNTS.iter().map(|(name, _)| *name).filter(|name| marked(name)).collect()
}

/// Makes an account of [`ACCOUNTS`] with a group of its own name.
///
/// # Errors
/// If the system's program refuses, or a file cannot be replaced.
pub fn create(name: &str) -> Result<(), AccountError> {
    let comment = ACCOUNTS.iter().find(|(known, _)| *known == name).map_or(MARK, |(_, comment)| *comment);
    let Some(useradd) = process::find("useradd") else {
        return edit(|books| books.add(name, comment).map_err(|full| AccountError::Full(name.to_owned(), full)));
    };
    let group = if fs::read_to_string(Path::new("/etc/group"))?.lines().any(|line| owner(line) == name) {
        vec!["--gid", name]
    } else {
        vec!["--user-group"]
    };
    let words = ["--system", "--no-create-home", "--home-dir", HOME, "--shell", SHELL, "--comment", comment];
    process::output(&useradd, &[&words[..], &group, &[name]].concat())?;
    Ok(())
}

/// Removes an account and its group.
///
/// # Errors
/// If the system's program refuses, or a file cannot be replaced.
pub fn remove(name: &str) -> Result<(), AccountError> {
    let Some(userdel) = process::find("userdel") else {
        return edit(|books| {
            books.remove(name);
            Ok(())
        });
    };
    process::output(&userdel, &[name])?;
    // userdel removes the group with it only where login.defs says so.
    let left = fs::read_to_string(Path::new("/etc/group"))?.lines().any(|line| owner(line) == name);
    if let Some(groupdel) = process::find("groupdel").filter(|_| left) {
        process::output(&groupdel, &[name])?;
    }
    Ok(())
}

pub(super) const HOME: &str = "/nonexistent";
pub(super) const SHELL: &str = "/sbin/nologin";

/// Whose line of a passwd or group file this is.
pub(super) fn owner(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// Changes the books under their lock (lckpwdf(3)). A group that nobody has is harmless and a user without a group is not,
/// so groups come first.
fn edit(change: impl FnOnce(&mut Books) -> Result<(), AccountError>) -> Result<(), AccountError> {
    let _lock = fs::lock(Path::new("/etc/.pwd.lock"))?;
    let read = |path: &str| fs::read_if_there(Path::new(path));
    let old = Books {
        group: read("/etc/group")?.unwrap_or_default(),
        gshadow: read("/etc/gshadow")?,
        passwd: read("/etc/passwd")?.unwrap_or_default(),
        shadow: read("/etc/shadow")?,
    };
    let mut new = old.clone();
    change(&mut new)?;
    let (group, passwd) = ((Some(&old.group), Some(&new.group)), (Some(&old.passwd), Some(&new.passwd)));
    let (gshadow, shadow) = ((old.gshadow.as_ref(), new.gshadow.as_ref()), (old.shadow.as_ref(), new.shadow.as_ref()));
    let files = [("/etc/group", group), ("/etc/gshadow", gshadow), ("/etc/shadow", shadow), ("/etc/passwd", passwd)];
    for (path, (before, after)) in files {
        if let Some(text) = after.filter(|text| before != Some(text)) {
            fs::replace(Path::new(path), text.as_bytes())?;
        }
    }
    Ok(())
}
