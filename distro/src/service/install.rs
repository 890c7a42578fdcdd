//! `sk8s install`: what is missing is found out, planned, and made.

use std::{fmt, path::Path};

use super::{
    Control, FOLDER, ServiceError, State,
    accounts::{self, ACCOUNTS},
    environment, environment_file,
    order::{Init, Order, ServiceRole},
    rotation::{self, Rotation},
};
use crate::sys::{
    accounts::Account,
    fs::{self, Access},
};

/// What to do about what is there already and says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Write over it.
    Replace,
}

/// When it is to run for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// As soon as it is installed; what runs already with other words is started again.
    Now,
    /// With the next boot, or when it is started.
    Later,
}

/// How it is to be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// About what is there.
    pub existing: Existing,
    /// About its first run.
    pub begin: Begin,
}

/// What is on the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What starts services.
    pub init: Init,
    /// The text of the service, if it is there.
    pub service: Option<String>,
    /// The text of its environment, if it is there.
    pub environment: Option<String>,
    /// Whether the other role's service is there.
    pub other: bool,
    /// Whether its log is rotated.
    pub rotation: Rotation,
    /// Whether the service is started at boot.
    pub enabled: bool,
    /// Whether it runs now.
    pub state: State,
    /// The text of `/etc/passwd`.
    pub passwd: String,
}

/// One thing to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a component's account.
    Account(&'static str),
    /// End and remove the other role's service.
    RemoveOther(ServiceRole),
    /// Write the environment.
    Environment(String),
    /// Write the service.
    Service(String),
    /// Have its log rotated.
    Rotation,
    /// Have it started at each boot.
    Enable,
    /// Stop what runs with other words.
    Stop,
    /// Start it.
    Start,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => write!(f, "account: {name}"),
            Self::RemoveOther(role) => write!(f, "removed: {role}"),
            Self::Environment(_) => write!(f, "environment written"),
            Self::Service(_) => write!(f, "service written"),
            Self::Rotation => write!(f, "rotation of its log written"),
            Self::Enable => write!(f, "started at each boot"),
            Self::Start => write!(f, "started"),
            Self::Stop => write!(f, "stopped"),
        }
    }
}

/// Looks at what is there.
///
/// # Errors
/// If no init system is known here, or a file cannot be read.
pub fn observe(role: ServiceRole) -> Result<Found, ServiceError> {
    let init = Init::detect().ok_or(ServiceError::NoInit)?;
    Ok(Found {
        init,
        service: fs::read_if_there(&init.file(role))?,
        environment: fs::read_if_there(&environment_file(role))?,
        other: fs::exists(&init.file(role.other())),
        rotation: rotation::observe(init, role),
        enabled: fs::exists(&init.boot_link(role)),
        state: Control { init, role }.state(),
        passwd: fs::read_to_string(Path::new("/etc/passwd"))?,
    })
}

/// What is missing for an order; nothing once it is all there.
///
/// # Errors
/// If something else is there and is to be kept.
pub fn plan(order: &Order, found: &Found, manner: Manner) -> Result<Vec<Step>, ServiceError> {
    let role = order.role;
    let (service, environment) = (found.init.text(order), environment::text(&order.env));
    let old_environment = found.environment.as_deref().unwrap_or_default();
    let differs = found.service.as_ref() != Some(&service) || old_environment != environment;
    if manner.existing == Existing::Keep {
        if found.other {
            return Err(ServiceError::OtherRole(role.other()));
        }
        if differs && found.service.is_some() {
            return Err(ServiceError::Exists(found.init.file(role)));
        }
    }
    let mut steps = Vec::new();
    if found.other {
        steps.push(Step::RemoveOther(role.other()));
    }
    if role == ServiceRole::Controller {
        let missing =
            ACCOUNTS.iter().map(|(name, _)| *name).filter(|name| Account::find(&found.passwd, name).is_none());
        steps.extend(missing.map(Step::Account));
    }
    if old_environment != environment {
        steps.push(Step::Environment(environment));
    }
    if found.service.as_ref() != Some(&service) {
        steps.push(Step::Service(service));
    }
    if found.rotation == Rotation::Missing {
        steps.push(Step::Rotation);
    }
    if !found.enabled {
        steps.push(Step::Enable);
    }
    if manner.begin == Begin::Now {
        match found.state {
            State::Running if differs => steps.extend([Step::Stop, Step::Start]),
            State::Running => {}
            State::Stopped => steps.push(Step::Start),
        }
    }
    Ok(steps)
}

/// Makes one thing.
///
/// # Errors
/// If it cannot be made.
pub fn carry_out(control: Control, step: &Step) -> Result<(), ServiceError> {
    let Control { init, role } = control;
    match step {
        Step::Account(name) => accounts::create(name)?,
        Step::RemoveOther(role) => remove(Control { init, role: *role })?,
        Step::Environment(text) if text.is_empty() => fs::remove_file(&environment_file(role))?,
        Step::Environment(text) => {
            fs::create_folder(Path::new(FOLDER), Access::Public, Account::ROOT)?;
            fs::write(&environment_file(role), text.as_bytes(), Access::Private, Account::ROOT)?;
        }
        Step::Service(text) => {
            let access = if init == Init::OpenRc { Access::Program } else { Access::Public };
            fs::write(&init.file(role), text.as_bytes(), access, Account::ROOT)?;
            control.reload()?;
        }
        Step::Rotation => rotation::write(role)?,
        Step::Enable => control.enable()?,
        Step::Start => control.start()?,
        Step::Stop => control.stop()?,
    }
    Ok(())
}

/// Ends a service and removes what describes it.
///
/// # Errors
/// At the first thing that cannot be removed.
pub(crate) fn remove(control: Control) -> Result<(), ServiceError> {
    let Control { init, role } = control;
    if control.state() == State::Running {
        control.stop()?;
    }
    if fs::exists(&init.boot_link(role)) {
        control.disable()?;
    }
    rotation::remove(role)?;
    fs::remove_file(&init.file(role))?;
    fs::remove_file(&environment_file(role))?;
    if fs::list(Path::new(FOLDER))?.is_empty() {
        fs::remove_empty_folder(Path::new(FOLDER))?;
    }
    control.reload()?;
    control.forget();
    Ok(())
}

#[cfg(test)]
mod tests;
