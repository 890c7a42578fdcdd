//! An installed service, through the program that runs it.

use std::path::Path;

use super::{
    ServiceError, installed,
    order::{Init, ServiceRole},
};
use crate::sys::process::{self, ProcessError};

/// An installed service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// What runs it.
    pub init: Init,
    /// Which it is.
    pub role: ServiceRole,
}

/// Whether a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or will in a moment: it is being started, stopped or started again.
    Running,
    /// It does not, and nobody is about to start it.
    Stopped,
}

impl Control {
    /// Whether it runs. What cannot be asked runs nothing.
    #[must_use]
    pub fn state(self) -> State {
        let runs = match self.init {
            Init::Systemd => self
                .systemctl(&["show", "--property=ActiveState", "--value"])
                .is_ok_and(|state| !matches!(state.trim(), "inactive" | "failed" | "")),
            Init::OpenRc => self.rc("status").is_ok(),
        };
        if runs { State::Running } else { State::Stopped }
    }

    /// Makes the init system read what was written.
    ///
    /// # Errors
    /// If it refuses.
    pub fn reload(self) -> Result<(), ProcessError> {
        match self.init {
            Init::Systemd => process::output(Path::new("systemctl"), &["daemon-reload"]).map(drop),
            Init::OpenRc => Ok(()),
        }
    }

    /// Has it started at each boot.
    ///
    /// # Errors
    /// If the init system refuses.
    pub fn enable(self) -> Result<(), ProcessError> {
        match self.init {
            Init::Systemd => self.systemctl(&["enable", "--quiet"]).map(drop),
            Init::OpenRc => self.rc_update("add"),
        }
    }

    /// Has it started at no boot.
    ///
    /// # Errors
    /// If the init system refuses.
    pub fn disable(self) -> Result<(), ProcessError> {
        match self.init {
            Init::Systemd => self.systemctl(&["disable", "--quiet"]).map(drop),
            Init::OpenRc => self.rc_update("del"),
        }
    }

    /// Starts it; what runs already runs on.
    ///
    /// # Errors
    /// If the init system refuses.
    pub fn start(self) -> Result<(), ProcessError> {
        match self.init {
            Init::Systemd => self.systemctl(&["start"]).map(drop),
            Init::OpenRc => self.rc("start"),
        }
    }

    /// Stops it and waits until it has ended.
    ///
    /// # Errors
    /// If the init system refuses.
    pub fn stop(self) -> Result<(), ProcessError> {
        match self.init {
            Init::Systemd => self.systemctl(&["stop"]).map(drop),
            Init::OpenRc => self.rc("stop"),
        }
    }

    /// Forgets that it ever failed.
    pub fn forget(self) {
        if self.init == Init::Systemd
            && let Err(error) = self.systemctl(&["reset-failed"])
        {
            tracing::debug!(%error, "it never failed");
        }
    }

    fn systemctl(self, words: &[&str]) -> Result<String, ProcessError> {
        let unit = format!("{}.service", self.role);
        process::output(Path::new("systemctl"), &[words, &[unit.as_str()]].concat())
    }

    fn rc(self, verb: &str) -> Result<(), ProcessError> {
        process::output(Path::new("rc-service"), &[&self.role.to_string(), verb]).map(drop)
    }

    fn rc_update(self, verb: &str) -> Result<(), ProcessError> {
        process::output(Path::new("rc-update"), &[verb, &self.role.to_string(), "default"]).map(drop)
    }
}

/// Starts the installed service.
///
/// # Errors
/// If none is installed, or it cannot be started.
pub fn start() -> Result<Control, ServiceError> {
    let (control, _) = installed()?.ok_or(ServiceError::NotInstalled)?;
    control.start()?;
    Ok(control)
}

/// Stops the installed service; pods run on.
///
/// # Errors
/// If none is installed, or it cannot be stopped.
pub fn stop() -> Result<Control, ServiceError> {
    let (control, _) = installed()?.ok_or(ServiceError::NotInstalled)?;
    control.stop()?;
    Ok(control)
}
