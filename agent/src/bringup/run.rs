//! Does the steps.

use std::path::{Path, PathBuf};

use skerry_formats::seed::Owner;

use super::step::{File, Service, Step};
use crate::sys::{
    fs::{self, FsError},
    host::{self, HostError},
    process::{ProcessError, Program},
};

/// Where files may be written. A link that leads elsewhere is not followed.
const WRITABLE: [&str; 3] = ["/etc", "/var", "/run"];

/// The agent's own folders for what only root reads.
const PRIVATE: [&str; 2] = ["/run/skerry", "/var/lib/sk8s/pki"];

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A file.
    #[error("could not write a file")]
    File(#[source] FsError),
    /// A folder's link leads out of where files may be written.
    #[error("`{}` leads to `{}`, where nothing is written", .path.display(), .real.display())]
    Astray {
        /// The file.
        path: PathBuf,
        /// The folder it would be written into.
        real: PathBuf,
    },
    /// An owner that the image does not have.
    #[error("the image has no user or group `{0}`")]
    Owner(Owner),
    /// The node's name.
    #[error("could not name the node")]
    Name(#[source] HostError),
    /// systemd.
    #[error("systemd did not do it")]
    Systemd(#[source] ProcessError),
}

/// Does one step.
///
/// # Errors
/// If it cannot be done.
pub fn run(step: &Step) -> Result<(), StepError> {
    match step {
        Step::Name(name) => host::set_name(name.as_str()).map_err(StepError::Name),
        Step::Write(file) => write(file),
        Step::ReadUnits => systemctl(&["daemon-reload"]),
        // The addresses of before must be gone when the next plan looks for one.
        Step::Restart(Service::Network) => systemctl(&["restart", Service::Network.unit()]),
        // Nothing in a bring-up needs the others at once.
        Step::Restart(service) => systemctl(&["restart", "--no-block", service.unit()]),
    }
}

fn systemctl(args: &[&str]) -> Result<(), StepError> {
    Program::new("/usr/bin/systemctl").args(args.iter().copied()).run().map(|_| ()).map_err(StepError::Systemd)
}

fn write(file: &File) -> Result<(), StepError> {
    let folder = file.path.parent().unwrap_or(Path::new("/"));
    if is_kept_apart(file) {
        fs::create_private_dir(folder).map_err(StepError::File)?;
    } else {
        fs::create_dir_all(folder).map_err(StepError::File)?;
    }
    let real = fs::canonical(folder).map_err(StepError::File)?;
    if !WRITABLE.iter().any(|writable| real.starts_with(writable)) {
        return Err(StepError::Astray { path: file.path.clone(), real });
    }
    let owner = file.owner.as_ref().map(|owner| host::account(owner).ok_or_else(|| StepError::Owner(owner.clone())));
    let owner = owner.transpose()?;
    fs::write_atomic(&file.path, &file.bytes, file.mode).map_err(StepError::File)?;
    if let Some(owner) = owner {
        fs::set_owner(&file.path, owner).map_err(StepError::File)?;
        // Changing the owner clears the set-id bits.
        fs::set_mode(&file.path, file.mode).map_err(StepError::File)?;
    }
    Ok(())
}

/// Whether the folders that are made for a file are for root alone. Those for a file of the seed are not, whatever its own mode:
/// who owns it must get to it.
fn is_kept_apart(file: &File) -> bool {
    file.mode & 0o077 == 0 && PRIVATE.iter().any(|folder| file.path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::{File, is_kept_apart};

    #[test]
    fn the_owner_of_a_seeds_file_gets_to_it_and_keys_are_kept_apart() {
        let is_apart =
            |path: &str, mode| is_kept_apart(&File { path: path.into(), bytes: Vec::new(), mode, owner: None });
        assert!(!is_apart("/etc/app/key", 0o600) && !is_apart("/var/lib/sk8s/manifests/secret.yaml", 0o600));
        assert!(is_apart("/var/lib/sk8s/pki/ca.key", 0o600) && is_apart("/run/skerry/ssh/authorized_keys", 0o600));
        assert!(!is_apart("/run/skerry/sk8s.yaml", 0o644));
    }
}
