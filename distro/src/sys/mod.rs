//! What touches the machine: files, processes, clock, control groups, addresses. What decides anything here
//! is pure.

pub mod accounts;
pub mod addresses;
pub mod cgroup;
pub mod clock;
pub mod fs;
pub mod lock;
pub mod machine;
pub mod net;
pub mod netlink;
pub mod process;
pub mod programs;
