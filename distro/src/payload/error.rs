//! Why the components could not be laid out.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
};

use skerry_formats::{
    arch::Arch,
    payload::{BadPayload, FilePath},
};

use crate::sys::fs::FsError;

/// Components that could not be laid out; nothing bears a final name.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// A file or folder.
    #[error(transparent)]
    File(#[from] FsError),
    /// Our own program's payload as a whole.
    #[error("`{}` is damaged", .program.display())]
    Bad {
        /// The program.
        program: PathBuf,
        /// What is wrong.
        #[source]
        source: BadPayload,
    },
    /// One file in it.
    #[error("`{}` is damaged: `{file}` in it", .program.display())]
    Damaged {
        /// The program.
        program: PathBuf,
        /// The file.
        file: FilePath,
        /// What is wrong.
        #[source]
        source: Damage,
    },
    /// It was put together from parts for different machines.
    #[error("`{}` carries programs for {theirs}, and is one for {}", .program.display(), std::env::consts::ARCH)]
    Foreign {
        /// The program.
        program: PathBuf,
        /// What its components are for.
        theirs: Arch,
    },
    /// The folder went away under us.
    #[error("`{}` was removed or changed as soon as it was there", .0.display())]
    Lost(PathBuf),
    /// There are no components, neither in our program nor in a folder.
    #[error("this sk8s carries no components, and there is no `{}`", .0.display())]
    None(PathBuf),
}

/// What is wrong with a packed file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It cannot be unpacked.
    #[error("it cannot be unpacked")]
    Frame(#[source] io::Error),
    /// It ends too early.
    #[error("{missing} of its {size} bytes are missing")]
    Short {
        /// Bytes that are not there.
        missing: u64,
        /// Bytes that it should have.
        size: u64,
    },
    /// It has other bytes.
    #[error("its bytes are not those that were packed")]
    Digest,
}

impl PayloadError {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => hint_of_file(error.kind()),
            Self::Bad { .. } | Self::Damaged { .. } => {
                Some("get the file again, and compare it with its digest: `sha256sum -c sk8s-….sha256`".to_owned())
            }
            Self::Foreign { .. } => Some("build it again: `skerry sk8s --arch ARCH`".to_owned()),
            Self::Lost(_) => Some("start again; nothing else may write below the data folder".to_owned()),
            Self::None(_) => Some(
                "use the file that `skerry sk8s` makes, or name the folders: --components, --cni, --images".to_owned(),
            ),
        }
    }
}

fn hint_of_file(kind: ErrorKind) -> Option<String> {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Some("make room there, or name a folder on another disk: --data-dir".to_owned())
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("run as root, or name a folder that may be written: --data-dir".to_owned())
        }
        _ => None,
    }
}
