//! Restarting the machine.

use std::time::Duration;

use nix::{
    sys::reboot::{RebootMode, reboot},
    unistd::sync,
};

use super::clock;

/// Writes out what is in memory and restarts at once.
pub fn restart() -> ! {
    sync();
    loop {
        // A refusal leaves nothing else to do than to ask again; the kernel's own watchdog may be faster.
        let _refused = reboot(RebootMode::RB_AUTOBOOT);
        clock::pause(Duration::from_secs(1));
    }
}
