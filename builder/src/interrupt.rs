//! Ctrl-C and termination: running tools are ended, temporary files go, nothing half-written stays.

use std::{process, sync::OnceLock, thread};

use nix::sys::signal::{SigSet, Signal};
use skerry_qemu::Interrupt;

use crate::{fsx, tool};

/// Set while a machine runs, which is stopped in order.
static FLAG: OnceLock<Interrupt> = OnceLock::new();

/// From now on the first interrupt only raises this flag, and whoever runs a machine stops it; a second one ends the process.
pub fn as_flag() -> Interrupt {
    FLAG.get_or_init(Interrupt::default).clone()
}

/// From now on an interrupt cleans up and ends the process with 128 + the signal's number.
///
/// To be called before any other thread is started, as threads inherit the blocked signals. Child processes do too, so
/// that they are ended with a signal that cannot be blocked.
pub fn clean_up_on_signals() {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    if signals.thread_block().is_err() {
        return;
    }
    thread::spawn(move || {
        let signal = loop {
            let Ok(signal) = signals.wait() else { return };
            match FLAG.get() {
                Some(flag) if !flag.raised() => flag.raise(),
                _ => break signal,
            }
        };
        tool::terminate_all();
        fsx::sweep();
        eprintln!("\nskerry: interrupted; nothing was left half-written");
        process::exit(128 + signal as i32);
    });
}
