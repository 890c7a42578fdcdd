//! `skerry keys`.

use std::path::PathBuf;

use serde::Serialize;
use skerry_formats::{
    envelope::{BadKey, KeyId},
    name::Name,
};

use super::Failure;
use crate::{
    report::Explain,
    seal::keys::{KeyFolder, KnownKey},
};

/// Flags of `skerry keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a signing key: NAME.key.pem for its owner alone, NAME.pub.pem for everyone
    New {
        /// Name of the key's files
        #[arg(default_value = "release")]
        name: Name,
        #[command(flatten)]
        folder: Folder,
    },
    /// List public keys
    Show {
        #[command(flatten)]
        folder: Folder,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Folder {
    /// Folder of the keys [default: `~/.config/skerry`]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    id: KeyId,
    file: PathBuf,
    pem: String,
}

impl Explain for BadKey {}

impl Folder {
    fn keys(&self) -> KeyFolder {
        self.dir.clone().map_or_else(KeyFolder::of_host, KeyFolder::at)
    }
}

/// Runs a verb on keys.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::New { name, folder } => {
            let keys = folder.keys();
            let id = keys.create(name)?.public().id();
            let secret = keys.secret(name.as_str());
            eprintln!("key {} in `{}`: keep it safe, whoever has it signs as you", id.short(), secret.display());
            eprintln!("  sign with it:  skerry build --board BOARD --key {}", secret.display());
            eprintln!("  check with it: skerry inspect IMAGE --public-key {}", keys.public(name.as_str()).display());
            Ok(())
        }
        Verb::Show { folder, json } => {
            let known = folder.keys().list()?;
            let rows = known.iter().map(row).collect::<Result<Vec<_>, _>>()?;
            if *json {
                return super::print_json(&rows);
            }
            for row in rows {
                print!("{}  {}\n{}", row.id, row.file.display(), row.pem);
            }
            Ok(())
        }
    }
}

fn row(known: &KnownKey) -> Result<Row, BadKey> {
    Ok(Row { id: known.key.id(), file: known.path.clone(), pem: known.key.to_pem()? })
}
