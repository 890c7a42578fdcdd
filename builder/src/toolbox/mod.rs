//! Host tools from the lock: Debian's own, unpacked into the store and run through their own loader, never installed. The
//! host's distribution does not matter, and the same lock means the same tools.

use std::path::{Path, PathBuf};

use skerry_formats::arch::Arch;

use crate::{
    fsx::{self, FsError},
    report::Explain,
    tool::{Tool, ToolError},
};

/// An unpacked toolbox.
#[derive(Clone, Debug)]
pub struct Toolbox {
    folder: PathBuf,
    host: Arch,
}

/// A tool that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ToolboxError {
    /// The locked packages do not bring it.
    #[error("the toolbox has no `{0}`")]
    Missing(String),
    /// A file operation.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// It ran and failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
}

impl Explain for ToolboxError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) => {
                Some("add its package to `toolbox` in `recipes/sets.toml` and run `skerry lock`".into())
            }
            Self::Fs(error) => error.hint(),
            Self::Tool(error) => error.hint(),
        }
    }
}

impl Toolbox {
    /// The toolbox in a folder of unpacked packages of the host's architecture.
    #[must_use]
    pub const fn at(folder: PathBuf, host: Arch) -> Self {
        Self { folder, host }
    }

    /// A tool by name. A link to a program of many names (`depmod` to `kmod`) is called by the link's name.
    ///
    /// # Errors
    /// If the toolbox does not hold it.
    pub fn tool(&self, name: &str) -> Result<Tool, ToolboxError> {
        let program = self.program(name)?;
        let libraries = self.folder.join("usr/lib").join(self.host.multiarch());
        let loader = match self.host {
            Arch::Amd64 => libraries.join("ld-linux-x86-64.so.2"),
            Arch::Arm64 => libraries.join("ld-linux-aarch64.so.1"),
        };
        Ok(Tool::new(loader)
            .args(["--library-path".as_ref(), libraries.as_os_str()])
            .args(["--argv0", name])
            .args([program]))
    }

    /// Writes the indexes of the kernel modules below `root`.
    ///
    /// # Errors
    /// If `depmod` is not there or fails.
    pub fn depmod(&self, root: &Path, version: &str) -> Result<(), ToolboxError> {
        self.tool("depmod")?.args(["-b".as_ref(), root.as_os_str()]).args([version]).output()?;
        Ok(())
    }

    fn program(&self, name: &str) -> Result<PathBuf, ToolboxError> {
        for folder in ["usr/bin", "usr/sbin", "bin", "sbin"] {
            let path = self.folder.join(folder).join(name);
            if fsx::symlink_metadata(&path)?.is_some() {
                return Ok(fsx::canonicalize(&path)?);
            }
        }
        Err(ToolboxError::Missing(name.to_owned()))
    }
}
