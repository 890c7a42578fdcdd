//! sk8s as a service of the system: what is written for systemd or OpenRC, who the components run as, start and stop.

pub mod accounts;
mod control;
mod environment;
mod install;
mod openrc;
mod order;
mod passwd;
mod rotation;
mod systemd;

use std::path::{Path, PathBuf};

pub use control::{Control, State, start, stop};
pub use environment::{BadVariable, Variable};
pub(crate) use install::remove;
pub use install::{Begin, Existing, Found, Manner, Step, carry_out, observe, plan};
pub use openrc::give_up;
pub use order::{BadOrder, Init, Order, ServiceRole};
pub use rotation::{Rotation, logs};

use crate::sys::{fs::FsError, process::ProcessError};

/// A service that could not be installed, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// A program of the system.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Accounts.
    #[error(transparent)]
    Account(#[from] accounts::AccountError),
    /// What was asked for cannot be a service.
    #[error(transparent)]
    Order(#[from] BadOrder),
    /// A service that is not the one asked for.
    #[error("`{}` is there already and says something else", .0.display())]
    Exists(PathBuf),
    /// The other role's service.
    #[error("this machine has the service `{0}` already")]
    OtherRole(ServiceRole),
    /// Only the administrator may.
    #[error("only root can change services")]
    NotRoot,
    /// Neither systemd nor OpenRC runs this system.
    #[error("neither systemd nor OpenRC runs this system")]
    NoInit,
    /// Nothing was installed.
    #[error("no service of sk8s is installed")]
    NotInstalled,
}

impl ServiceError {
    /// The next thing to do, where there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exists(_) => "add `--force` to write it again".to_owned(),
            Self::OtherRole(_) => "add `--force` to put this one in its place, or run `sk8s reset` first".to_owned(),
            Self::NotRoot => "run it with sudo".to_owned(),
            Self::NoInit => "let your own service manager run `sk8s controller`, and see docs/linux.md".to_owned(),
            Self::NotInstalled => "run `sk8s install controller --single` for a cluster of one node".to_owned(),
            _ => return None,
        })
    }
}

/// What installed a role, and with which words after `sk8s`; `None` where nothing did.
///
/// # Errors
/// If the file is there and cannot be read.
pub fn installed() -> Result<Option<(Control, Vec<String>)>, ServiceError> {
    for init in Init::ALL {
        for role in ServiceRole::ALL {
            if let Some(text) = crate::sys::fs::read_if_there(&init.file(role))? {
                return Ok(Some((Control { init, role }, init.words(&text))));
            }
        }
    }
    Ok(None)
}

/// The folder of the owner's configuration, and of services' environments.
const FOLDER: &str = "/etc/sk8s";

/// Where a service's environment is written, readable by root alone: it may hold a proxy's password.
#[must_use]
pub fn environment_file(role: ServiceRole) -> PathBuf {
    Path::new(FOLDER).join(format!("{role}.env"))
}
