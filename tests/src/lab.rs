//! What the promises are checked with: the images, the host tool, a scratch folder, machines.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use skerry_formats::arch::Arch;
use skerry_qemu::{Interrupt, Options, Qemu, Vm, accel, binary, firmware};

use crate::{Broken, Check, cli, image, process::Program};

/// The lab.
#[derive(Debug)]
pub struct Lab {
    images: PathBuf,
    scratch: tempfile::TempDir,
    skerry: PathBuf,
    /// What makes waiting end early.
    pub interrupt: Interrupt,
}

impl Lab {
    /// A lab over a folder of images; scratch files lie in that folder, as they may be large.
    ///
    /// The host tool is `SKERRY_BIN`, else the one beside this program.
    ///
    /// # Errors
    /// If the folder or the host tool is missing.
    pub fn new(images: PathBuf, interrupt: Interrupt) -> Check<Self> {
        let images = images.canonicalize().map_err(Broken::when(&format!("no folder `{}`", images.display())))?;
        let scratch = tempfile::Builder::new().prefix("promises-").tempdir_in(&images);
        let scratch = scratch.map_err(Broken::when("could not make a scratch folder"))?;
        Ok(Self { images, scratch, skerry: cli::host_tool()?, interrupt })
    }

    /// The image of a single node for an architecture: `SKERRY_TEST_IMAGE_AMD64`, `…_ARM64`, else from the folder.
    ///
    /// # Errors
    /// If there is none or more than one.
    pub fn image(&self, arch: Arch) -> Check<PathBuf> {
        let (variable, board) = match arch {
            Arch::Amd64 => ("SKERRY_TEST_IMAGE_AMD64", "qemu-x86_64"),
            Arch::Arm64 => ("SKERRY_TEST_IMAGE_ARM64", "qemu-arm64"),
        };
        match std::env::var_os(variable) {
            Some(path) => Ok(path.into()),
            None => image::find(&self.images, &[board, "single"]),
        }
    }

    /// An image built now from what the store holds, with more flags of `skerry build`: without any, no role is baked in.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn built(&self, name: &str, more: &[&str]) -> Check<PathBuf> {
        let folder = self.scratch(name);
        let args = ["build", "--board", "qemu-x86_64", "--out"].map(OsString::from);
        let build = Program::new(&self.skerry).args(args).arg(&folder).args(more);
        build.limit(std::time::Duration::from_secs(600)).finish()?.success()?;
        image::find(&folder, &["qemu-x86_64"])
    }

    /// A path in the scratch folder.
    #[must_use]
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// The host tool.
    #[must_use]
    pub fn skerry(&self) -> &Path {
        &self.skerry
    }

    /// A small machine over an image, to be watched on its console; it need not run Kubernetes.
    ///
    /// # Errors
    /// If the host has no emulator or no firmware.
    pub fn small(&self, name: &str, arch: Arch, image: &Path) -> Check<Options> {
        let (qemu, firmware) = host(arch)?;
        let choice = accel::choose(&qemu, &firmware, &self.images);
        let mut options = Options::new(qemu, choice.accel, firmware, self.scratch(name));
        options.image = Some(image.to_owned());
        options.memory_mib = 1024;
        options.interrupt = self.interrupt.clone();
        Ok(options)
    }

    /// Starts a machine.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(&self, options: Options) -> Check<Vm> {
        Vm::start(options).map_err(Broken::when("the machine does not start"))
    }
}

fn host(arch: Arch) -> Check<(Qemu, skerry_qemu::Firmware)> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let qemu = binary::find(arch, None, &search).map_err(Broken::when("no emulator"))?;
    let firmware = firmware::find(arch, Path::new("/")).map_err(Broken::when("no firmware"))?;
    Ok((qemu, firmware))
}
