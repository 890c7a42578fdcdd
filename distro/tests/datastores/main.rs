//! Controllers on every kind of datastore, backups and the move to etcd, with real servers. Needs root, upstream's programs,
//! PostgreSQL and MariaDB, and the ports to be free: run it in a network namespace that has an address and a default route.
//!
//! ```text
//! SK8S_COMPONENTS=DIR cargo test --release -p sk8s --test datastores -- --ignored --test-threads=1
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a test of processes starts some, and says so when it fails"
)]

mod backups;
mod controller;
mod refusals;
mod server;
mod stores;
