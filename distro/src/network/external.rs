//! What a runtime that is not sk8s' own finds of the pod network: its configuration and its programs, at the two places where
//! every runtime looks by itself (`--cni-conf-dir` and `--cni-bin-dir` of upstream's old kubelet, since then the default of
//! containerd and CRI-O).

use std::path::{Path, PathBuf};

use super::conflist::NAME;
use crate::{
    config::{Provider, Runtime, Settings},
    paths::Paths,
    sys::fs::{self, FsError},
};

/// Where every runtime looks for the configuration of networks.
pub const CONFIGURATION: &str = "/etc/cni/net.d";
/// Where every runtime looks for their programs.
pub const PROGRAMS: &str = "/opt/cni/bin";

/// Puts links to our programs where another runtime looks, if this node has such a one and its network is ours; takes away
/// what an earlier start put there if it has not. What others put there stays.
///
/// # Errors
/// If a link or a file cannot be made or removed.
pub fn settle(settings: &Settings, paths: &Paths) -> Result<(), FsError> {
    let external = settings.runtime != Runtime::Own;
    if external && settings.provider != Provider::Custom {
        fs::create_shared_folder(Path::new(CONFIGURATION))?;
        fs::create_shared_folder(Path::new(PROGRAMS))?;
        return fs::list(&paths.cni)?.iter().try_for_each(|program| offer(program, paths));
    }
    left(paths).iter().try_for_each(|path| fs::remove_file(path))
}

/// What we have put at the shared places, as far as it is there.
#[must_use]
pub fn left(paths: &Paths) -> Vec<PathBuf> {
    let configuration = Path::new(CONFIGURATION).join(NAME);
    let links = fs::list(Path::new(PROGRAMS)).unwrap_or_default();
    let links = links.into_iter().filter(|path| leads_to_us(path, paths));
    links.chain(fs::exists(&configuration).then_some(configuration)).collect()
}

fn offer(program: &Path, paths: &Paths) -> Result<(), FsError> {
    let Some(name) = program.file_name() else { return Ok(()) };
    let link = Path::new(PROGRAMS).join(name);
    let right = fs::read_link(&link).ok().flatten().as_deref() == Some(program);
    if right || fs::exists(&link) && !leads_to_us(&link, paths) {
        return Ok(());
    }
    fs::remove_file(&link)?;
    fs::link(program, &link)
}

/// Whether it is a link to one of our programs, of this version or of another.
fn leads_to_us(path: &Path, paths: &Paths) -> bool {
    let target = fs::read_link(path).ok().flatten();
    target.is_some_and(|target| target.starts_with(&paths.cni) || target.starts_with(&paths.data))
}
