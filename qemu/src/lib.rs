//! Typed virtual machines: firmware, disks, network, serial console, QMP.
//!
//! [`argv::argv`] is a pure function from [`Machine`] to QEMU's arguments. [`Vm`] runs one: it owns the process, the
//! state folder, the console and the control socket, and ends the process when dropped.

pub mod accel;
pub mod argv;
pub mod binary;
pub mod clock;
pub mod disk;
pub mod files;
pub mod firmware;
pub mod interrupt;
pub mod machine;
pub mod medium;
pub mod ports;
pub mod process;
pub mod qcow2;
pub mod qmp;
pub mod serial;
pub mod vm;

pub use accel::Accel;
pub use binary::Qemu;
pub use clock::Deadline;
pub use firmware::Firmware;
pub use interrupt::Interrupt;
pub use machine::{Cable, Forward, Machine, Network, Watchdog};
pub use medium::Medium;
pub use ports::free as free_port;
pub use vm::{Options, Vm, VmError};
