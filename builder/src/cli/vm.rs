//! `skerry vm`: boots an image, and with a kubeconfig made for it says how to reach its node.

use std::{error::Error, path::PathBuf, time::Duration};

use skerry_formats::name::Name;
use skerry_qemu::disk::DiskSize;

use super::{Failure, Host, kubectl};
use crate::{
    cluster, interrupt,
    vm::{self, Identity, Keep, Kubectl, Options, SeedFrom, Until},
};

/// Flags of `skerry vm`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Raw disk image [default: the newest in `out/`]
    image: Option<PathBuf>,
    /// Stop as soon as the node is Ready
    #[arg(long, value_name = "WHEN", value_parser = ["ready"])]
    until: Option<String>,
    /// Folder for the machine's disk, identity and console [default: beside the image]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Start with an empty disk and a new identity
    #[arg(long)]
    fresh: bool,
    /// Seed file instead of the identity made for the machine
    #[arg(long, value_name = "FILE", conflicts_with = "no_seed")]
    seed: Option<PathBuf>,
    /// Give the machine no seed at all
    #[arg(long)]
    no_seed: bool,
    /// Memory in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory: u32,
    /// Size of the machine's disk in GiB
    #[arg(long, value_name = "GIB", default_value_t = 8)]
    disk: u64,
    /// QEMU program to use
    #[arg(long, value_name = "PROGRAM")]
    qemu: Option<PathBuf>,
    /// Minutes that the node may take to become Ready
    #[arg(long, value_name = "MIN", default_value_t = 15)]
    patience: u64,
}

/// Boots an image.
pub fn run(host: &Host, args: &Args) -> Result<(), Failure> {
    let image = args.image.clone().map_or_else(|| vm::newest(&PathBuf::from("out")), Ok)?;
    let mut options = Options::new(image, host.store.root().to_owned(), Kubectl::multicall(kubectl::program(host)?));
    if let Some(state) = &args.state {
        options.state.clone_from(state);
    }
    options.keep = if args.fresh { Keep::Nothing } else { Keep::Earlier };
    options.seed = match (&args.seed, args.no_seed) {
        (Some(file), _) => SeedFrom::File(file.clone()),
        (None, true) => SeedFrom::Nowhere,
        (None, false) => SeedFrom::Identity,
    };
    options.until = if args.until.is_some() { Until::Ready } else { Until::Stopped };
    options.memory_mib = args.memory;
    options.disk_size = DiskSize(args.disk << 30);
    options.qemu.clone_from(&args.qemu);
    options.patience = Duration::from_secs(args.patience * 60);
    Ok(vm::run(&options, &identity, &host.reporter, &interrupt::as_flag())?)
}

fn identity(folder: &std::path::Path, url: &str) -> Result<Identity, Box<dyn Error + Send + Sync>> {
    let name: Name = "skerry-vm".parse()?;
    let handed = cluster::hand_out(folder, &name, url)?;
    Ok(Identity { seed: handed.seed.into_bytes(), kubeconfig: handed.kubeconfig.into_bytes() })
}
