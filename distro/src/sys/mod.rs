//! What touches the machine: files, processes, clock, control groups, addresses. Nothing here decides anything.

pub mod accounts;
pub mod cgroup;
pub mod clock;
pub mod fs;
pub mod lock;
pub mod machine;
pub mod net;
pub mod netlink;
pub mod process;
pub mod programs;
