//! `sk8s install`, `start`, `stop`.

use std::{ffi::OsString, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, Parser as _, ValueHint, parser::ValueSource};

use super::{
    CliError,
    args::{Args, Places},
};
use crate::{
    service::{self, Begin, Existing, Manner, Order, ServiceRole, Variable},
    sysinfo::{self, Purpose, Verdict},
};

/// The flags of `install` itself, besides those of the role.
const OWN: [&str; 3] = ["force", "env", "start"];

/// The whole command line, with each role's own verb, as it stands, below `install`.
pub(super) fn command() -> Command {
    let whole = Args::command();
    let roles: Vec<Command> =
        ServiceRole::ALL.iter().filter_map(|role| whole.find_subcommand(role.verb())).map(with_own).collect();
    whole.mut_subcommand("install", |old| {
        let about = old.get_about().cloned().unwrap_or_default();
        Command::new("install").about(about).subcommand_required(true).arg_required_else_help(true).subcommands(roles)
    })
}

fn with_own(role: &Command) -> Command {
    let own = [
        Arg::new(OWN[0]).long(OWN[0]).action(ArgAction::SetTrue).help("Write over a service that says something else"),
        Arg::new(OWN[1])
            .long(OWN[1])
            .short('e')
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .value_parser(|text: &str| text.parse::<Variable>())
            .help("A variable of the service's environment, such as HTTPS_PROXY"),
        Arg::new(OWN[2]).long(OWN[2]).action(ArgAction::SetTrue).help("Start it at once"),
    ];
    role.clone().about(format!("Install a service that runs `sk8s {}`", role.get_name())).args(own)
}

/// What was asked for.
#[derive(Debug)]
struct Asked {
    role: ServiceRole,
    words: Vec<String>,
    env: Vec<Variable>,
    manner: Manner,
}

/// Reads the words after `install`. A role's flags are checked by the role's own verb, and end up in the service in one
/// form: `--flag=value`, paths absolute, since a service starts in `/`.
fn read(line: &[OsString], folder: &Path) -> Result<Asked, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(line)?;
    let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
    let (_, install) = matches.subcommand().ok_or_else(missing)?;
    let (verb, given) = install.subcommand().ok_or_else(missing)?;
    let role = ServiceRole::of_verb(verb).ok_or_else(missing)?;
    let known =
        command.find_subcommand("install").and_then(|install| install.find_subcommand(verb)).ok_or_else(missing)?;
    let mut words = vec![verb.to_owned()];
    for arg in known.get_arguments().filter(|arg| !OWN.contains(&arg.get_id().as_str())) {
        words.extend(said(arg, given, folder));
    }
    Args::try_parse_from(std::iter::once("sk8s".to_owned()).chain(words.iter().cloned()))?;
    let existing = if given.get_flag(OWN[0]) { Existing::Replace } else { Existing::Keep };
    let begin = if given.get_flag(OWN[2]) { Begin::Now } else { Begin::Later };
    let env = given.get_many(OWN[1]).into_iter().flatten().cloned().collect();
    Ok(Asked { role, words, env, manner: Manner { existing, begin } })
}

/// A flag as it was given on the command line; nothing if it was not.
fn said(arg: &Arg, given: &ArgMatches, folder: &Path) -> Vec<String> {
    let id = arg.get_id().as_str();
    if given.try_contains_id(id).is_err() || given.value_source(id) != Some(ValueSource::CommandLine) {
        return Vec::new();
    }
    let flag =
        arg.get_long().map(|long| format!("--{long}")).or_else(|| arg.get_short().map(|short| format!("-{short}")));
    if matches!(arg.get_action(), ArgAction::Count) {
        return flag.into_iter().cycle().take(given.get_count(id).into()).collect();
    }
    if !arg.get_action().takes_values() {
        return flag.into_iter().collect();
    }
    let is_path = matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath);
    let values = given.get_raw(id).into_iter().flatten().map(|value| match is_path && value != "-" {
        true => folder.join(value).display().to_string(),
        false => value.to_string_lossy().into_owned(),
    });
    match &flag {
        Some(flag) => values.map(|value| format!("{flag}={value}")).collect(),
        None => values.collect(),
    }
}

impl Asked {
    /// What the machine is to be.
    fn purpose(&self) -> Purpose {
        let works = |word: &String| word == "--single" || word == "--enable-worker";
        match self.role {
            ServiceRole::Worker => Purpose::Worker,
            ServiceRole::Controller if self.words.iter().any(works) => Purpose::Both,
            ServiceRole::Controller => Purpose::Controller,
        }
    }
}

/// Says on standard error why it will not run here, if so. It may still be installed: the machine may be made fit later, or be the
/// image of another.
fn warn(places: &Places, purpose: Purpose) {
    let checks = sysinfo::judge(&sysinfo::observe(&places.clone().paths()), purpose);
    for check in checks.iter().filter(|check| check.verdict == Verdict::Fail) {
        eprintln!("warning: {}: {}", check.name, check.found);
        if let Some(advice) = &check.advice {
            eprintln!("  hint: {advice}");
        }
    }
}

/// Installs, and tells what was made.
pub(super) fn install(places: &Places, words: &[OsString]) -> Result<String, CliError> {
    let here =
        std::env::current_dir().map_err(|source| CliError::System("see the folder that this is run in", source))?;
    let line: Vec<OsString> = [&["sk8s".into()], &places.words()[..], &["install".into()], words].concat();
    let asked = read(&line, &here).unwrap_or_else(|error| error.exit());
    administrator()?;
    warn(places, asked.purpose());
    let own = std::env::current_exe().map_err(|source| CliError::System("see which program this is", source))?;
    let mut order = Order::new(asked.role, own, asked.words).map_err(service::ServiceError::from)?;
    order.env = asked.env;
    let found = service::observe(order.role)?;
    let steps = service::plan(&order, &found, asked.manner)?;
    let control = service::Control { init: found.init, role: order.role };
    let mut told = String::new();
    for step in &steps {
        service::carry_out(control, step)?;
        told.push_str(&format!("{step}\n"));
    }
    told.push_str(&match (steps.is_empty(), asked.manner.begin) {
        (true, _) => format!("{}: installed already\n", order.role),
        (false, Begin::Now) => "`sk8s status` says how it is\n".to_owned(),
        (false, Begin::Later) => "`sk8s start` starts it\n".to_owned(),
    });
    Ok(told)
}

/// Starts the service.
pub(super) fn start() -> Result<String, CliError> {
    administrator()?;
    Ok(format!("{}: started; `sk8s status` says how it is\n", service::start()?.role))
}

/// Stops the service.
pub(super) fn stop() -> Result<String, CliError> {
    administrator()?;
    Ok(format!("{}: stopped; pods run on until the machine or `sk8s reset` ends them\n", service::stop()?.role))
}

fn administrator() -> Result<(), CliError> {
    if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(service::ServiceError::NotRoot.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, clap::Error> {
        let line: Vec<OsString> = std::iter::once("sk8s").chain(line.split(' ')).map(Into::into).collect();
        read(&line, Path::new("/home/user"))
    }

    #[test]
    fn the_machine_is_judged_for_what_it_is_to_be() {
        let purpose = |line| asked(line).map(|asked| asked.purpose()).ok();
        assert_eq!(purpose("install controller"), Some(Purpose::Controller));
        assert_eq!(purpose("install controller --single"), Some(Purpose::Both));
        assert_eq!(purpose("install controller --enable-worker --start"), Some(Purpose::Both));
        assert_eq!(purpose("install worker --token-file token"), Some(Purpose::Worker));
    }

    #[test]
    fn a_roles_flags_are_the_services() {
        let asked =
            asked("--data-dir data install controller --force --single -c sk8s.yaml -e A=b --node-name barn --start")
                .expect("valid");
        assert_eq!(
            asked.words,
            [
                "controller",
                "--single",
                "--config=/home/user/sk8s.yaml",
                "--node-name=barn",
                "--data-dir=/home/user/data"
            ]
        );
        assert_eq!(asked.manner, Manner { existing: Existing::Replace, begin: Begin::Now });
        assert_eq!(asked.env, ["A=b".parse().expect("a variable")]);
        assert_eq!(asked.role, ServiceRole::Controller);
    }

    #[test]
    fn a_flag_that_the_role_has_not_is_refused_now_and_not_at_boot() {
        for line in [
            "install controller --sngle",
            "install kubectl",
            "install",
            "install controller -e 1",
            "install controller --config",
        ] {
            let error = asked(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}: {error}");
        }
    }

    #[test]
    fn the_whole_command_line_is_consistent() {
        command().debug_assert();
    }
}
