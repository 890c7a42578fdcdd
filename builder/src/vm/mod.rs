//! `skerry vm`: boots an image under UEFI, makes a cluster identity for it, waits for its node, prints how to reach it.
//!
//! The image file is never written to. What the machine writes lies in a folder beside it and is kept between runs.

mod api;
mod boot;
mod folder;
mod image;

use std::{path::PathBuf, time::Duration};

use skerry_qemu::{VmError as MachineError, binary::BinaryError, disk::DiskSize, firmware::NoFirmware};

use crate::{fsx::FsError, report::Explain, tool::ToolError};

pub use api::Kubectl;
pub use boot::run;
pub use image::{arch_of, newest};

/// What `skerry vm` is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The raw image.
    pub image: PathBuf,
    /// Folder for the machine's state; [`Options::new`] puts it beside the image.
    pub state: PathBuf,
    /// Whether what an earlier run left is used.
    pub keep: Keep,
    /// The seed that the machine finds on a medium.
    pub seed: SeedFrom,
    /// How far to go.
    pub until: Until,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Size of the disk that the machine sees.
    pub disk_size: DiskSize,
    /// The emulator, instead of the newest on `PATH`.
    pub qemu: Option<PathBuf>,
    /// Folder in which it is remembered whether KVM works.
    pub cache: PathBuf,
    /// The Kubernetes client.
    pub kubectl: Kubectl,
    /// How long a node may take to become Ready.
    pub patience: Duration,
}

/// Whether a machine goes on with its earlier disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It goes on where it was stopped.
    Earlier,
    /// Its disk and its identity are made anew.
    Nothing,
}

/// Where a machine's seed comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedFrom {
    /// The identity that `skerry vm` makes.
    Identity,
    /// A file.
    File(PathBuf),
    /// There is none.
    Nowhere,
}

/// How far `skerry vm` goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Runs in the foreground until Ctrl-C or until the machine powers itself off.
    Stopped,
    /// Stops the machine as soon as its node is Ready.
    Ready,
}

/// A machine's cluster identity, as files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The seed: `#cloud-config` with the cluster's keys.
    pub seed: Vec<u8>,
    /// The admin kubeconfig for the URL that was given.
    pub kubeconfig: Vec<u8>,
}

/// Makes or finds the identity kept in a folder; called with the folder and the URL at which the host reaches the API.
pub type MakeIdentity<'a> =
    dyn Fn(&std::path::Path, &str) -> Result<Identity, Box<dyn std::error::Error + Send + Sync>> + 'a;

impl Options {
    /// The defaults for an image: state beside it, a seed of its own, 2 GiB of memory, a disk of 8 GiB.
    #[must_use]
    pub fn new(image: PathBuf, cache: PathBuf, kubectl: Kubectl) -> Self {
        let state = folder::beside(&image);
        Self {
            image,
            state,
            keep: Keep::Earlier,
            seed: SeedFrom::Identity,
            until: Until::Stopped,
            memory_mib: 2048,
            disk_size: DiskSize::DEFAULT,
            qemu: None,
            cache,
            kubectl,
            patience: Duration::from_secs(15 * 60),
        }
    }
}

/// Why a machine did not run or its node did not become Ready.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// A file.
    #[error("could not prepare the machine")]
    File(#[from] FsError),
    /// A file of the machine.
    #[error("could not prepare the machine")]
    MachineFile(#[from] skerry_qemu::files::FileError),
    /// The file is no image of ours.
    #[error("not a Skerry disk image: `{}`", .path.display())]
    NoImage {
        /// The file.
        path: PathBuf,
    },
    /// There is no image to boot.
    #[error("no image in `{}`", .0.display())]
    NothingBuilt(PathBuf),
    /// No emulator.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// No firmware.
    #[error(transparent)]
    Firmware(#[from] NoFirmware),
    /// The machine.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The identity.
    #[error("could not make the machine's cluster identity")]
    Identity(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The Kubernetes client could not be run.
    #[error("could not ask the node's API")]
    Kubectl(#[from] ToolError),
    /// The node was not Ready in time.
    #[error("the node is not Ready after {seconds} s: {last}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// What the API or the client said last.
        last: String,
        /// Where the console's log is.
        log: PathBuf,
    },
}

impl Explain for VmError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoImage { path } if path.extension().is_some_and(|end| end == "zst") => {
                Some(format!("unpack it first: `zstd -d {}`", path.display()))
            }
            Self::NoImage { .. } => Some("give the `.img` file that `skerry build` wrote".to_owned()),
            Self::NothingBuilt(_) => Some("build one: `skerry build --board qemu-x86_64 --role single`".to_owned()),
            Self::Machine(MachineError::Busy(_)) => {
                Some("stop the other one, or name another folder: --state DIR".to_owned())
            }
            Self::NotReady { log, .. } => Some(format!("see the console's log: {}", log.display())),
            _ => None,
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Binary(_) | Self::Firmware(_) | Self::Kubectl(ToolError::Missing { .. }) => 4,
            Self::NoImage { .. } | Self::NothingBuilt(_) => 2,
            Self::Machine(MachineError::Interrupted) => 130,
            _ => 1,
        }
    }
}
