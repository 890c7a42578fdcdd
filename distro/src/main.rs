//! `sk8s`: parses, obeys, reports.

use std::process::ExitCode;

use clap::Parser as _;
use sk8s::{
    cli::{self, Args},
    service,
};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).without_time().with_target(false).with_ansi(false).init();
    match cli::obey(Args::try_parse().unwrap_or_else(|error| leave(&error))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(source) = cause {
                eprintln!("  caused by: {source}");
                cause = source.source();
            }
            if let Some(hint) = error.hint() {
                eprintln!("  hint: {hint}");
            }
            let code = error.exit_code();
            if code == REFUSED {
                service::give_up();
            }
            ExitCode::from(code)
        }
    }
}

/// The exit code of what is refused now and would be the next time: whoever supervises it need not start it again.
const REFUSED: u8 = 2;

/// Prints the usage, or help that was asked for.
fn leave(error: &clap::Error) -> ! {
    if error.exit_code() == i32::from(REFUSED) {
        service::give_up();
    }
    error.exit()
}
