//! A machine as a value.

use std::path::PathBuf;

use skerry_formats::{arch::Arch, moment::Moment};

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
    /// What its clock says when it starts; `None` for the host's time.
    pub clock: Option<Moment>,
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
    /// The same, and a second card on a cable to another machine.
    Both(Vec<Forward>, Cable),
    /// One card, on a cable to another machine.
    Cable(Cable),
}

impl Network {
    /// Ports of the host that lead to the machine.
    #[must_use]
    pub fn forwards(&self) -> &[Forward] {
        match self {
            Self::User(forwards) | Self::Both(forwards, _) => forwards,
            Self::None | Self::Cable(_) => &[],
        }
    }

    /// The cable to another machine.
    #[must_use]
    pub const fn cable(&self) -> Option<Cable> {
        match self {
            Self::Both(_, cable) | Self::Cable(cable) => Some(*cable),
            Self::None | Self::User(_) => None,
        }
    }
}

/// One end of a cable between two machines: a connection over the host's loopback. Nobody else is on it, and nobody there hands out
/// addresses. QEMU's own network cannot be shared instead: it answers for every address, also for the other machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cable {
    /// The end of the machine that starts first, which listens at this port.
    First(u16),
    /// The end of the machine that starts then.
    Second(u16),
}

impl Cable {
    /// The hardware address of the card at this end.
    #[must_use]
    pub const fn mac(self) -> &'static str {
        match self {
            Self::First(_) => "52:54:00:00:00:01",
            Self::Second(_) => "52:54:00:00:00:02",
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
