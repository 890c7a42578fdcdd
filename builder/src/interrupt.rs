//! Ctrl-C and termination: running tools are ended, temporary files go, nothing half-written stays.

use std::{process, thread};

use nix::sys::signal::{SigSet, Signal};

use crate::{fsx, tool};

/// From now on an interrupt cleans up and ends the process with 128 + the signal's number.
///
/// To be called before any other thread is started, as threads inherit the blocked signals; child processes do not.
pub fn clean_up_on_signals() {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    if signals.thread_block().is_err() {
        return;
    }
    thread::spawn(move || {
        let Ok(signal) = signals.wait() else { return };
        tool::terminate_all();
        fsx::sweep();
        eprintln!("\nskerry: interrupted; nothing was left half-written");
        process::exit(128 + signal as i32);
    });
}
