//! The process that holds a pod's namespaces open: it waits, takes in orphans of a shared process namespace, and leaves when
//! told to.

use std::process::ExitCode;

use nix::{
    errno::Errno,
    sys::{
        signal::{SigSet, Signal},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};

fn main() -> ExitCode {
    let mut awaited = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGCHLD] {
        awaited.add(signal);
    }
    // Blocked, so that each is taken by `wait` and none runs its default action in between.
    if awaited.thread_block().is_err() {
        return ExitCode::FAILURE;
    }
    loop {
        match awaited.wait() {
            Ok(Signal::SIGCHLD) => reap(),
            Ok(_) => return ExitCode::SUCCESS,
            Err(Errno::EINTR) => {}
            Err(_) => return ExitCode::FAILURE,
        }
    }
}

/// Takes in every child that has ended; one signal may stand for many.
fn reap() {
    let anyone = Pid::from_raw(-1);
    while waitpid(anyone, Some(WaitPidFlag::WNOHANG)).is_ok_and(|status| status.pid().is_some()) {}
}
