//! A node that is switched on again with another clock: without a network it has nobody to ask for the time.

use std::path::Path;

use skerry_formats::{arch::Arch, moment::Moment};
use skerry_qemu::{Deadline, files};

use crate::{Broken, Check, lab::Lab, node::Node, report::Report};

/// Seconds from power on to Ready under emulation.
const READY: u64 = 600;
const DAY: u64 = 86_400;

/// The promises' names.
pub const NAMES: [&str; 2] = [
    "a node that lay on the shelf for thirteen months, past the end of its certificates, is Ready again",
    "a node whose clock went back by a year is Ready again",
];

/// Checks both on the disk of a node that was powered off, one after the other.
pub fn run(lab: &Lab, report: &mut Report, mut node: Node) {
    // It has been stopped already, unless only these promises are wanted.
    let _ = node.stop();
    let state = node.state();
    let left = || files::modified(&state.join("disk.qcow2")).map_err(Broken::when("no disk"));
    // Each boots for minutes.
    report.long_promise(NAMES[0], || switched_on(lab, state, Moment(left()?.0 + 400 * DAY)));
    report.long_promise(NAMES[1], || switched_on(lab, state, Moment(left()?.0 - 365 * DAY)));
}

fn switched_on(lab: &Lab, state: &Path, clock: Moment) -> Check {
    let mut options = lab.small("clock", Arch::Amd64, &lab.image(Arch::Amd64)?)?;
    options.state = state.to_owned();
    options.media = vec![state.join("seed.img")];
    options.memory_mib = 2048;
    options.clock = Some(clock);
    let mut vm = lab.start(options)?;
    vm.expect("phase: ready", Deadline::seconds(READY)).map_err(Broken::when("it is not Ready"))?;
    vm.stop(Deadline::seconds(120));
    Ok(())
}
