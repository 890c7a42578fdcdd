//! A tree as an EROFS image, made by the toolbox's `mkfs.erofs` from our canonical tar.

use std::{io, path::Path};

use crate::{
    fsx::FsError,
    report::Explain,
    toolbox::{Toolbox, ToolboxError},
    tree::{self, Tree},
};

/// Chosen by measurement: docs/decisions/0001-erofs.md.
const COMPRESSION: [&str; 2] = ["-zlz4", "-C65536"];
/// The file system's UUID, the same for every release: the root hash tells releases apart.
const UUID: &str = "5c3e7a10-0000-8000-8000-736b65727279";

/// A file system that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ErofsError {
    /// The tool.
    #[error("could not make the root file system")]
    Tool(#[from] ToolboxError),
    /// A file.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The tree as an archive.
    #[error("could not write the root as an archive")]
    Tar(#[from] tree::tar::TarError),
}

impl Explain for ErofsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Tool(error) => error.hint(),
            Self::Fs(error) => error.hint(),
            Self::Tar(_) => None,
        }
    }
}

/// Writes the image of a tree to `out`, all its times being `mtime` (seconds since 1970).
///
/// # Errors
/// If a file of the tree cannot be read, or the tool is missing or fails.
pub fn make(tree: &Tree, mtime: u64, toolbox: &Toolbox, out: &Path) -> Result<(), ErofsError> {
    let tool = toolbox.tool("mkfs.erofs")?.args(["--quiet", "--tar=f", "--workers=2", "-U", UUID]);
    let tool = tool.args(COMPRESSION).args([format!("-T{mtime}")]).args([out]);
    let mut unreadable = None;
    let made = tool.feed(|stdin| {
        let mut buffered = io::BufWriter::with_capacity(1 << 20, stdin);
        tree::tar::write(tree, mtime, &mut buffered).map_err(|error| match error {
            tree::tar::TarError::Write(error) => error,
            other => io::Error::other(unreadable.insert(other).to_string()),
        })
    });
    match unreadable {
        Some(error) => Err(error.into()),
        None => made.map(|_| ()).map_err(|error| ToolboxError::from(error).into()),
    }
}
