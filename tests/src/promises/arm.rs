//! The other architecture, with the same boot chain. Its image is made anew from Go and Rust for minutes, so that it is checked
//! only where it is asked for.

use skerry_formats::arch::Arch;
use skerry_qemu::Deadline;

use crate::{Broken, lab::Lab, report::Report};

/// Seconds from power on to the agent's first report, always under emulation.
const FIRST_REPORT: u64 = 300;

/// Boots the ARM64 image.
pub fn run(lab: &Lab, report: &mut Report) {
    report.long_promise("the ARM64 image boots to the agent's first report", || {
        let mut vm = lab.start(lab.small("arm64", Arch::Arm64, &lab.image(Arch::Arm64)?)?)?;
        vm.expect(" · single", Deadline::seconds(FIRST_REPORT)).map(|_| ()).map_err(Broken::when("no report"))
    });
}
