//! `cargo xtask bench`: what the project promises about time, size and memory, measured on this machine in one run.

mod boot;
mod build;
mod memory;
mod peer;
mod table;

use std::{path::PathBuf, process::ExitCode};

use skerry_qemu::Interrupt;
use skerry_tests::lab::Lab;
use table::Table;

/// Flags of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The board to build for
    #[arg(long, default_value = "qemu-x86_64")]
    board: String,
    /// Folder for everything that the run writes
    #[arg(long, default_value = "out/bench")]
    out: PathBuf,
    /// Leave out the build with an empty cache, which takes a quarter of an hour
    #[arg(long)]
    warm: bool,
    /// Leave out what needs a booted machine
    #[arg(long)]
    no_boot: bool,
}

/// Measures and prints; the exit code says whether every goal was met.
pub fn run(args: &Args) -> Result<ExitCode, String> {
    let mut table = Table::default();
    let built = build::measure(args, &mut table)?;
    if !args.no_boot {
        let images = args.out.join("images");
        let lab = Lab::new(images, Interrupt::catch()).map_err(|error| error.to_string())?;
        let node = boot::measure(&lab, &built, &mut table)?;
        memory::measure(&node, &mut table)?;
    }
    Ok(if table.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
