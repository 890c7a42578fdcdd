//! Removing all that sk8s has left on a machine: what is found, what follows from it, and doing it.

mod admit;
mod backups;
mod found;
mod mounts;
mod netfilter;
mod observe;
mod places;
mod plan;
mod process;
mod run;
mod step;

pub use admit::{admit, spare};
pub use backups::Backups;
pub use found::{Common, Entry, Found, Holder, Ledger};
pub use mounts::Mount;
pub use netfilter::Table;
pub use observe::observe;
pub use places::Places;
pub use plan::plan;
pub use process::Process;
pub use run::{Outcome, run};
pub use step::{Keep, Stage, Step};

use std::path::PathBuf;

use crate::{service::ServiceRole, sys::fs::FsError};

/// Why nothing is reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Only the administrator may.
    #[error("only root can reset a machine")]
    NotRoot,
    /// State is the operating system's.
    #[error("this is a Skerry image: what it keeps is not sk8s's alone")]
    Image,
    /// A supervisor runs.
    #[error("sk8s runs here{}", .0.map(|pid| format!(", as process {pid}")).unwrap_or_default())]
    Running(Option<i32>),
    /// A service runs, or is about to.
    #[error("the service `{0}` runs")]
    Service(ServiceRole),
    /// Pods run in a runtime that is not ours.
    #[error("pods run on in the container runtime at `unix://{}`, which is not sk8s' to end", .0.display())]
    Pods(PathBuf),
    /// Backups that would go with the rest.
    #[error("backups are in the data folder: {}", backups::named(.0))]
    Backups(Vec<PathBuf>),
    /// A folder that holds more than ours.
    #[error("`{}` is not a folder for sk8s alone", .0.display())]
    Folder(PathBuf),
    /// What is there could not be found out.
    #[error(transparent)]
    Look(#[from] FsError),
    /// Some steps failed.
    #[error("{0} of the steps failed; what they were to remove is still there")]
    Left(usize),
}

impl ResetError {
    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRoot => "run it with sudo".to_owned(),
            Self::Image => {
                "the image's factory reset wipes its data partition, and so does writing the image anew".to_owned()
            }
            Self::Running(Some(pid)) => format!("end it first: `kill {pid}`"),
            Self::Running(None) | Self::Service(_) => "end it first: `sk8s stop`".to_owned(),
            Self::Pods(socket) => {
                format!("remove them first: `crictl --runtime-endpoint unix://{} rmp --all --force`", socket.display())
            }
            Self::Backups(_) => {
                "move them to another place first, or remove them too: `sk8s reset --with-backups`".to_owned()
            }
            Self::Folder(_) => "name the folders that the node was started with".to_owned(),
            Self::Look(_) => return None,
            Self::Left(_) => "see what holds them, and run `sk8s reset` again".to_owned(),
        })
    }
}
