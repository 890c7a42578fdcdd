//! The accelerator, chosen by booting.
//!
//! `/dev/kvm` may exist and open and yet not run a stock kernel (nested virtualisation done halfway): the virtual processor
//! then stops with an emulation failure. So the firmware is booted under KVM for a few seconds; its first words on the
//! console are the sign of life. The answer is kept until the host boots anew.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use skerry_formats::arch::Arch;

use crate::{
    binary::Qemu,
    clock::Deadline,
    files,
    firmware::Firmware,
    machine::{Network, Watchdog},
    vm::{Options, Vm},
};

/// What runs a machine's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    /// The host's processor.
    Kvm,
    /// Emulation.
    Tcg,
}

impl Accel {
    /// The word QEMU uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

/// Any of these on the console shows that the firmware of a machine without disk and network came to its end.
pub const SIGNS_OF_LIFE: [&str; 4] = ["BdsDxe", "UEFI firmware", "Boot Manager", "Shell"];
const TRIAL_SECONDS: u64 = 15;

/// An accelerator and why it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What to use.
    pub accel: Accel,
    /// Why, in plain words.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    boot_id: String,
    qemu: PathBuf,
    choice: Choice,
}

/// The accelerator for machines of `qemu` on this host; trials are remembered in `cache` until the host boots anew.
#[must_use]
pub fn choose(qemu: &Qemu, firmware: &Firmware, cache: &Path) -> Choice {
    if let Some(reason) = impossible(qemu.arch) {
        return Choice { accel: Accel::Tcg, reason };
    }
    let file = memory(qemu.arch, cache);
    if let Some(choice) = recall(&file, qemu) {
        return choice;
    }
    let choice = match trial(qemu, firmware) {
        Ok(()) => Choice { accel: Accel::Kvm, reason: "KVM boots the firmware".to_owned() },
        Err(reason) => Choice { accel: Accel::Tcg, reason },
    };
    remember(qemu, cache, &choice);
    choice
}

/// Keeps a finding, also one made later than the trial: a stock kernel may fail where the firmware ran.
pub fn remember(qemu: &Qemu, cache: &Path, choice: &Choice) {
    let remembered = Remembered { boot_id: boot_id(), qemu: qemu.path.clone(), choice: choice.clone() };
    // A finding that cannot be kept is found again.
    if let Ok(json) = serde_json::to_vec_pretty(&remembered) {
        let _ = files::create_dir_all(cache).and_then(|()| files::write(&memory(qemu.arch, cache), &json));
    }
}

fn memory(arch: Arch, cache: &Path) -> PathBuf {
    cache.join(format!("accel-{arch}.json"))
}

fn recall(file: &Path, qemu: &Qemu) -> Option<Choice> {
    let remembered: Remembered = serde_json::from_str(&files::read_text(file).ok()?).ok()?;
    (remembered.boot_id == boot_id() && remembered.qemu == qemu.path).then_some(remembered.choice)
}

fn boot_id() -> String {
    files::read_text(Path::new("/proc/sys/kernel/random/boot_id")).unwrap_or_default().trim().to_owned()
}

fn impossible(arch: Arch) -> Option<String> {
    if arch.kernel() != std::env::consts::ARCH {
        return Some(format!("`{arch}` is not this host's architecture"));
    }
    let device = Path::new("/dev/kvm");
    match nix::unistd::access(device, nix::unistd::AccessFlags::R_OK | nix::unistd::AccessFlags::W_OK) {
        Ok(()) => None,
        Err(nix::errno::Errno::ENOENT) => Some("this host has no `/dev/kvm`".to_owned()),
        Err(errno) => Some(format!("`/dev/kvm` cannot be used: {}", errno.desc())),
    }
}

/// Boots the firmware under KVM.
fn trial(qemu: &Qemu, firmware: &Firmware) -> Result<(), String> {
    let first = |error: &dyn std::error::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
    let text = |error: &dyn std::error::Error| format!("KVM was tried and failed: {}", first(error));
    let folder = tempfile::tempdir().map_err(|error| text(&error))?;
    let mut options = Options::new(qemu.clone(), Accel::Kvm, firmware.clone(), folder.path().to_owned());
    options.memory_mib = 256;
    options.network = Network::None;
    options.watchdog = Watchdog::None;
    let mut vm = Vm::start(options).map_err(|error| text(&error))?;
    let lived = vm.expect_any(&SIGNS_OF_LIFE, Deadline::seconds(TRIAL_SECONDS));
    vm.kill();
    lived.map(|_| ()).map_err(|error| text(&error))
}
