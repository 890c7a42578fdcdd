//! `skerryd`: parses, asks or runs, and prints.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use skerryd::{
    chain,
    cli::{self, Cli, SeedVerb, Verb},
    daemon,
};

fn main() -> ExitCode {
    let answer = match Cli::parse().verb {
        Verb::Run => daemon::run(),
        Verb::Status(output) => cli::status(&output),
        Verb::Seed(SeedVerb::Explain(output)) => cli::explain(&output),
    };
    match answer {
        // A reader that has gone away wants no more.
        Ok(text) => writeln!(std::io::stdout(), "{text}").map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("error: {}", chain::lines(&error).join("\n  "));
            ExitCode::FAILURE
        }
    }
}
