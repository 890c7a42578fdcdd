//! A service script for OpenRC, as Alpine and Gentoo have it.

use std::{path::Path, time::Duration};

use nix::{sys::signal::Signal, unistd::getppid};

use super::{environment_file, order::Order, rotation};
use crate::{
    component::KillScope,
    quote,
    sys::{fs, process},
};

/// The name of the program that starts sk8s again, as far as the kernel keeps it (proc_pid_comm(5)).
const SUPERVISOR: &str = "supervise-daemo";

/// How long OpenRC may take to note that a service was started. Ended before that, it would count as crashed, and as one that
/// need not be started again.
const NOTED: Duration = Duration::from_secs(2);

/// Ends the supervision of this process, where it is OpenRC's: `supervise-daemon` starts again what ended with any code, so a
/// configuration that is refused would be refused again every two seconds. It ends in order when it is told to, with the
/// service marked as stopped. systemd knows by itself what exit code 2 means (`RestartPreventExitStatus`).
pub fn give_up() {
    let parent = getppid();
    let name = fs::read_lossy(Path::new(&format!("/proc/{parent}/comm"))).unwrap_or_default();
    if let (SUPERVISOR, Ok(pid)) = (name.trim_end(), u32::try_from(parent.as_raw())) {
        std::thread::sleep(NOTED);
        process::signal(pid, KillScope::Process, Signal::SIGTERM);
    }
}

/// The script's text. `supervise-daemon` starts sk8s again when it ends, unless it gives up; on a stop it signals sk8s alone,
/// and `rc_cgroup_cleanup` is off, so that pods outlive it as they do under systemd.
pub fn text(order: &Order) -> String {
    let role = order.role;
    format!(
        "#!/sbin/openrc-run
# Written by `sk8s install`; `sk8s reset` removes it.
name=\"sk8s: Kubernetes {what}\"
supervisor=supervise-daemon
command={program}
command_args={arguments}
respawn_delay=2
respawn_max=0
retry=\"TERM/90/KILL/5\"
rc_ulimit=\"-n 1048576\"
rc_cgroup_cleanup=\"no\"
output_log=\"{log}\"
error_log=\"{log}\"

if [ -r {environment} ]; then
\tset -a
\t. {environment}
\tset +a
fi

depend() {{
\twant cgroups
\tafter localmount net firewall iptables nftables
}}
",
        what = role.verb(),
        log = rotation::log(role).display(),
        program = quote::shell_word(&order.program.display().to_string()),
        arguments = quote::shell_word(&quote::shell(&order.words)),
        environment = environment_file(role).display(),
    )
}

/// The words after the program in a script's text.
pub fn words(text: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("command_args=")).unwrap_or_default();
    quote::from_shell(&quote::from_shell(line).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_starts_something_else_is_left_alone() {
        give_up();
        assert!(process::is_alive(getppid()));
    }

    /// Ends as a refused configuration does, for a trial by hand: `supervise-daemon` is to run this test and nothing else.
    #[test]
    #[ignore = "needs OpenRC's supervise-daemon as its parent"]
    fn refused() {
        give_up();
        std::process::exit(2);
    }
}
