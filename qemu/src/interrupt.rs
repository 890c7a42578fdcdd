//! Ctrl-C and SIGTERM as a value, so that machines are stopped and not orphaned.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use nix::sys::signal::{SigSet, Signal};

/// Whether somebody asked this process to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    raised: Arc<AtomicBool>,
}

impl Interrupt {
    /// From now on SIGINT, SIGTERM and SIGHUP raise the flag; a second one ends the process at once.
    ///
    /// Call it first thing on the main thread: threads started earlier keep the default action.
    #[must_use]
    pub fn catch() -> Self {
        let interrupt = Self::default();
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            signals.add(signal);
        }
        if signals.thread_block().is_ok() {
            let raised = Arc::clone(&interrupt.raised);
            std::thread::spawn(move || {
                while signals.wait().is_ok() {
                    if raised.swap(true, Ordering::Relaxed) {
                        std::process::exit(130);
                    }
                }
            });
        }
        interrupt
    }

    /// Puts the flag up, as a signal would.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is up.
    #[must_use]
    pub fn raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }
}
