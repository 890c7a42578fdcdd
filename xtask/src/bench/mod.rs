//! `cargo xtask bench`: what the project promises about time, size and memory, measured on this machine in one run.

mod image;
mod node;
mod table;

use std::{path::PathBuf, process::ExitCode};

use table::Table;

/// Flags of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to measure: building and booting an image, or `sk8s` as processes of this machine (needs root)
    #[arg(long, default_value = "image", value_parser = ["image", "node"])]
    of: String,
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
    match args.of.as_str() {
        "node" => node::measure(&args.out.join("node"), &mut table)?,
        _ => image::measure(args, &mut table)?,
    }
    Ok(if table.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
