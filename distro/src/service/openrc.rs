//! A service script for OpenRC, as Alpine and Gentoo have it.

use super::{environment_file, order::Order};
use crate::quote;

/// The script's text. `supervise-daemon` starts sk8s again when it ends; on a stop it signals sk8s alone, and
/// `rc_cgroup_cleanup` is off, so that pods outlive it as they do under systemd.
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
output_log=\"/var/log/{role}.log\"
error_log=\"/var/log/{role}.log\"

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
