//! A unit for systemd.

use super::{environment_file, order::Order};
use crate::quote;

/// The unit's text. What it says, and why:
///
/// - `KillMode=process`: systemd ends the supervisor alone, which ends its components in order, each within its grace;
///   should it be killed, the kernel kills them with it. Pods must outlive either, and where control groups are of version
///   1 their shims live in the service's own group.
/// - `Restart=always` for ever, with a pause that grows where systemd can (254 and later), but not after exit status 2: a
///   configuration that is refused today is refused in two seconds too.
/// - `Delegate=yes`: components get control groups of their own below the service's.
/// - Not after `network-online.target`: sk8s itself waits for an address, so a machine without a cable boots on.
/// - No sandbox of systemd's: mounts that kubelet makes must be seen by everyone.
pub fn text(order: &Order) -> String {
    let role = order.role;
    format!(
        "# Written by `sk8s install`; `sk8s reset` removes it.
[Unit]
Description=sk8s: Kubernetes {what}
After=network.target nftables.service firewalld.service time-set.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
EnvironmentFile=-{environment}
Restart=always
RestartSec=2s
RestartSteps=6
RestartMaxDelaySec=60s
RestartPreventExitStatus=2
KillMode=process
TimeoutStopSec=90s
Delegate=yes
OOMScoreAdjust=-900
TasksMax=infinity
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity

[Install]
WantedBy=multi-user.target
",
        what = role.verb(),
        command = quote::systemd(&order.command()),
        environment = environment_file(role).display(),
    )
}

/// The words after the program in a unit's text.
pub fn words(text: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap_or_default();
    quote::from_systemd(line).into_iter().skip(1).collect()
}
