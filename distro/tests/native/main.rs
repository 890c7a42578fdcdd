//! Real nodes on the machine that runs the tests, each on a machine of its own made of namespaces: needs root, systemd,
//! `unshare`, `nsenter`, `ip`, `nft` and upstream's programs.
//!
//! ```text
//! cargo xtask native [PART OF A TEST'S NAME]
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a test of processes starts some, and says so when it fails"
)]

mod airgap;
mod bundle;
mod carried;
mod charts;
mod controllers;
mod dual;
mod encryption;
mod faults;
mod foreign;
mod founder;
mod hosts;
mod join;
mod lan;
mod loss;
mod machine;
mod metrics;
mod moves;
mod networks;
mod node;
mod onefile;
mod ports;
mod pre_shared;
mod registry;
mod runtimes;
mod service;
mod several;
mod shared;
mod shop;
mod shutdown;
mod single;
mod upgrade;
mod writer;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Waits until `look` finds something; five minutes are enough for all that a test waits for.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(300), "not within five minutes: {what}");
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// A number that no later call gives.
fn moment() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()
}
