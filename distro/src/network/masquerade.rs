//! The one rule of the pod network, in each family: what leaves it does so under the node's address, since nobody outside knows the way
//! back to a pod.

use std::path::Path;

use crate::{
    config::{Subnet, Subnet6},
    sys::process::{self, ProcessError},
};

/// Ours alone: replaced and removed as a whole.
const TABLE: &str = "inet sk8s";

/// The rules as input of `nft -f`. The first line makes sure that there is something for the second to delete; all of it
/// is one transaction, so that no packet sees the rules missing.
///
/// Pods see each other's own addresses, wherever they are; multicast is never answered to, so it keeps its source too.
#[must_use]
pub fn rules(pods: Subnet, second: Option<Subnet6>) -> String {
    let second = second.map_or_else(String::new, |pods| {
        format!("\t\tip6 saddr {pods} ip6 daddr != {{ {pods}, ff00::/8 }} masquerade fully-random\n")
    });
    format!(
        "table {TABLE}
delete table {TABLE}
table {TABLE} {{
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr {pods} ip daddr != {{ {pods}, 224.0.0.0/4 }} masquerade fully-random
{second}	}}
}}
"
    )
}

/// Makes the kernel's rules be these, whatever they were before.
///
/// # Errors
/// If `nft` is missing, also among the programs to spare, or refuses.
pub fn apply(pods: Subnet, second: Option<Subnet6>, spare: &Path) -> Result<(), ProcessError> {
    let nft = process::find_or_spare("nft", spare).unwrap_or_else(|| "nft".into());
    process::feed(&nft, &["-f", "-"], &rules(pods, second))
}
