//! The folders of a reset under both their names: command lines have them as they were spelled, the kernel's list of mounts
//! has no links in it.

use std::path::{Path, PathBuf};

use crate::{
    paths::Paths,
    sys::fs::{self, FsError},
};

/// Our folders. They are found once, before any link to them is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// As they were spelled.
    pub(super) spelled: Paths,
    /// Where they really are: all that is unmounted, looked through or removed has such a path.
    pub(super) real: Paths,
}

impl Places {
    /// Finds out where folders really are.
    ///
    /// # Errors
    /// If a path cannot be followed, as where links lead in a circle.
    pub fn find(spelled: &Paths) -> Result<Self, FsError> {
        let real = Paths {
            data: fs::real(&spelled.data)?,
            run: fs::real(&spelled.run)?,
            kubelet: fs::real(&spelled.kubelet)?,
            ..spelled.clone()
        };
        Ok(Self { spelled: spelled.clone(), real })
    }

    /// Both names of everything.
    pub(super) fn both(&self) -> [&Paths; 2] {
        [&self.spelled, &self.real]
    }

    /// The kubelet's folder, that of this boot and that of the data, each as it is spelled and where it is.
    pub(super) fn pairs(&self) -> [(&Path, &Path); 3] {
        let Self { spelled, real } = self;
        [(&spelled.kubelet, &real.kubelet), (&spelled.run, &real.run), (&spelled.data, &real.data)]
            .map(|(spelled, real): (&PathBuf, &PathBuf)| (spelled.as_path(), real.as_path()))
    }
}

/// Without a link anywhere.
#[cfg(test)]
impl From<Paths> for Places {
    fn from(paths: Paths) -> Self {
        Self { spelled: paths.clone(), real: paths }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_over_links_whether_it_is_there_or_not() {
        let root = tempfile::tempdir().expect("a folder");
        let root = fs::real(root.path()).expect("there");
        fs::create_shared_folder(&root.join("var/srv/data")).expect("made");
        for (link, target) in [("srv", "var/srv"), ("data", "srv/data"), ("gone", "nowhere")] {
            fs::link(Path::new(target), &root.join(link)).expect("linked");
        }
        let spelled = Paths {
            data: root.join("data"),
            run: root.join("gone"),
            kubelet: root.join("srv/kubelet/deep"),
            ..Paths::default()
        };
        let real = Places::find(&spelled).expect("found").real;
        let found = [real.data, real.run, real.kubelet];
        assert_eq!(found, ["var/srv/data", "gone", "var/srv/kubelet/deep"].map(|path| root.join(path)));
    }
}
