//! `skerry inspect`.

use std::path::PathBuf;

use serde::Serialize;
use skerry_formats::{envelope::KeyId, manifest::Manifest};

use super::Failure;
use crate::{
    inspect::{self, Check, Inspection},
    seal::keys::{self, KeyFolder},
};

/// Flags of `skerry inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Disk image, raw or `.zst`, with its manifest beside it
    image: PathBuf,
    /// Public key that may have signed it [default: the keys in `~/.config/skerry`]
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
    image: &'a PathBuf,
    signers: Vec<&'a KeyId>,
    manifest: &'a Manifest,
    seeds: &'a [String],
    checks: &'a [Check],
}

/// Inspects an image; what it is and each check go to standard output.
pub fn run(args: &Args) -> Result<(), Failure> {
    let keys = if args.public_key.is_empty() {
        KeyFolder::of_host().list()?.into_iter().map(|known| known.key).collect()
    } else {
        args.public_key.iter().map(|path| keys::read_public(path)).collect::<Result<Vec<_>, _>>()?
    };
    let inspection = inspect::inspect(&args.image, &keys)?;
    if args.json {
        super::print_json(&summary(&inspection))?;
    } else {
        print!("{}", inspection.table());
    }
    Ok(inspection.verdict()?)
}

fn summary(inspection: &Inspection) -> Summary<'_> {
    Summary {
        image: &inspection.image,
        signers: inspection.manifest.signers().iter().collect(),
        manifest: &inspection.manifest,
        seeds: &inspection.seeds,
        checks: &inspection.checks,
    }
}
