//! The command line: one file a verb.

mod boards;
mod build;
mod cluster;
mod host;
mod inspect;
mod keys;
mod kubectl;
mod lock;
mod seeds;
mod sk8s;
mod store;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    interrupt,
    report::{Explain, print_error},
};

pub use host::Host;

/// Builds signed, immutable, bootable edge images with Kubernetes inside.
#[derive(Debug, Parser)]
#[command(name = "skerry", version, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    host: host::HostArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build a disk image
    Build(build::Args),
    /// List the boards that images can be built for
    Boards(boards::Args),
    /// Make clusters and seeds of their hosts, and say how they are
    Cluster(cluster::Args),
    /// Read an image back and check it against its signed manifest
    Inspect(inspect::Args),
    /// Make and list signing keys
    Keys(keys::Args),
    /// Run the kubectl that images hold
    Kubectl(kubectl::Args),
    /// Resolve all packages of the catalogue and write `skerry.lock`
    Lock(lock::Args),
    /// Build sk8s for any Linux: one program with all components in it
    Sk8s(sk8s::Args),
    /// Boot an image in QEMU and wait for its node
    Vm(vm::Args),
    /// Move built components to and from other machines
    Store(store::Args),
    /// Copy all locked packages into a folder that serves as a mirror
    Vendor(lock::VendorArgs),
}

/// Any error of the tool, with its hint and exit code.
#[derive(Debug)]
pub struct Failure(Box<dyn Explain>);

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// Wrong use of the command line, beyond what the parser sees.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Usage {
    /// What is wrong.
    message: String,
    /// What to do instead.
    hint: Option<String>,
}

impl Usage {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl Explain for Usage {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn exit_code(&self) -> u8 {
        2
    }
}

/// A result that cannot be printed as JSON.
#[derive(Debug, thiserror::Error)]
#[error("could not print the result as JSON")]
pub struct Unprintable(#[source] serde_json::Error);

impl Explain for Unprintable {}

/// Prints a result as JSON on standard output.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string_pretty(value).map_err(Unprintable)?);
    Ok(())
}

/// Runs the tool on the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    interrupt::clean_up_on_signals();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(error)) => {
            eprint!("{}", print_error(error.as_ref()));
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let host = || Host::new(cli.host);
    match cli.verb {
        Verb::Build(args) => build::run(&host()?, &args),
        Verb::Boards(args) => boards::run(&host()?, &args),
        Verb::Cluster(args) => cluster::run(&host()?, &args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Keys(args) => keys::run(&args),
        Verb::Kubectl(args) => kubectl::run(&host()?, &args),
        Verb::Lock(args) => lock::run(&host()?, &args),
        Verb::Sk8s(args) => sk8s::run(&host()?, &args),
        Verb::Vm(args) => vm::run(&host()?, &args),
        Verb::Store(args) => store::run(&host()?, &args),
        Verb::Vendor(args) => lock::vendor(&host()?, &args),
    }
}
