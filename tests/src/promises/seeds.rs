//! A seed that cannot be used is explained on the console, and the node goes on when a good one appears.

use skerry_formats::arch::Arch;
use skerry_qemu::{Deadline, Medium, Vm};

use crate::{Broken, Check, lab::Lab, report::Report};

/// Seconds from power on to the agent's first report.
const FIRST_REPORT: u64 = 240;
/// Seconds in which the agent sees a medium and says what it thinks of it.
const SEEN: u64 = 60;

/// A seed on a medium, and what the console must say about it.
struct Case {
    promise: &'static str,
    seed: &'static str,
    says: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        promise: "a seed with an unknown key is explained, with the nearest known key",
        seed: "#cloud-config\nskerry:\n  rolle: single\n",
        says: "unknown key `skerry.rolle`; did you mean `role`?",
    },
    Case {
        promise: "a seed with a wrong role is explained",
        seed: "#cloud-config\nskerry:\n  role: singel\n",
        says: "unknown role: `singel`; known: `controller`, `worker`, `single`; did you mean `single`?",
    },
    Case {
        promise: "the node goes on when a good seed appears",
        seed: "#cloud-config\nhostname: skerry-late\nskerry:\n  role: single\n",
        says: "skerry-late",
    },
];

/// Checks the promises on one machine without a role: media are plugged in and pulled out while it waits.
pub fn run(lab: &Lab, report: &mut Report) {
    const WAITS: &str = "a node without a role says so and waits";
    let names: Vec<&str> = CASES.iter().map(|case| case.promise).chain([WAITS]).collect();
    if !report.wants(&names) {
        return;
    }
    let mut machine = None;
    report.promise(WAITS, || {
        let image = lab.built("roleless", &[])?;
        let vm = machine.insert(lab.start(lab.small("seeds", Arch::Amd64, &image)?)?);
        vm.expect("waiting for a role", Deadline::seconds(FIRST_REPORT)).map(|_| ()).map_err(Broken::when("no report"))
    });
    for (number, case) in CASES.iter().enumerate() {
        report.promise(case.promise, || match &mut machine {
            Some(vm) => offer(lab, vm, case, number),
            None => Err(Broken::new("there is no machine to show it on")),
        });
    }
}

/// Plugs a medium in, waits for the verdict, and pulls it out.
fn offer(lab: &Lab, vm: &mut Vm, case: &Case, number: usize) -> Check {
    let medium = lab.scratch(&format!("seed-{number}.img"));
    Medium::nocloud(case.seed).write(&medium).map_err(Broken::when("no medium"))?;
    vm.serial().skip();
    vm.qmp().plug(0, &medium).map_err(Broken::when("the medium cannot be plugged in"))?;
    let said = vm.expect(case.says, Deadline::seconds(SEEN));
    vm.qmp().unplug(0).map_err(Broken::when("the medium cannot be pulled out"))?;
    said.map(|_| ()).map_err(Broken::when("not explained"))
}
