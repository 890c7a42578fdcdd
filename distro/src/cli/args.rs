//! What may be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::components::Wanted;
use crate::{paths::Paths, version::VERSION};

/// The Kubernetes distribution of Skerry: a supervisor of upstream's components
#[derive(Debug, Parser)]
#[command(name = "sk8s", version = VERSION)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
    /// Where things are
    #[command(flatten)]
    pub places: Places,
}

/// Folders other than an image's own.
#[derive(Debug, clap::Args)]
pub struct Places {
    /// State that outlives a boot [default: /var/lib/sk8s]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// State of this boot [default: /run/sk8s]
    #[arg(long, global = true, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Upstream's programs [default: /usr/libexec/sk8s]
    #[arg(long, global = true, value_name = "DIR")]
    components: Option<PathBuf>,
    /// Pod network programs [default: /usr/libexec/cni]
    #[arg(long, global = true, value_name = "DIR")]
    cni: Option<PathBuf>,
    /// Built-in images and their list [default: /usr/share/sk8s/images]
    #[arg(long, global = true, value_name = "DIR")]
    images: Option<PathBuf>,
    /// The kubelet's folder [default: /var/lib/kubelet]
    #[arg(long, global = true, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,
}

impl Places {
    /// The folders to use, for verbs that need no components.
    #[must_use]
    pub fn paths(self) -> Paths {
        self.over(Paths::default())
    }

    /// The folders to use, where `usual` has those that were not named.
    #[must_use]
    pub fn over(self, usual: Paths) -> Paths {
        Paths {
            data: self.data_dir.unwrap_or(usual.data),
            run: self.run_dir.unwrap_or(usual.run),
            components: self.components.unwrap_or(usual.components),
            cni: self.cni.unwrap_or(usual.cni),
            images: self.images.unwrap_or(usual.images),
            kubelet: self.kubelet_dir.unwrap_or(usual.kubelet),
        }
    }
}

impl Places {
    /// The folder of state that outlives a boot.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| Paths::default().data)
    }

    /// Whether the caller named the folders of all components that are wanted.
    #[must_use]
    pub const fn have(&self, wanted: Wanted) -> bool {
        let programs = self.components.is_some();
        match wanted {
            Wanted::Program => programs,
            Wanted::Node => programs && self.cni.is_some() && self.images.is_some(),
        }
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a controller until told to end
    Controller {
        /// Run workloads too: one node that is a whole cluster
        #[arg(long)]
        single: bool,
        /// Configuration file
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Name of the node, whatever the configuration says
        #[arg(long, value_name = "NAME")]
        node_name: Option<String>,
    },
    /// Say how the node is
    Status {
        /// As text for people, or as JSON
        #[arg(long, short, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
        output: String,
    },
    /// Run kubectl with the owner's rights
    #[command(disable_help_flag = true)]
    Kubectl {
        /// kubectl's own arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Print a kubeconfig
    #[command(subcommand)]
    Kubeconfig(Kubeconfig),
    /// Print the version
    Version {
        /// Those of all components too
        #[arg(long, short)]
        all: bool,
        /// As text for people, or as JSON
        #[arg(long, short, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
        output: String,
    },
}

/// Whose kubeconfig.
#[derive(Debug, Subcommand)]
pub enum Kubeconfig {
    /// The owner's: it may do everything
    Admin {
        /// URL at which the API server is reached [default: this node's address]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
        /// Configuration file
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Args, Verb};

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn kubectl_gets_its_flags_untouched() {
        let args = Args::parse_from(["sk8s", "kubectl", "get", "pods", "-o", "json", "--help"]);
        let Verb::Kubectl { args } = args.verb else { panic!("another verb") };
        assert_eq!(args, ["get", "pods", "-o", "json", "--help"]);
    }

    #[test]
    fn the_help_is_the_golden_one() {
        let help = Args::command().render_long_help().to_string();
        assert_eq!(help, include_str!("../../golden/help.txt"));
    }
}
