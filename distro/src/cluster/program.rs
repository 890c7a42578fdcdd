//! The programs that hosts are given.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use skerry_formats::{arch::Arch, digest::Digest, name::Name, version::Version};

use super::ClusterError;
use crate::{
    payload::{OWN, Payload},
    sys::fs,
    version::Release,
};

/// A program with all components in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// What it is, if it says so.
    pub release: Option<Release>,
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
        let index = Payload::index_of(path)?.ok_or_else(|| ClusterError::Empty(path.clone()))?;
        if index.arch() != *arch {
            return Err(ClusterError::OtherArch { path: path.clone(), found: index.arch(), wanted: *arch });
        }
        programs.insert(
            *arch,
            Program { path: path.clone(), digest: fs::digest(path)?, release: release(index.components()) },
        );
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
        let release = Release::own().ok();
        programs.insert(here, Program { path: own.to_owned(), digest: fs::digest(own)?, release });
    }
    Ok(())
}

/// The release that components are of: their Kubernetes, and the least of our revisions, which they do not tell.
fn release(components: &BTreeMap<Name, Version>) -> Option<Release> {
    let kubernetes = components.iter().find(|(name, _)| name.as_str() == "kubernetes").map(|(_, version)| version)?;
    format!("v{kubernetes}+sk8s.0").parse().ok()
}

#[cfg(test)]
mod tests {
    use skerry_formats::arch::Arch;

    use super::{find_some, release};

    #[test]
    fn a_program_that_was_named_must_be_there_and_the_running_one_need_not_carry_anything() {
        assert!(find_some(&[]).expect("this test carries no components").is_empty());
        let error = find_some(&[(Arch::Arm64, "/nonexistent/sk8s".into())]).expect_err("there is none");
        assert_eq!(error.to_string(), "could not open `/nonexistent/sk8s`");
    }

    #[test]
    fn a_programs_release_is_that_of_its_kubernetes() {
        let of = |components: &[(&str, &str)]| {
            let known = |text: &str| text.parse().expect("a version");
            release(&components.iter().map(|(name, version)| (name.parse().expect("a name"), known(version))).collect())
        };
        assert_eq!(of(&[("kine", "0.16.4"), ("kubernetes", "1.37.0")]), "v1.37.0+sk8s.0".parse().ok());
        assert_eq!(of(&[("kine", "0.16.4")]), None);
    }
}
