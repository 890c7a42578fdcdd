//! What may be typed.

use std::{ffi::OsString, path::PathBuf};

use clap::{Parser, Subcommand};

use super::{
    airgap::AirgapVerb,
    backup::{BackupArgs, RestoreArgs, StorageVerb},
    cluster::ClusterVerb,
    completion::Shell,
    components::Wanted,
    config::ConfigVerb,
    encryption::EncryptionVerb,
    etcd::EtcdVerb,
    kubeconfig::KubeconfigVerb,
    ports::PortsArgs,
    roles::{ControllerArgs, WorkerArgs},
    token::TokenVerb,
};
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
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
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
            shipped: usual.shipped,
            kubelet: self.kubelet_dir.unwrap_or(usual.kubelet),
        }
    }
}

impl Places {
    /// These folders, and where one is not named, that of `usual`.
    pub(super) fn or(self, usual: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(usual.data_dir),
            run_dir: self.run_dir.or(usual.run_dir),
            components: self.components.or(usual.components),
            cni: self.cni.or(usual.cni),
            images: self.images.or(usual.images),
            kubelet_dir: self.kubelet_dir.or(usual.kubelet_dir),
        }
    }

    /// The flags that name these folders.
    pub(super) fn words(&self) -> Vec<OsString> {
        let named = [
            ("--data-dir=", &self.data_dir),
            ("--run-dir=", &self.run_dir),
            ("--components=", &self.components),
            ("--cni=", &self.cni),
            ("--images=", &self.images),
            ("--kubelet-dir=", &self.kubelet_dir),
        ];
        let word = |(flag, path): (&str, &Option<PathBuf>)| {
            let path = path.as_ref()?;
            let mut word = OsString::from(flag);
            word.push(path);
            Some(word)
        };
        named.into_iter().filter_map(word).collect()
    }

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
    Controller(ControllerArgs),
    /// Run a worker until told to end
    Worker(WorkerArgs),
    /// Make, list and end join tokens
    #[command(subcommand)]
    Token(TokenVerb),
    /// List controllers' members of etcd, and take them out
    #[command(subcommand)]
    Etcd(EtcdVerb),
    /// Images for nodes that reach no registry: list them, bundle them
    #[command(subcommand)]
    Airgap(AirgapVerb),
    /// Say what Secrets are encrypted with where they are stored, and change it
    #[command(subcommand)]
    Encryption(EncryptionVerb),
    /// Say which ports a node listens on
    Ports(PortsArgs),
    /// Install a service that runs a role at each boot
    #[command(disable_help_flag = true)]
    Install {
        /// `controller` or `worker`, that verb's flags, and `--force`, `--env`, `--start`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ROLE AND FLAGS")]
        words: Vec<OsString>,
    },
    /// Start the installed service
    Start,
    /// Stop the installed service; pods run on
    Stop,
    /// Remove all that sk8s has left on this machine
    Reset {
        /// Only show what would be removed
        #[arg(long)]
        explain: bool,
        /// Remove the backups that lie in the data folder too
        #[arg(long)]
        with_backups: bool,
    },
    /// Check whether this machine can run sk8s
    Sysinfo {
        /// As a controller alone
        #[arg(long)]
        controller: bool,
        /// As a worker alone
        #[arg(long)]
        worker: bool,
        /// As text for people, or as JSON
        #[arg(long, short, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
        output: String,
    },
    /// Print a script that completes this command line in a shell
    Completion {
        /// Which shell
        shell: Shell,
    },
    /// Say how the node is
    Status {
        /// Of what
        #[command(subcommand)]
        of: Option<StatusOf>,
        /// As text for people, or as JSON
        #[arg(long, short, global = true, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
        output: String,
    },
    /// Run kubectl with the owner's rights
    #[command(disable_help_flag = true)]
    Kubectl {
        /// kubectl's own arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run helm with the owner's rights
    #[command(disable_help_flag = true)]
    Helm {
        /// helm's own arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run containerd's client where the node's pods are
    #[command(disable_help_flag = true)]
    Ctr {
        /// ctr's own arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Print a kubeconfig
    #[command(subcommand)]
    Kubeconfig(KubeconfigVerb),
    /// Make a cluster of Linux hosts over SSH, and care for it
    #[command(subcommand)]
    Cluster(ClusterVerb),
    /// Make, check, edit and convert configurations
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Save the cluster: keys, objects, configuration and manifests, in one file
    Backup(BackupArgs),
    /// Make a cluster's state of a backup, on a machine that has none
    Restore(RestoreArgs),
    /// Care for where the cluster's objects are kept
    #[command(subcommand)]
    Storage(StorageVerb),
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

/// What the status is of, if not of the node.
#[derive(Debug, Subcommand)]
pub enum StatusOf {
    /// Each component: process, restarts, memory, last exit
    Components,
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
    fn helm_gets_its_flags_untouched() {
        let args = Args::parse_from(["sk8s", "helm", "list", "-A", "-o", "json", "--help"]);
        let Verb::Helm { args } = args.verb else { panic!("another verb") };
        assert_eq!(args, ["list", "-A", "-o", "json", "--help"]);
    }

    #[test]
    fn ctr_gets_its_flags_untouched() {
        let args = Args::parse_from(["sk8s", "ctr", "-n", "default", "images", "list", "-q"]);
        let Verb::Ctr { args } = args.verb else { panic!("another verb") };
        assert_eq!(args, ["-n", "default", "images", "list", "-q"]);
    }

    #[test]
    fn the_help_is_the_golden_one() {
        let help = Args::command().render_long_help().to_string();
        crate::golden::check("help.txt", &help);
    }
}
