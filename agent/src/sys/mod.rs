//! The system beneath: the only modules of the agent that touch files, processes, the clock and the kernel.

pub mod block;
pub mod clock;
pub mod console;
pub mod dm;
pub mod fs;
pub mod host;
pub mod module;
pub mod mount;
pub mod power;
pub mod process;
