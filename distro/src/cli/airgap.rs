//! `sk8s airgap`.

use std::{
    io::{self, IsTerminal as _, Read as _},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use skerry_formats::arch::Arch;

use super::{
    args::Places,
    components::{Wanted, lay_out},
    own_node::OwnNode,
    roles::{self, NodeArgs},
    verbs::{CliError, print},
};
use crate::{
    component::REGISTRIES,
    config::Settings,
    images::{
        self,
        bundle::{BadList, Order, Output, bundle, list},
    },
    paths::Paths,
    registry::{Logins, Registries},
    sys::fs,
};

/// What to do with images for machines that reach no registry.
#[derive(Debug, Subcommand)]
pub enum AirgapVerb {
    /// List the images that a node of this configuration runs of its own accord; the built-in ones are in sk8s itself
    ListImages {
        /// Configuration file; `-` reads standard input [default: this node's]
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Also those of other configurations
        #[arg(long)]
        all: bool,
    },
    /// Pull images from their registries into one archive, for the folder of images of nodes that reach none
    Bundle(BundleArgs),
}

/// `sk8s airgap bundle`.
#[derive(Debug, Args)]
pub struct BundleArgs {
    /// Images; without any, a list is read from standard input, an image a line
    #[arg(value_name = "IMAGE")]
    names: Vec<String>,
    /// The archive; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Which machines the images are for [default: such as this one]
    #[arg(long, value_name = "PLATFORM", value_parser = ["linux/amd64", "linux/arm64"])]
    platform: Option<String>,
    /// Folder of registries in containerd's format: mirrors, authorities, credentials
    #[arg(long, value_name = "DIR", default_value = REGISTRIES)]
    registries: PathBuf,
    /// How many requests run at a time
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,
}

/// Bytes of the longest list of images.
const LIST: u64 = 1 << 20;

/// Does it.
pub fn obey(verb: &AirgapVerb, places: Places) -> Result<(), CliError> {
    match verb {
        AirgapVerb::ListImages { config, all } => {
            let node = OwnNode::find(places, None)?;
            let settings = match config {
                // It may be meant for another node: what this one was told is nothing to it.
                Some(_) => roles::settings(&NodeArgs { config: config.clone(), ..NodeArgs::default() })?,
                None => node.settings()?,
            };
            let (paths, _ready) = lay_out(node.places, Wanted::Node)?;
            print(&if *all { every_image(&paths, &settings)? } else { own_images(&paths, &settings)? })
        }
        AirgapVerb::Bundle(args) => make_bundle(args),
    }
}

fn own_images(paths: &Paths, settings: &Settings) -> Result<String, CliError> {
    let own = settings.images.over(images::builtin(paths)?);
    let used = ["coredns", "pause"].into_iter().filter_map(|name| own.get(name));
    Ok(used.map(|reference| format!("{reference}\n")).collect())
}

/// The built-in images, which any other configuration may run, beside those that this one names instead.
fn every_image(paths: &Paths, settings: &Settings) -> Result<String, CliError> {
    let built_in = images::builtin(paths)?;
    let own = settings.images.over(built_in.clone());
    let all: std::collections::BTreeSet<String> = built_in.into_values().chain(own.into_values()).collect();
    Ok(all.into_iter().map(|reference| reference + "\n").collect())
}

fn make_bundle(args: &BundleArgs) -> Result<(), CliError> {
    let to = Output::of(&args.output);
    if to == Output::Stdout && io::stdout().is_terminal() {
        return Err(CliError::Terminal);
    }
    let named = if args.names.is_empty() { piped()? } else { args.names.join("\n") };
    let (images, built_in) = list(named.lines())?;
    for image in built_in {
        tracing::info!(image, "built into sk8s: left out");
    }
    let registries = Registries::new(args.registries.clone(), logins()?);
    let order = Order { arch: args.arch(), requests: usize::from(args.concurrency), to };
    let bytes = bundle(&images, &registries, &order)?;
    tracing::info!(images = images.len(), bytes, "bundled");
    Ok(())
}

impl BundleArgs {
    fn arch(&self) -> Arch {
        match self.platform.as_deref() {
            Some("linux/amd64") => Arch::Amd64,
            Some("linux/arm64") => Arch::Arm64,
            _ => Arch::of_kernel(std::env::consts::ARCH).unwrap_or(Arch::Amd64),
        }
    }
}

/// What is piped in; nobody types such a list.
fn piped() -> Result<String, CliError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(BadList::Empty.into());
    }
    let mut text = String::new();
    let read = stdin.lock().take(LIST).read_to_string(&mut text);
    read.map_err(|source| CliError::System("read the list of images from standard input", source))?;
    Ok(text)
}

/// What `docker login` has kept for whoever runs us.
fn logins() -> Result<Logins, CliError> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
    let Some(folder) = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from).or_else(home) else {
        return Ok(Logins::default());
    };
    let path = folder.join("config.json");
    let Some(text) = fs::read_if_there(&path)? else { return Ok(Logins::default()) };
    Logins::parse(&text).map_err(|source| CliError::Logins { path, source })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::AirgapVerb;
    use crate::cli::{Args, Verb};

    #[test]
    fn a_bundle_is_for_the_platform_that_is_named() {
        let words = ["sk8s", "airgap", "bundle", "a", "b", "-o", "x.tar", "--platform=linux/arm64", "--concurrency=5"];
        let Verb::Airgap(AirgapVerb::Bundle(args)) = Args::parse_from(words).verb else { panic!("another verb") };
        assert_eq!(args.arch().debian(), "arm64");
        assert_eq!(args.names, ["a", "b"]);
        assert!(Args::try_parse_from(["sk8s", "airgap", "bundle", "--platform=linux/s390x"]).is_err());
        assert!(Args::try_parse_from(["sk8s", "airgap", "bundle", "--concurrency=0"]).is_err());
    }
}
