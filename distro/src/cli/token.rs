//! `sk8s token`.

use std::{path::PathBuf, time::Duration};

use clap::Subcommand;
use skerry_formats::{
    role::Role,
    token::{JoinToken, Server, TokenId, Validity},
};

use super::{own_node::OwnNode, verbs::CliError};
use crate::{
    api::{ApiError, Client},
    config::{San, Settings},
    join::{BadRecord, SECRETS, TokenRecord},
    link,
    pki::{self, Identity, PkiError, UnixTime, admin},
    sys::{addresses::sought, clock, fs, machine},
};

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token and print it
    Create {
        /// What the joining node will be
        #[arg(long, default_value = "worker")]
        role: Role,
        /// How long it is good, as in 30m, 100h or 7d; 0 is for ever
        #[arg(long, default_value = "24h")]
        expiry: Validity,
        /// Controllers to join at [default: spec.api.externalAddress and this node's addresses]
        #[arg(long = "server", value_name = "HOST[:PORT]")]
        servers: Vec<Server>,
        /// Wait until the cluster's keys are made and the API answers
        #[arg(long)]
        wait: bool,
    },
    /// List tokens
    List {
        /// Only those for this role
        #[arg(long)]
        role: Option<Role>,
    },
    /// End tokens: nobody joins with them any more, and who has joined stays
    Invalidate {
        /// Ids, or whole tokens
        #[arg(required = true, value_name = "ID|TOKEN")]
        tokens: Vec<String>,
    },
    /// Make a token without a cluster: prints it, and writes the file that makes it known
    PreShared {
        /// The cluster authority's certificate
        #[arg(long, value_name = "FILE")]
        cert: PathBuf,
        /// Controllers to join at
        #[arg(long = "server", value_name = "HOST[:PORT]", required = true)]
        servers: Vec<Server>,
        /// What the joining node will be
        #[arg(long, default_value = "worker")]
        role: Role,
        /// How long it is good, as in 30m, 100h or 7d; 0 is for ever
        #[arg(long, default_value = "0")]
        valid: Validity,
        /// Where to write the token's Secret, for `sk8s controller --tokens FILE` or `kubectl create -f FILE`
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// How long `--wait` waits between questions.
const AGAIN: Duration = Duration::from_millis(500);

/// Does it; what comes back is to be printed.
pub(super) fn obey(verb: TokenVerb, node: &OwnNode) -> Result<String, CliError> {
    match verb {
        TokenVerb::Create { role, expiry, servers, wait } => {
            let (identity, settings) = if wait { awaited(node)? } else { identity(node)? };
            let client = client(&identity)?;
            let servers = if servers.is_empty() { own_servers(&settings)? } else { servers };
            let record = TokenRecord::generate(role, ends(expiry))?;
            let tell = |client: &Client| client.apply(&TokenRecord::path(&record.id), &record.object());
            // At its first start the API answers before it has made the namespace that tokens are in.
            if wait {
                while let Err(ApiError::Unreachable(_) | ApiError::Refused { status: 404 | 500.., .. }) = tell(&client)
                {
                    clock::sleep(AGAIN);
                }
            }
            tell(&client)?;
            token(&record, &identity.ca.certificate, servers)
        }
        TokenVerb::List { role } => list(&client(&identity(node)?.0)?, role),
        TokenVerb::Invalidate { tokens } => {
            let client = client(&identity(node)?.0)?;
            let mut said = String::new();
            for text in tokens {
                let id = id(&text)?;
                let known = client.delete(&TokenRecord::path(&id))?;
                said.push_str(&format!("{id}: {}\n", if known { "ended" } else { "there is no such token" }));
            }
            Ok(said)
        }
        TokenVerb::PreShared { cert, servers, role, valid, out } => {
            let record = TokenRecord::generate(role, ends(valid))?;
            let certificate = fs::read_to_string(&cert)?;
            let token = token(&record, &certificate, servers)?;
            let text = format!("{:#}\n", record.object());
            fs::write(&out, text.as_bytes(), fs::Access::Private, machine::account())?;
            Ok(token)
        }
    }
}

fn token(record: &TokenRecord, certificate: &str, servers: Vec<Server>) -> Result<String, CliError> {
    let TokenRecord { role, id, secret, .. } = record.clone();
    let token = JoinToken { role, id, secret, authority: link::print_of(certificate)?, servers };
    // What is printed is what a node will read: a role that nobody joins as, or no server, ends here.
    let checked: JoinToken = token.to_string().parse()?;
    Ok(format!("{checked}\n"))
}

fn ends(Validity(length): Validity) -> Option<UnixTime> {
    length.map(|length| UnixTime(clock::now().floored().0.saturating_add(length.as_secs())))
}

/// The cluster's keys, which a controller has, and what the node is.
pub(super) fn identity(node: &OwnNode) -> Result<(Identity, Settings), CliError> {
    let folder = node.paths().pki();
    if !fs::exists(&folder.join("ca.key")) {
        return Err(CliError::NoCluster(folder));
    }
    Ok((pki::load(&folder)?, node.settings()?))
}

/// The same, once the service has made them.
fn awaited(node: &OwnNode) -> Result<(Identity, Settings), CliError> {
    loop {
        match identity(node) {
            Err(CliError::NoCluster(_) | CliError::Pki(PkiError::NotMade(_))) => clock::sleep(AGAIN),
            other => return other,
        }
    }
}

pub(super) fn client(identity: &Identity) -> Result<Client, CliError> {
    let leaf = identity.ca.issue(&admin(), clock::now())?;
    Ok(Client::new(&identity.ca.certificate, &leaf)?)
}

/// Where others reach this node: first what stands before all controllers, if the owner named that.
fn own_servers(settings: &Settings) -> Result<Vec<Server>, CliError> {
    let external = settings.api.external.as_ref().and_then(|host| match host {
        San::Ip(ip) => link::server(*ip),
        San::Dns(_) => host.to_string().parse().ok(),
    });
    let wish = settings.node_address.as_ref();
    let own = machine::observe(wish).map(|machine| link::servers(&machine.addresses, machine.address));
    let servers: Vec<Server> = external.into_iter().chain(own.into_iter().flatten()).collect();
    if servers.is_empty() { Err(CliError::NoAddress(sought(wish))) } else { Ok(servers) }
}

fn id(text: &str) -> Result<TokenId, CliError> {
    match text.parse::<JoinToken>() {
        Ok(token) => Ok(token.id),
        Err(_) => Ok(text.parse()?),
    }
}

fn list(client: &Client, role: Option<Role>) -> Result<String, CliError> {
    let path = format!("{SECRETS}?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken");
    let all = client.get(&path)?.unwrap_or_default();
    let mut text = format!("{:<8}{:<12}{:<22}DESCRIPTION\n", "ID", "ROLE", "EXPIRES");
    for object in all["items"].as_array().into_iter().flatten() {
        let record = match TokenRecord::read(object) {
            Ok(Some(record)) if role.is_none_or(|role| role == record.role) => record,
            Ok(_) => continue,
            Err(error) => {
                text.push_str(&damaged(&error));
                continue;
            }
        };
        let expires = record.expires.map_or_else(|| "never".to_owned(), UnixTime::rfc3339);
        text.push_str(&format!("{:<8}{:<12}{expires:<22}{}\n", record.id, record.role.as_str(), record.description));
    }
    Ok(text)
}

fn damaged(error: &BadRecord) -> String {
    format!("damaged: {error}\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;

    use super::{OwnNode, awaited, identity};
    use crate::{
        cli::{args::Args, roles::NodeArgs, verbs::CliError},
        config::{Raw, Settings},
        pki::{Cluster, PkiError, load_or_make},
        sys::{clock, fs},
    };

    #[test]
    fn a_token_waits_for_the_keys_that_the_service_makes_and_makes_none() {
        let folder = tempfile::tempdir().expect("a folder");
        if !nix::unistd::getuid().is_root() {
            return;
        }
        let words = ["sk8s", "--data-dir", folder.path().to_str().expect("UTF-8"), "stop"];
        let node = OwnNode { places: Args::parse_from(words).places, args: NodeArgs::default() };
        assert!(matches!(identity(&node), Err(CliError::NoCluster(_))));
        let pki = node.paths().pki();
        let service = std::thread::spawn(move || {
            clock::sleep(Duration::from_millis(700));
            let settings = Settings::validate(&Raw::default(), "barn").expect("defaults");
            load_or_make(&pki, &settings, Cluster::New, clock::now()).expect("made")
        });
        let (seen, _) = awaited(&node).expect("made by the service");
        assert_eq!(seen, service.join().expect("made"));
        fs::remove_file(&node.paths().pki().join("sa.key")).expect("removed");
        fs::remove_file(&node.paths().pki().join("sa.pub")).expect("removed");
        assert!(matches!(identity(&node), Err(CliError::Pki(PkiError::NotMade(_)))));
    }
}
