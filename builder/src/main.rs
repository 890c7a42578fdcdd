//! `skerry`: parses, runs, reports.

use std::process::ExitCode;

fn main() -> ExitCode {
    skerry::cli::main()
}
