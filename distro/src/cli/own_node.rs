//! The node of this machine: which folders and which configuration it has, for every verb that speaks about it.

use std::path::{Path, PathBuf};

use super::{
    args::Places,
    installed::{self, Told},
    roles::{self, NodeArgs},
    verbs::CliError,
};
use crate::{
    cluster,
    config::{Provider, Raw, Settings},
    node::{self, NodeError},
    paths::Paths,
    service::ServiceError,
    status,
    sys::fs,
};

/// Where the agent of an image writes the configuration.
const IMAGE: &str = "/run/skerry/sk8s.yaml";
/// Where a node of any other system reads its configuration, if it is told of no other place.
pub(super) const USUAL: &str = cluster::CONFIG;

/// The first line of a configuration that was put together.
const WHOLE: &str = "# What this controller went by: its own file and flags over what its cluster has told it.";

/// What the node of this machine was told.
#[derive(Clone, Debug)]
pub(super) struct OwnNode {
    /// The folders that are named.
    pub places: Places,
    /// Its flags, with the configuration file that it reads; without one, every key has its default.
    pub args: NodeArgs,
}

/// What a node that nothing of ours has installed has left of its last start.
#[derive(Clone, Debug, Default)]
struct Traces {
    /// The configuration file that it was started with.
    config: Option<PathBuf>,
    /// Its name, while it runs.
    name: Option<String>,
}

impl OwnNode {
    /// What is known of it, where `typed` folders and a typed configuration file go before everything else.
    ///
    /// # Errors
    /// If the installed service's file is there and cannot be read.
    pub fn find(typed: Places, config: Option<PathBuf>) -> Result<Self, ServiceError> {
        Ok(resolve((typed, config), installed::installed()?, traces, fs::exists))
    }

    /// Its folders.
    pub fn paths(&self) -> Paths {
        self.places.clone().paths()
    }

    /// Its configuration file, which may not be there.
    pub fn file(&self) -> &Path {
        self.args.file()
    }

    /// The text of its configuration, and what the node is by that, by its flags, and by what a cluster has told it that it
    /// joined. The text is that of its file, if there is one; on a controller that has joined it is all that it goes by, as its
    /// file may say next to nothing.
    ///
    /// # Errors
    /// If a file cannot be read, or asks for what cannot be.
    pub fn read(&self) -> Result<(Option<String>, Settings), CliError> {
        let (raw, text) = roles::raw(&self.args)?;
        let name = roles::check_alone(&raw)?.node;
        let (settings, whole) = node::effective(&self.paths(), &raw, &name).map_err(NodeError::from)?;
        let whole = whole.and_then(|raw| raw.to_yaml().ok()).map(|whole| format!("{WHOLE}\n{whole}"));
        Ok((whole.or(text), settings))
    }

    /// What the node is.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn settings(&self) -> Result<Settings, CliError> {
        Ok(self.read()?.1)
    }

    /// Who connects its pods; as usual where what it has been told is not for the caller to read.
    pub fn provider(&self) -> Provider {
        let usual = || Settings::validate(&Raw::default(), "node").ok();
        self.settings().ok().or_else(usual).map_or(Provider::None, |settings| settings.provider)
    }
}

/// The folders of the node of this machine, where those that were typed go first.
///
/// # Errors
/// As [`OwnNode::find`].
pub(super) fn places(typed: Places) -> Result<Places, ServiceError> {
    Ok(typed.or(installed::installed()?.unwrap_or_default().places))
}

/// The configuration file that a node reads at its start, if there is one: the one that it is told of, or a usual one.
pub(super) fn configuration(told: Option<PathBuf>) -> Option<PathBuf> {
    choose(told, fs::exists)
}

/// What was typed goes first, then what the installed service was told. Where none is installed, a node may still run, under
/// a service manager that is not known here: what it has left of its start tells of it.
fn resolve(
    typed: (Places, Option<PathBuf>),
    installed: Option<Told>,
    traces: impl FnOnce(&Paths) -> Traces,
    there: impl Fn(&Path) -> bool,
) -> OwnNode {
    let (places, config) = typed;
    let (places, mut told) = match installed {
        Some(Told { places: usual, node }) => (places.or(usual), node),
        None => {
            let Traces { config, name } = traces(&places.clone().paths());
            // Relative to a folder that nobody knows, standard input, or gone since.
            let config = config.filter(|path| path.is_absolute() && there(path));
            (places, NodeArgs { config, node_name: name, ..NodeArgs::default() })
        }
    };
    told.config = match (config, told.config) {
        // A service has nothing on its standard input, and what a verb has there is for something else.
        (None, Some(stream)) if stream == Path::new("-") => None,
        (typed, told) => choose(typed.or(told), there),
    };
    OwnNode { places, args: told }
}

fn choose(named: Option<PathBuf>, there: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    named.or_else(|| [IMAGE, USUAL].into_iter().map(PathBuf::from).find(|path| there(path)))
}

fn traces(paths: &Paths) -> Traces {
    let line = fs::read_if_there(&paths.started_with()).ok().flatten();
    let config = line.and_then(|line| Some(PathBuf::from(line.trim_end().split_once("  ")?.1)));
    let name = status::ask(&paths.status_socket()).ok().map(|status| status.node);
    Traces { config, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(places: &str) -> Places {
        let words = std::iter::once("sk8s").chain(places.split_whitespace()).chain(["start"]);
        <crate::cli::Args as clap::Parser>::parse_from(words).places
    }

    fn service(config: Option<&str>, places: &str) -> Told {
        let node =
            NodeArgs { config: config.map(PathBuf::from), node_name: Some("barn".into()), ..NodeArgs::default() };
        Told { places: paths(places), node }
    }

    fn nothing(_: &Paths) -> Traces {
        Traces::default()
    }

    /// Which file is read, where these are there.
    fn file(typed: Option<&str>, installed: Option<Told>, there: &[&str]) -> Option<String> {
        let typed = (Places::default(), typed.map(PathBuf::from));
        let node = resolve(typed, installed, nothing, |path| there.iter().any(|there| path == Path::new(there)));
        node.args.config.map(|path| path.display().to_string())
    }

    #[test]
    fn a_configuration_is_that_of_the_verb_then_the_services_then_the_images_then_the_usual_one() {
        let service = |config| Some(service(config, ""));
        let there = [IMAGE, USUAL];
        assert_eq!(file(Some("a"), service(Some("/b")), &there).as_deref(), Some("a"));
        assert_eq!(
            file(None, service(Some("/b")), &there).as_deref(),
            Some("/b"),
            "there or not: the service needs it"
        );
        for installed in [service(None), None] {
            assert_eq!(file(None, installed.clone(), &there).as_deref(), Some(IMAGE));
            assert_eq!(file(None, installed.clone(), &[USUAL]).as_deref(), Some(USUAL));
            assert_eq!(file(None, installed, &[]), None);
        }
    }

    #[test]
    fn standard_input_is_read_only_where_the_verb_is_told_to() {
        assert_eq!(file(Some("-"), None, &[USUAL]).as_deref(), Some("-"));
        assert_eq!(file(None, Some(service(Some("-"), "")), &[USUAL]), None);
    }

    #[test]
    fn folders_are_those_that_were_typed_then_the_services_then_the_default_ones() {
        let told = Some(service(None, "--data-dir=/srv/data --run-dir=/srv/run"));
        let node = resolve((paths("--run-dir=/tmp/run"), None), told, nothing, |_| false);
        let Paths { data, run, kubelet, .. } = node.paths();
        assert_eq!((data, run, kubelet), ("/srv/data".into(), "/tmp/run".into(), Paths::default().kubelet));
    }

    #[test]
    fn the_services_flags_count_whichever_configuration_is_typed() {
        let node = resolve((Places::default(), Some("/a".into())), Some(service(Some("/b"), "")), nothing, |_| false);
        assert_eq!((node.args.node_name.as_deref(), node.file()), (Some("barn"), Path::new("/a")));
    }

    #[test]
    fn a_node_of_another_service_manager_is_known_by_its_last_start() {
        let known = |config: &str, there: &[&str]| {
            let traces = |paths: &Paths| {
                assert_eq!(paths.run, Path::new("/tmp/run"), "the traces are looked for where the node runs");
                Traces { config: Some(config.into()), name: Some("mill".into()) }
            };
            let there = |path: &Path| there.iter().any(|there| path == Path::new(there));
            let node = resolve((paths("--run-dir=/tmp/run"), None), None, traces, there);
            assert_eq!(node.args.node_name.as_deref(), Some("mill"));
            node.args.config.map(|path| path.display().to_string())
        };
        assert_eq!(known("/own.yaml", &["/own.yaml", USUAL]).as_deref(), Some("/own.yaml"));
        assert_eq!(known("/own.yaml", &[USUAL]).as_deref(), Some(USUAL), "gone since");
        assert_eq!(known("own.yaml", &["own.yaml"]), None, "relative to nobody knows what");
    }

    #[test]
    fn what_the_service_has_installed_is_not_asked_of_the_running_node() {
        let installed = Some(service(None, ""));
        resolve((Places::default(), None), installed, |_| panic!("the service's words tell"), |_| false);
    }
}
