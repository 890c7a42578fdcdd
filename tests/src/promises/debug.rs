//! The profile for developers, and what the default one leaves out.

use skerry_formats::arch::Arch;
use skerry_qemu::Deadline;

use crate::{Broken, Check, lab::Lab, node::Node, report::Report};

/// Seconds from power on to the prompt.
const PROMPT: u64 = 240;

/// Boots an image of the debug profile.
pub fn run(lab: &Lab, report: &mut Report) {
    report.promise("the debug profile gives a root prompt on the console", || {
        let image = lab.built("debug", &["--profile", "debug"])?;
        let mut vm = lab.start(lab.small("debug-vm", Arch::Amd64, &image)?)?;
        vm.expect("login: root (automatic login)", Deadline::seconds(PROMPT)).map_err(Broken::when("no login"))?;
        vm.expect("bash-5.2# ", Deadline::seconds(60)).map(|_| ()).map_err(Broken::when("no prompt"))
    });
}

/// A node of the default profile runs nothing that would let somebody in.
pub fn nobody_logs_in(node: &mut Node) -> Check {
    let ways_in = ["agetty", "getty", "login", "sshd", "bash"];
    let processes = node.processes()?;
    let found = processes.values().filter_map(|arguments| arguments.first()).find(|program| {
        let name = program.rsplit('/').next().unwrap_or_default().trim_start_matches('-').trim_end_matches(':');
        ways_in.contains(&name)
    });
    match found {
        Some(program) => Err(Broken(format!("`{program}` runs"))),
        None if processes.len() < 10 => Err(Broken(format!("only {} processes are seen", processes.len()))),
        None => Ok(()),
    }
}
