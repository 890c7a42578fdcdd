//! `skerry kubectl`: the client that images hold, on the host, so that none need be installed there.

use std::{ffi::OsString, path::PathBuf};

use super::{Failure, Host};
use crate::{build::BuildError, component::Component, plan, tool};

/// Flags of `skerry kubectl`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// What kubectl is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<OsString>,
}

/// Becomes kubectl.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    let words = std::iter::once("kubectl".into()).chain(args.words.iter().cloned());
    Err(tool::become_program(&program(host)?, words).into())
}

/// The Kubernetes client for this host: the very program that images hold, built for our own architecture.
pub(super) fn program(host: &Host) -> Result<PathBuf, Failure> {
    let folder = host.catalog.component(&"kubernetes".parse()?)?;
    let component = Component::load(&folder)?;
    let arch = plan::host_arch()?;
    let built = host.without_mirror(|workshop| Ok(workshop.build(&component, arch)?))?;
    let path = built.files.iter().find_map(|file| match &file.content {
        crate::tree::Content::Stored { path, .. } if file.install.file_name() == "clients" => Some(path.clone()),
        _ => None,
    });
    Ok(path.ok_or(BuildError::NoSet("kubernetes"))?)
}
