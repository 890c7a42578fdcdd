//! Controllers on every kind of datastore, backups and the move to etcd, with real servers: needs root, PostgreSQL and MariaDB.
//!
//! ```text
//! cargo xtask native --suite datastores
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
