//! Development tasks: `cargo xtask tidy` checks the house caps, `bench` measures against the goals, `go` tests what is ours in Go,
//! `native` tests real nodes, `conformance` runs upstream's suite.

mod bench;
mod conformance;
mod files;
mod go;
mod native;
mod process;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Development tasks.
#[derive(Debug, Parser)]
#[command(name = "xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check sizes of files and functions, heads, markers, and which crate may know which
    Tidy,
    /// Measure build times, sizes, boot phases and memory against the goals
    Bench(bench::Args),
    /// Run what Kubernetes' own end-to-end suite tags as conformance; needs what `native` needs, and Go
    Conformance(conformance::Args),
    /// Vet and test what is ours in Go
    Go,
    /// Start real nodes on this machine and test them; needs root, systemd, `unshare`, `nsenter`, `ip` and `nft`
    Native(native::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Tidy => tidy::run(),
        Task::Bench(args) => bench::run(&args),
        Task::Conformance(args) => conformance::run(&args),
        Task::Go => go::test().map(|()| ExitCode::SUCCESS),
        Task::Native(args) => native::run(&args).map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
