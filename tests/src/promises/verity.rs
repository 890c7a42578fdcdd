//! A root that is not the released one is never run.

use skerry_formats::arch::Arch;
use skerry_qemu::{Deadline, VmError};

use crate::{
    Broken, Check,
    image::{self, Place},
    lab::Lab,
    report::Report,
};

/// What the console says when the hash tree is not the one in the command line.
const TREE_REFUSED: &str = "no root partition matches the root hash";
/// What the kernel says when a block does not match the tree.
const BLOCK_REFUSED: &str = "is corrupted";
/// The first words of the root's own init.
const ROOT_RUNS: &str = "systemd[1]: ";
/// Seconds from power on to the initrd's verdict.
const VERDICT: u64 = 150;

/// Checks the promises.
pub fn run(lab: &Lab, report: &mut Report) {
    let cases = [
        ("one flipped byte in the hash tree's top is refused", Place::TreeTop, TREE_REFUSED),
        ("one flipped byte in the root's data is refused", Place::Data, BLOCK_REFUSED),
    ];
    for (name, place, refusal) in cases {
        report.promise(name, || refused(lab, place, refusal));
    }
}

fn refused(lab: &Lab, place: Place, refusal: &str) -> Check {
    let damaged = lab.scratch("damaged.img");
    let pristine = lab.image(Arch::Amd64)?;
    image::copy(&pristine, &damaged)?;
    image::flip(&damaged, image::data_blocks(&pristine)?, place)?;
    let mut vm = lab.start(lab.small(&format!("verity-{place:?}"), Arch::Amd64, &damaged)?)?;
    let (which, line) = vm
        .expect_any(&[refusal, ROOT_RUNS], Deadline::seconds(VERDICT))
        .map_err(Broken::when("the damaged root was not refused"))?;
    if which == 1 {
        return Err(Broken(format!("the damaged root runs: {line}")));
    }
    // It stays refused: nothing of the root runs until the machine restarts.
    match vm.expect(ROOT_RUNS, Deadline::seconds(5)) {
        Err(VmError::Silent { .. }) => Ok(()),
        Err(other) => Err(Broken::when("the machine did not stay")(other)),
        Ok(line) => Err(Broken(format!("the damaged root runs: {line}"))),
    }
}
