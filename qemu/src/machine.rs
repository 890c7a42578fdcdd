//! A machine as a value.

use std::path::PathBuf;

use skerry_formats::arch::Arch;

use crate::{accel::Accel, firmware::Firmware};

/// Everything that QEMU is told.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor's architecture.
    pub arch: Arch,
    /// What runs its instructions.
    pub accel: Accel,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Number of processors.
    pub cpus: u8,
    /// Firmware code, and this machine's own copy of the variables.
    pub firmware: Firmware,
    /// The writable disk, a qcow2 file; `None` for a machine that only runs firmware.
    pub disk: Option<PathBuf>,
    /// Read-only raw media, in order.
    pub media: Vec<PathBuf>,
    /// How it is connected.
    pub network: Network,
    /// Whether there is a watchdog device.
    pub watchdog: Watchdog,
    /// Where its sockets and its console log lie.
    pub files: RunFiles,
}

/// Paths of a running machine.
#[derive(Clone, Debug)]
pub struct RunFiles {
    /// Control socket (QMP); at most 107 bytes.
    pub qmp: PathBuf,
    /// Console socket; at most 107 bytes.
    pub console: PathBuf,
    /// All that the console printed.
    pub serial_log: PathBuf,
}

/// How a machine is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// No network card.
    None,
    /// QEMU's own network 10.0.2.0/24 with ports of the host's loopback forwarded.
    User(Vec<Forward>),
    /// The same, and one more machine may be plugged into it, at a TCP port of the host's loopback.
    Shared {
        /// What is forwarded to this machine.
        forwards: Vec<Forward>,
        /// Where the other plugs in.
        port: u16,
    },
    /// Plugged into another machine's network, at this port.
    Plugged(u16),
}

impl Network {
    /// Ports of the host that lead to the machine.
    #[must_use]
    pub fn forwards(&self) -> &[Forward] {
        match self {
            Self::User(forwards) | Self::Shared { forwards, .. } => forwards,
            Self::None | Self::Plugged(_) => &[],
        }
    }
}

/// A TCP port on the host's loopback that leads to one of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Port on 127.0.0.1.
    pub host: u16,
    /// Port of the machine.
    pub guest: u16,
}

/// A watchdog device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watchdog {
    /// None.
    None,
    /// Intel 6300ESB, which resets the machine.
    I6300esb,
}
