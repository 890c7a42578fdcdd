//! What the installed service was told.

use clap::{CommandFactory as _, FromArgMatches as _};

use super::{
    args::{Args, Places, Verb},
    roles::NodeArgs,
};
use crate::service::{self, ServiceError, ServiceRole};

/// What a service runs its node with.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// The folders that it names.
    pub places: Places,
    /// The node's flags.
    pub node: NodeArgs,
}

/// What the installed service was told; `None` where none is installed or its words make no sense.
///
/// # Errors
/// If its file is there and cannot be read.
pub(super) fn installed() -> Result<Option<Told>, ServiceError> {
    Ok(service::installed()?.and_then(|(_, words)| read(&words)))
}

/// Reads a service's words as they were typed.
fn read(words: &[String]) -> Option<Told> {
    // The caller's environment is not the service's: a token there would contradict the file with one that these words name.
    let command = ServiceRole::ALL.into_iter().fold(Args::command(), |command, role| {
        command.mut_subcommand(role.verb(), |verb| verb.mut_arg("token", |token| token.env(None::<&str>)))
    });
    let line = std::iter::once("sk8s").chain(words.iter().map(String::as_str));
    let matches = command.try_get_matches_from(line).ok()?;
    let Args { verb, places } = Args::from_arg_matches(&matches).ok()?;
    match verb {
        Verb::Controller(args) => Some(Told { places, node: args.into_node() }),
        Verb::Worker(args) => Some(Told { places, node: args.into_node() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Told, read};

    fn told(line: &str) -> Option<Told> {
        read(&line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_services_words_name_folders_and_flags() {
        let line = "controller --enable-worker --token-file=/etc/sk8s/token --config=/etc/a.yaml --node-name=barn --data-dir=/srv/sk8s";
        let Told { places, node } = told(line).expect("a controller");
        assert_eq!((node.config.as_deref(), node.node_name.as_deref()), (Some(Path::new("/etc/a.yaml")), Some("barn")));
        assert_eq!(places.data(), Path::new("/srv/sk8s"));
        let worker = told("worker --labels=a=b").expect("a worker");
        assert_eq!((worker.node.labels, worker.node.config), (vec!["a=b".to_owned()], None));
    }

    #[test]
    fn words_that_run_no_node_tell_nothing() {
        assert!(told("controller --flag-of-another-version").is_none());
        assert!(told("status").is_none());
    }
}
