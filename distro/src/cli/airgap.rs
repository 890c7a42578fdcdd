//! `sk8s airgap`.

use clap::Subcommand;

use super::verbs::CliError;
use crate::{config::Settings, images, paths::Paths};

/// What to do with images for machines that reach no registry.
#[derive(Debug, Subcommand)]
pub enum AirgapVerb {
    /// List the images that a node of this configuration runs of its own accord; the built-in ones are in sk8s itself
    ListImages,
}

/// Does it; what comes back is to be printed.
pub fn obey(verb: &AirgapVerb, paths: &Paths, settings: &Settings) -> Result<String, CliError> {
    match verb {
        AirgapVerb::ListImages => {
            let own = settings.images.over(images::builtin(paths)?);
            let used = ["coredns", "pause"].into_iter().filter_map(|name| own.get(name));
            Ok(used.map(|reference| format!("{reference}\n")).collect())
        }
    }
}
