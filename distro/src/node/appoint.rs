//! How a controller becomes one of several: it asks once, keeps the answer whole before anything else, and lays it out from
//! there at every start until it is laid out. One that may make the cluster asks first whether there is one.

use std::time::Duration;

use skerry_formats::token::{JoinToken, Server};

use super::{
    joined,
    standing::{EnrolError, say, until_let_in},
};
use crate::{
    config::{NodeName, Raw, Settings},
    join::{self, Appointment, Candidate, Heard, Next, SILENCE, Silence, Start},
    link,
    paths::Paths,
    peers::{Company, Known},
    pki,
    supervisor::Board,
    sys::{
        accounts::Account,
        clock::Stopwatch,
        fs::{self, Access, FsError},
        machine::Machine,
    },
};

/// What a controller that joins is made from.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// Where things are.
    pub paths: &'a Paths,
    /// What the node is to be, as its owner wrote it.
    pub raw: &'a Raw,
    /// The same, checked.
    pub settings: &'a Settings,
    /// What the machine is.
    pub machine: &'a Machine,
}

/// What the cluster says that this controller is to be: `None` if it makes a cluster, or made one. Without an answer kept
/// from earlier, it asks with its token until it gets one.
///
/// # Errors
/// If the answer cannot be kept or contradicts what the owner wrote, or the node is part of another cluster.
pub async fn appoint(
    newcomer: Newcomer<'_>,
    token: Option<&JoinToken>,
    board: &Board,
) -> Result<Option<(Raw, Settings)>, EnrolError> {
    let Newcomer { paths, settings, .. } = newcomer;
    let kept = load(paths)?;
    let keys = fs::read_if_there(&paths.pki().join("ca.crt"))?;
    for certificate in kept.iter().map(|kept| &kept.identity.ca.certificate).chain(&keys) {
        same_cluster(certificate, token)?;
    }
    let start = join::start(joined::own(settings, paths, token.is_some().into()));
    let appointment = match (start, kept, token) {
        (Start::Joined, Some(kept), _) => kept,
        (Start::Joins, _, Some(token)) => join_with(newcomer, token, board).await?,
        (Start::Asks, _, Some(token)) => match is_there(token, board).await? {
            Next::Make => return Ok(None),
            Next::Join | Next::Ask => {
                fs::create_folder(&paths.data, Access::Public, Account::ROOT)?;
                fs::write(&paths.heard(), HEARD, Access::Public, Account::ROOT)?;
                join_with(newcomer, token, board).await?
            }
        },
        _ => return Ok(None),
    };
    lay_out(paths, &appointment)?;
    agreed(newcomer.raw, &settings.node, &appointment.config).map(Some)
}

/// What the note says to people.
const HEARD: &[u8] = b"a controller of the cluster has answered: this one joins it, and makes none of its own\n";

async fn join_with(newcomer: Newcomer<'_>, token: &JoinToken, board: &Board) -> Result<Appointment, EnrolError> {
    let Newcomer { paths, settings, machine, .. } = newcomer;
    let candidate = Candidate { peer: settings.peer_address().unwrap_or(machine.address) };
    let given = until_let_in(board, || join::appoint(token, &settings.node, candidate)).await;
    save(paths, &given)?;
    tracing::info!(node = %settings.node, "joined as a controller");
    Ok(given)
}

/// The pause between two rounds of questions.
const PAUSE: Duration = Duration::from_secs(2);

/// Asks the controllers that a token names until one answers, or none has for long enough.
async fn is_there(token: &JoinToken, board: &Board) -> Result<Next, EnrolError> {
    let (clock, mut silence) = (Stopwatch::start(), Silence::default());
    loop {
        let begun = clock.elapsed();
        let heard = join::probe(&token.servers, token.authority).await?;
        let (then, next) = silence.after(&heard, (begun, clock.elapsed()));
        silence = then;
        match next {
            Next::Ask => {}
            Next::Join => tracing::info!("the cluster is there: this controller joins it"),
            Next::Make => tracing::info!("no other controller answers: this one makes the cluster"),
        }
        if next != Next::Ask {
            return Ok(next);
        }
        let text = waits_for(token, &heard);
        if say(board, &text) {
            tracing::info!("{text}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn waits_for(token: &JoinToken, heard: &[Heard]) -> String {
    let servers: Vec<&str> = token.servers.iter().map(Server::as_str).collect();
    let servers = servers.join(", ");
    if heard.contains(&Heard::Noise) {
        return format!(
            "a controller at {servers}: something listens there and is none of this cluster's; the cluster is made once \
             nothing does"
        );
    }
    format!("a controller at {servers}; if none answers for {} s, this one makes the cluster", SILENCE.as_secs())
}

fn same_cluster(certificate: &str, token: Option<&JoinToken>) -> Result<(), EnrolError> {
    match token {
        Some(token) if link::print_of(certificate)? != token.authority => Err(EnrolError::OtherCluster),
        _ => Ok(()),
    }
}

pub(super) fn load(paths: &Paths) -> Result<Option<Appointment>, EnrolError> {
    let path = paths.appointment();
    let Some(text) = fs::read_if_there(&path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|source| EnrolError::Damaged { path, source })
}

fn save(paths: &Paths, appointment: &Appointment) -> Result<(), EnrolError> {
    let path = paths.appointment();
    fs::create_folder(&paths.data, Access::Public, Account::ROOT)?;
    let text = serde_json::to_string(appointment);
    let text = text.map_err(|source| EnrolError::Damaged { path: path.clone(), source })?;
    Ok(fs::write(&path, text.as_bytes(), Access::Private, Account::ROOT)?)
}

/// What lies there already stays: it may be newer.
fn lay_out(paths: &Paths, appointment: &Appointment) -> Result<(), EnrolError> {
    let folder = paths.pki();
    let laid = |name: &str, text: &str, access| -> Result<(), FsError> {
        let path = folder.join(name);
        if fs::exists(&path) { Ok(()) } else { fs::write(&path, text.as_bytes(), access, Account::ROOT) }
    };
    fs::create_folder(&folder, Access::Private, Account::ROOT)?;
    if appointment.identity.etcd_ca.is_some() {
        fs::create_folder(&folder.join("etcd"), Access::Private, Account::ROOT)?;
    }
    if let (Some(keyring), None) = (&appointment.identity.keyring, pki::load_keyring(&folder)?) {
        pki::save_keyring(&folder, keyring)?;
    }
    for (name, text, access) in appointment.identity.files() {
        laid(name, text, access)?;
    }
    if !appointment.peers.is_empty() && !fs::exists(&paths.peers()) {
        Known { company: Company::Several, join: appointment.peers.clone() }.save(&paths.peers())?;
    }
    Ok(())
}

/// The owner's words here, over those of the cluster; where all controllers must say the same, they must.
pub(super) fn agreed(own: &Raw, node: &NodeName, cluster: &str) -> Result<(Raw, Settings), EnrolError> {
    let theirs = Raw::parse(cluster).map_err(EnrolError::Config)?;
    let merged = own.clone().over(theirs.clone()).map_err(EnrolError::Config)?;
    let name = node.as_str();
    let (ours, theirs) = (Settings::validate(&merged, name)?, Settings::validate(&theirs, name)?);
    match ours.differs(&theirs) {
        Some(key) => Err(EnrolError::Differs(key)),
        None => Ok((merged, ours)),
    }
}

#[cfg(test)]
mod tests {
    use super::{EnrolError, agreed};
    use crate::config::{MetricsServer, NodeName, Raw};

    fn mill() -> NodeName {
        "mill".parse().expect("valid")
    }

    fn metrics_server(ours: &str, cluster: &str) -> MetricsServer {
        agreed(&Raw::parse(ours).expect("well-formed"), &mill(), cluster).expect("agreed").1.metrics_server
    }

    #[test]
    fn what_may_change_later_is_the_owners_and_otherwise_as_it_was_at_the_join() {
        let (on, off) = ("spec: {metricsServer: {enabled: true}}", "spec: {metricsServer: {enabled: false}}");
        assert_eq!(metrics_server("", on), MetricsServer::On);
        assert_eq!(metrics_server(off, on), MetricsServer::Off);
        assert_eq!(metrics_server(on, ""), MetricsServer::On);
    }

    #[test]
    fn what_cannot_change_must_be_alike() {
        let ours = Raw::parse("spec: {network: {podCIDR: 10.42.0.0/16}}").expect("well-formed");
        let refused = agreed(&ours, &mill(), "spec: {network: {podCIDR: 10.43.0.0/16}}");
        assert!(matches!(refused, Err(EnrolError::Differs("spec.network.podCIDR"))), "{refused:?}");
    }
}
