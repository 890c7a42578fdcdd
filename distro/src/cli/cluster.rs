//! `sk8s cluster`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use skerry_formats::{
    arch::Arch,
    cluster::{self as file, Cluster},
    hint,
    seed::{HostName, Source},
    token::Server,
};

use super::{config::Format, reset::Manner};
use crate::{
    cluster::{
        self, Account, ClusterError, ConfigFile, Fleet, HostError, Need, Observed, Programs, Site, Step, missing,
        script, status,
    },
    sys::fs,
};

/// What to do with a cluster of Linux hosts.
#[derive(Debug, Subcommand)]
pub enum ClusterVerb {
    /// Make the hosts what their file says: install, join, configure, upgrade
    Apply {
        #[command(flatten)]
        hosts: Hosts,
        #[command(flatten)]
        work: Work,
        #[command(flatten)]
        uploads: Uploads,
    },
    /// Print the administrator's kubeconfig
    Kubeconfig {
        #[command(flatten)]
        hosts: Hosts,
        /// URL at which the API server is reached [default: the first controller's first address]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Say how the hosts are
    Status {
        #[command(flatten)]
        hosts: Hosts,
        /// As text for people, or as JSON
        #[arg(long, short, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Remove sk8s from the hosts, with all that it has made; pods, their data and backups there too
    Reset {
        #[command(flatten)]
        hosts: Hosts,
        #[command(flatten)]
        work: Work,
        #[command(flatten)]
        uploads: Uploads,
    },
    /// Print the file of hosts that a k0sctl.yaml is here, and say what is not carried over
    Import {
        /// k0sctl's file
        file: PathBuf,
    },
}

/// The file of hosts.
#[derive(Debug, clap::Args)]
pub struct Hosts {
    /// File of hosts (kind Cluster)
    #[arg(long = "hosts", value_name = "FILE")]
    file: PathBuf,
}

/// What is worked on, and how.
#[derive(Debug, clap::Args)]
pub struct Work {
    /// Only these hosts of the file
    #[arg(long = "host", value_name = "NAME")]
    only: Vec<HostName>,
    /// Only show what would be done
    #[arg(long)]
    explain: bool,
}

/// What is uploaded.
#[derive(Debug, clap::Args)]
pub struct Uploads {
    /// A sk8s to upload to hosts of an architecture [default: this program]
    #[arg(long = "binary", value_name = "ARCH=FILE", value_parser = program)]
    programs: Vec<(Arch, PathBuf)>,
}

impl Work {
    const fn manner(&self) -> Manner {
        if self.explain { Manner::Explain } else { Manner::Do }
    }
}

fn program(text: &str) -> Result<(Arch, PathBuf), String> {
    let (arch, path) = text.split_once('=').ok_or("wanted: `ARCH=FILE`")?;
    Ok((arch.parse().map_err(|error: skerry_formats::arch::UnknownArch| error.to_string())?, path.into()))
}

/// Does what was asked for.
///
/// # Errors
/// What went wrong; hosts that failed were told of.
pub fn obey(verb: &ClusterVerb) -> Result<(), ClusterError> {
    match verb {
        ClusterVerb::Apply { hosts, work, uploads } => {
            let cluster = read(&hosts.file)?;
            let picked = picked(&cluster, &work.only)?;
            let programs = cluster::find_programs(&uploads.programs)?;
            carry_out(&cluster, picked, &programs, (Purpose::Apply, work.manner()))
        }
        ClusterVerb::Kubeconfig { hosts, server } => kubeconfig(&read(&hosts.file)?, server.as_deref()),
        ClusterVerb::Status { hosts, output } => status_of(&read(&hosts.file)?, *output),
        ClusterVerb::Reset { hosts, work, uploads } => {
            let cluster = read(&hosts.file)?;
            let picked = picked(&cluster, &work.only)?;
            // Only a host that has lost its own needs one.
            let programs = cluster::find_some_programs(&uploads.programs)?;
            carry_out(&cluster, picked, &programs, (Purpose::Reset, work.manner()))
        }
        ClusterVerb::Import { file } => import(file),
    }
}

fn read(path: &Path) -> Result<Cluster, ClusterError> {
    let bytes = fs::read_bytes(path)?;
    cluster::read(&Source::new(path.display().to_string()), &bytes).map_err(ClusterError::Hosts)
}

/// The hosts that were named; all of them where none was.
fn picked(cluster: &Cluster, only: &[HostName]) -> Result<BTreeSet<HostName>, ClusterError> {
    let all = || cluster.spec.hosts.iter().map(|host| &host.name);
    if let Some(name) = only.iter().find(|name| !all().any(|known| known == *name)) {
        let near = hint::nearest(name.as_str(), all().map(HostName::as_str)).and_then(|near| near.parse().ok());
        return Err(ClusterError::NoSuchHost { name: name.clone(), near });
    }
    Ok(if only.is_empty() { all().cloned().collect() } else { only.iter().cloned().collect() })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Apply,
    Reset,
}

/// Looks at the picked hosts and at all controllers, plans, and does what is planned.
fn carry_out(
    cluster: &Cluster,
    picked: BTreeSet<HostName>,
    programs: &Programs,
    (purpose, manner): (Purpose, Manner),
) -> Result<(), ClusterError> {
    let account = Account::default();
    let wanted: BTreeMap<HostName, Need> = cluster
        .spec
        .hosts
        .iter()
        .filter(|host| host.role.controls() || picked.contains(&host.name))
        .map(|host| (host.name.clone(), if picked.contains(&host.name) { Need::Must } else { Need::May }))
        .collect();
    let (fleet, unreached) = Fleet::reach(cluster, &wanted)?;
    let missing = missing(&account, &unreached);
    if !missing.is_empty() {
        return Err(ClusterError::Failed(missing.into_iter().collect()));
    }
    let digests = programs.iter().map(|(arch, program)| (*arch, program.digest)).collect();
    let releases = programs.iter().filter_map(|(arch, program)| Some((*arch, program.release?))).collect();
    let observed = Observed { programs: digests, releases, hosts: fleet.seen(), picked, ..Observed::default() };
    let (observed, steps) = match purpose {
        Purpose::Apply => applying(cluster, observed, &account)?,
        Purpose::Reset => resetting(cluster, observed, (&fleet, &account))?,
    };
    if manner == Manner::Explain {
        return print(&steps.iter().map(|step| format!("{step}\n")).collect::<String>());
    }
    if steps.is_empty() {
        observed.picked.iter().for_each(|host| account.say(host, "nothing to do"));
    }
    Site { cluster, fleet: &fleet, programs, account: &account }.carry_out(&steps)
}

fn applying(cluster: &Cluster, observed: Observed, account: &Account) -> Result<(Observed, Vec<Step>), ClusterError> {
    let refused = cluster::judge(cluster, &observed);
    if !refused.is_empty() {
        return Err(ClusterError::Refused(refused));
    }
    let picked = |host: &&file::Host| cluster::is_configured(host) && observed.picked.contains(&host.name);
    for host in cluster.spec.hosts.iter().filter(picked) {
        let config = observed.hosts.get(&host.name).and_then(|seen| seen.config);
        if matches!(config, Some(ConfigFile::Foreign(_))) {
            account.say(&host.name, &format!("`{}` is the host's own, and stays as it is", cluster::CONFIG));
        }
    }
    let steps = cluster::plan(cluster, &observed);
    Ok((observed, steps))
}

/// A cluster that lives on is asked who is in it.
fn resetting(
    cluster: &Cluster,
    mut observed: Observed,
    (fleet, account): (&Fleet, &Account),
) -> Result<(Observed, Vec<Step>), ClusterError> {
    let refused = cluster::judge_reset(cluster, &observed);
    if !refused.is_empty() {
        return Err(ClusterError::Refused(refused));
    }
    match cluster::heir(cluster, &observed) {
        Some(heir) => match cluster::company(fleet, &heir.name) {
            Ok((nodes, members)) => (observed.nodes, observed.members) = (nodes, members),
            Err(error) => {
                cluster::tell(account, &heir.name, &error);
                return Err(ClusterError::Failed(vec![heir.name.clone()]));
            }
        },
        None => {
            let stays = cluster.spec.hosts.iter().filter(|host| !observed.picked.contains(&host.name));
            for host in stays.filter(|host| host.role.controls()) {
                account.say(&host.name, "cannot be asked to forget the hosts: their nodes stay in the cluster");
            }
        }
    }
    let steps = cluster::reset(cluster, &observed);
    Ok((observed, steps))
}

/// Reaches hosts of which none must be there.
fn glance(
    cluster: &Cluster,
    of: impl Fn(&file::Host) -> bool,
) -> Result<(Fleet, Vec<cluster::Unreached>), ClusterError> {
    let hosts = cluster.spec.hosts.iter().filter(|host| of(host));
    Fleet::reach(cluster, &hosts.map(|host| (host.name.clone(), Need::May)).collect())
}

fn kubeconfig(cluster: &Cluster, server: Option<&str>) -> Result<(), ClusterError> {
    let account = Account::default();
    let (fleet, unreached) = glance(cluster, |host| host.role.controls())?;
    let _none_must_be = missing(&account, &unreached);
    let first = cluster.servers().first().map(Server::url);
    let server = server.map(str::to_owned).or(first).unwrap_or_default();
    let found = fleet.hosts.iter().find(|(_, reached)| reached.seen.authority.is_some());
    let (name, reached) = found.ok_or(ClusterError::NoController)?;
    match reached.connection.run("print a kubeconfig", &script::kubeconfig(&server)) {
        Ok(text) => print(&text),
        Err(error) => {
            cluster::tell(&account, name, &error);
            Err(ClusterError::Failed(vec![name.clone()]))
        }
    }
}

fn status_of(cluster: &Cluster, output: Format) -> Result<(), ClusterError> {
    let (fleet, unreached) = glance(cluster, |_| true)?;
    let why = |host: &file::Host| {
        let error: Option<&HostError> =
            unreached.iter().find(|(name, ..)| *name == host.name).map(|(_, _, error)| error);
        error.map_or_else(|| "the file does not say how to reach it".to_owned(), ToString::to_string)
    };
    let rows =
        status::rows(cluster, |host| fleet.hosts.get(&host.name).map(|reached| &reached.seen).ok_or_else(|| why(host)));
    match output {
        Format::Text => print(&status::table(&rows)),
        Format::Json => print(&format!("{:#}\n", serde_json::json!({ "hosts": rows }))),
    }
}

fn import(path: &Path) -> Result<(), ClusterError> {
    let failed = |source| ClusterError::Import { path: path.to_owned(), source };
    let imported = cluster::import(&fs::read_to_string(path)?).map_err(failed)?;
    for remark in &imported.remarks {
        eprintln!("{}: {remark}", path.display());
    }
    print(&imported.text)
}

fn print(text: &str) -> Result<(), ClusterError> {
    std::io::stdout().write_all(text.as_bytes()).map_err(ClusterError::Write)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::args::Args;

    #[test]
    fn whatever_uploads_a_program_takes_one_for_another_architecture() {
        for verb in ["apply", "reset"] {
            let words = ["sk8s", "cluster", verb, "--hosts", "hosts.yaml", "--binary"];
            let parse = |value| Args::try_parse_from(words.into_iter().chain([value])).map(drop);
            assert!(parse("arm64=sk8s-arm64").is_ok(), "{verb}");
            let error = parse("sk8s-arm64").expect_err("no architecture").to_string();
            assert!(error.contains("wanted: `ARCH=FILE`"), "{verb}: {error}");
        }
    }
}
