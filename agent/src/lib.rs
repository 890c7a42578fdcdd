//! The agent beside PID 1: early boot, seeds, bring-up, status.
//!
//! `initrd` is early boot, a program of its own. Everything else is the daemon: seeds (`seed`) become an `Intent`, the
//! intent and what is observed become steps (`bringup`), and the console says what happens.

pub mod boot_report;
pub mod bringup;
pub mod chain;
pub mod cli;
pub mod daemon;
pub mod disk;
pub mod initrd;
pub mod intent;
pub mod machine_id;
pub mod populate;
pub mod report;
pub mod seed;
pub mod sys;
