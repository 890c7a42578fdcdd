//! What a controller knows of the others before its member of etcd runs: one file, written whole or not at all.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    config::NodeName,
    sys::{
        fs::{self, Access, FsError},
        machine,
    },
};

/// What is known cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// The file.
    #[error(transparent)]
    File(#[from] FsError),
    /// Its content.
    #[error("`{}` is damaged", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// A member as another one is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its node's name.
    pub name: NodeName,
    /// Where the others reach it: `https://192.0.2.1:2380`.
    pub url: String,
}

/// Whether there are other members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Company {
    /// There are none: the member listens for nobody.
    #[default]
    Alone,
    /// There are, or may be.
    Several,
}

/// What a controller knows of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Whether there are others.
    pub company: Company,
    /// Whom the member asks when it starts for the first time; none makes a cluster of its own. Once its data is there, no
    /// more.
    #[serde(default)]
    pub join: Vec<Peer>,
}

impl Known {
    /// Reads the file; without one, a controller is alone. `data` is the member's folder: once it holds a log, the member
    /// needs nobody to ask any more, and the file says so from then on. A log that is gone later is not made anew: the others
    /// know the member, and would take an empty one for it.
    ///
    /// # Errors
    /// If it is unreadable, or cannot be written.
    pub fn load(path: &Path, data: &Path) -> Result<Self, KnownError> {
        let Some(text) = fs::read_if_there(path)? else { return Ok(Self::default()) };
        let damaged = |source| KnownError::Damaged { path: path.to_owned(), source };
        let mut known: Self = serde_json::from_str(&text).map_err(damaged)?;
        if !known.join.is_empty() && has_log(data) {
            known.join.clear();
            known.save(path)?;
        }
        Ok(known)
    }

    /// Whether the member's log, in the folder `data`, is gone, while there are others who know the member.
    #[must_use]
    pub fn is_lost(&self, data: &Path) -> bool {
        self.company == Company::Several && self.join.is_empty() && !has_log(data)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// If it cannot be written; then the one before is as it was.
    pub fn save(&self, path: &Path) -> Result<(), KnownError> {
        let damaged = |source| KnownError::Damaged { path: path.to_owned(), source };
        let text = serde_json::to_string_pretty(self).map_err(damaged)?;
        Ok(fs::write(path, text.as_bytes(), Access::Private, machine::account())?)
    }
}

/// etcd makes its log when it has been told of the others, and never without knowing them.
fn has_log(data: &Path) -> bool {
    fs::exists(&data.join("member/wal"))
}

#[cfg(test)]
mod tests {
    use super::{Company, Known, Peer};
    use crate::sys::{
        fs::{self, Access},
        machine,
    };

    #[test]
    fn whom_to_ask_is_known_until_the_member_has_data() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, data) = (folder.path().join("peers.json"), folder.path().join("etcd"));
        assert_eq!(Known::load(&path, &data).expect("none"), Known::default());
        let peer = Peer { name: "barn".parse().expect("a name"), url: "https://192.0.2.1:2380".to_owned() };
        let known = Known { company: Company::Several, join: vec![peer] };
        known.save(&path).expect("written");
        assert_eq!(Known::load(&path, &data).expect("whole"), known);
        std::fs::create_dir_all(data.join("member/wal")).expect("a folder");
        let started = Known { company: Company::Several, join: Vec::new() };
        assert_eq!(Known::load(&path, &data).expect("whole"), started);
        assert!(!started.is_lost(&data) && !known.is_lost(&data));
        fs::remove_tree(&data).expect("removed");
        assert_eq!(Known::load(&path, &data).expect("whole"), started, "a second first start is not one");
        assert!(started.is_lost(&data), "the others know a member that is no more");
        assert!(!known.is_lost(&data), "this one has not begun");
        assert!(!Known::default().is_lost(&data), "nobody else knows a lone one");
        fs::write(&path, b"{", Access::Private, machine::account()).expect("written");
        assert!(Known::load(&path, &data).is_err(), "a damaged file is not no file");
    }
}
