//! The programs that hosts are given.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use skerry_formats::{arch::Arch, digest::Digest};

use super::ClusterError;
use crate::{
    payload::{OWN, Payload, PayloadError},
    sys::fs,
};

/// A program with all components in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
}

/// One for each architecture.
pub type Programs = BTreeMap<Arch, Program>;

/// The running program, and those that were named instead or besides.
///
/// # Errors
/// If one is unreadable, is for another architecture than was said, or carries no components. That of the running one is
/// forgiven where another was named for its architecture.
pub fn find(named: &[(Arch, PathBuf)]) -> Result<Programs, ClusterError> {
    let mut programs = of_files(named)?;
    own(&mut programs)?;
    Ok(programs)
}

/// As [`find`], for work that may need none: a running program that carries no components is left out.
///
/// # Errors
/// If one that was named is unreadable, is for another architecture than was said, or carries no components.
pub fn find_some(named: &[(Arch, PathBuf)]) -> Result<Programs, ClusterError> {
    let mut programs = of_files(named)?;
    if let Err(error) = own(&mut programs) {
        tracing::debug!(%error, "the running program is not uploaded");
    }
    Ok(programs)
}

fn of_files(named: &[(Arch, PathBuf)]) -> Result<Programs, ClusterError> {
    let mut programs = Programs::new();
    for (arch, path) in named {
        let found = arch_of(path)?;
        if found != *arch {
            return Err(ClusterError::OtherArch { path: path.clone(), found, wanted: *arch });
        }
        programs.insert(*arch, Program { path: path.clone(), digest: fs::digest(path)? });
    }
    Ok(programs)
}

/// Adds the running program for this machine's architecture, unless another was named for it.
fn own(programs: &mut Programs) -> Result<(), ClusterError> {
    if let Some(here) = Arch::of_kernel(std::env::consts::ARCH).filter(|here| !programs.contains_key(here)) {
        let own = Path::new(OWN);
        let Some(_) = Payload::own()? else {
            let name = fs::read_link(own)?.unwrap_or_else(|| own.to_owned());
            return Err(ClusterError::Empty(name));
        };
        programs.insert(here, Program { path: own.to_owned(), digest: fs::digest(own)? });
    }
    Ok(())
}

fn arch_of(path: &Path) -> Result<Arch, ClusterError> {
    match Payload::of(path) {
        Ok(Some(payload)) => Ok(payload.index().arch()),
        Ok(None) => Err(ClusterError::Empty(path.to_owned())),
        Err(PayloadError::Foreign { theirs, .. }) => Ok(theirs),
        Err(error) => Err(error.into()),
    }
}
