//! `skerry build`.

use std::path::PathBuf;

use serde::Serialize;
use skerry_formats::{digest::Digest, name::Name, role::Role};

use super::{Failure, Host, lock, seeds};
use crate::{
    build::{self, Bench, Extras, Image},
    compose, fsx,
    image::{Artefact, Readers},
    lock::{Context, SetName, WhenGone},
    plan::{self, Request},
    report::{self, Finished},
    seal::keys::KeyFolder,
};

/// Flags of `skerry build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Board to build for; `skerry boards` lists them
    #[arg(long)]
    board: Name,
    /// Role to bake in: controller, worker or single [default: none, the node waits for a seed]
    #[arg(long)]
    role: Option<Role>,
    /// Profile: `default`, or `debug` with a serial login and SSH by key
    #[arg(long, default_value = "default")]
    profile: Name,
    /// Seed file to bake in
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,
    /// Overlay folder to lay over the recipe's
    #[arg(long, value_name = "DIR")]
    overlay: Vec<PathBuf>,
    /// Folder for the artefacts
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Private key to sign with [default: this host's development key]
    #[arg(long, value_name = "FILE", env = "SKERRY_KEY", hide_env = true)]
    key: Option<PathBuf>,
    #[command(flatten)]
    mirror: lock::MirrorArgs,
    /// Refuse instead of taking newer versions of packages that left the mirror
    #[arg(long)]
    locked: bool,
    /// Print what would be built, and stop
    #[arg(long)]
    explain: bool,
    /// Print the artefacts as JSON on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
    artefacts: &'a [Artefact],
    root_hash: Digest,
    root_bytes: u64,
    uki_bytes: u64,
    inputs: Digest,
    substitutions: Vec<String>,
    steps: Vec<Finished>,
}

/// Builds an image.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    let request = Request { board: args.board.clone(), profile: args.profile.clone(), role: args.role };
    let plan = plan::resolve(&host.catalog, request)?;
    let seeds = seeds::baked(args.role, &args.seed)?;
    for overlay in &args.overlay {
        compose::overlay_manifest(overlay)?;
    }
    if args.explain {
        println!("{}", plan.explain());
        return Ok(());
    }
    // What would only fail at the end of a long build is tried now.
    drop(fsx::temp_file_in(&args.out)?);
    let archive = args.mirror.archive(host)?;
    let lock = lock::load(host)?;
    lock.check(&plan.requests())?;
    let signer = KeyFolder::of_host().for_build(args.key.as_deref(), &host.reporter)?;
    let sets: Vec<SetName> = build::wanted_sets(&plan).into_iter().cloned().collect();
    let when_gone = if args.locked { WhenGone::Refuse } else { WhenGone::Substitute };
    let table = lock::table(host)?;
    let context = Context { archive: &archive, table: &table, reporter: &host.reporter };
    let (lock, substitutions) = crate::lock::available(&lock, &sets, when_gone, &context)?;
    let extras = Extras {
        seeds,
        overlays: args.overlay.clone(),
        substitutions,
        out: args.out.clone(),
        base: base_name(args),
        readers: if args.seed.is_empty() { Readers::All } else { Readers::Owner },
    };
    let bench = Bench {
        source: host.catalog.root(),
        store: &host.store,
        archive: &archive,
        lock: &lock,
        reporter: &host.reporter,
        signer: &signer,
    };
    let image = build::image(&plan, &bench, &extras)?;
    finish(host, args, (&image, &extras))
}

fn base_name(args: &Args) -> String {
    let role = args.role.map_or("node", Role::as_str);
    let profile = if args.profile.as_str() == "default" { String::new() } else { format!("-{}", args.profile) };
    format!("skerry-{}-{}{profile}-{role}", env!("CARGO_PKG_VERSION"), args.board)
}

fn finish(host: &Host, args: &Args, (image, extras): (&Image, &Extras)) -> Result<(), Failure> {
    for artefact in &image.artefacts {
        let sha256 = artefact.sha256.short();
        host.reporter.line(format!(
            "  {:<60} {:>10}  sha256 {sha256}…",
            artefact.path.display(),
            report::bytes(artefact.size)
        ));
    }
    host.reporter.line(format!("  root hash {}", image.root.root_hash));
    if let Some(first) = image.artefacts.first() {
        host.reporter.line(format!("next: skerry vm {}", first.path.display()));
    }
    if !args.json {
        return Ok(());
    }
    super::print_json(&Summary {
        artefacts: &image.artefacts,
        root_hash: image.root.root_hash,
        root_bytes: image.root_bytes,
        uki_bytes: image.uki_bytes,
        inputs: image.inputs,
        substitutions: extras.substitutions.iter().map(ToString::to_string).collect(),
        steps: host.reporter.finished(),
    })
}
