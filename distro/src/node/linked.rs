//! Joins the node to others, and holds what they must be told when it changes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use skerry_formats::token::Server;
use tokio::{net::TcpListener, sync::watch};

use super::{
    prepare::{Keys, NodeError, Prepared},
    standing::Standing,
};
use crate::{
    api::Client,
    component::{self, ComponentId},
    join::{Admitter, Office},
    link::{self, Credentials, Front, Needs, Own, PORT, Registry, Servers, TlsError, Ways},
    pki::LeafId,
    supervisor::chain,
    sys::net,
};

/// What changes while a node runs, each to be watched by who needs it.
#[derive(Debug)]
pub struct Lines {
    /// The API.
    pub client: watch::Sender<Client>,
    own: watch::Sender<Own>,
    servers: watch::Sender<Vec<Server>>,
    end: Line,
}

/// Which end of the link this node has.
#[derive(Debug)]
enum Line {
    Controller { front: Box<Front>, keys: watch::Sender<std::sync::Arc<link::Answering>> },
    Worker { credentials: watch::Sender<Credentials> },
}

/// Starts the node's end of the link. On a worker the API is there from now on, wherever it really is.
///
/// # Errors
/// If the keys are damaged, or the API's port on a worker's loopback is taken.
pub fn link(node: &Prepared, keys: Keys) -> Result<Lines, NodeError> {
    let own = watch::Sender::new(node.own());
    let client = watch::Sender::new(keys.client);
    match &node.standing {
        Standing::Owner(identity) => {
            let servers = watch::Sender::new(link::servers(&node.machine.addresses, node.machine.address));
            let answering = watch::Sender::new(Front::keys(&keys.link)?);
            let registry = Registry::default();
            let admitter = node.duty.admits().then(|| {
                Admitter::new(Office {
                    authority: identity.ca.clone(),
                    config: node.shared.clone(),
                    lifetime: node.settings.api.lifetimes.leaf,
                    reserved: LeafId::ApiServer.request(&node.settings, &node.machine).dns_names,
                    servers: servers.subscribe(),
                    client: client.subscribe(),
                })
            });
            let mut front = Front::new(answering.subscribe(), registry.clone(), admitter);
            front.listen(&node.machine.addresses);
            let ways = Ways { duty: node.duty, own: own.subscribe(), registry };
            let owner = component::account(&node.settings, &node.machine, ComponentId::KubeApiserver);
            let socket = node.paths.egress_socket();
            tokio::spawn(async move {
                if let Err(error) = link::serve_egress(&socket, owner, ways).await {
                    tracing::error!(error = %chain(&error), "logs, exec and webhooks will not work");
                }
            });
            Ok(Lines { client, own, servers, end: Line::Controller { front: Box::new(front), keys: answering } })
        }
        Standing::Member(member) => {
            let servers = watch::Sender::new(member.admission.servers.clone());
            let credentials = watch::Sender::new(keys.link);
            let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);
            let listener = net::listen(local).and_then(TcpListener::from_std).map_err(NodeError::Port)?;
            let list = servers.subscribe();
            tokio::spawn(async move {
                if let Err(error) = link::balance(listener, list).await {
                    tracing::error!(%error, "the API is out of reach");
                }
            });
            let needs = Needs { credentials: credentials.subscribe(), own: own.subscribe() };
            tokio::spawn(link::keep(servers.subscribe(), needs, Servers::default()));
            Ok(Lines { client, own, servers, end: Line::Worker { credentials } })
        }
    }
}

impl Lines {
    /// Tells of the node's addresses, where they are others than before.
    pub fn moved(&mut self, node: &Prepared) {
        let own = node.own();
        let news = self.own.send_if_modified(|known| {
            let news = known.addresses != own.addresses;
            *known = own;
            news
        });
        if let Line::Controller { front, .. } = &mut self.end {
            if news {
                self.servers.send_replace(link::servers(&node.machine.addresses, node.machine.address));
            }
            front.listen(&node.machine.addresses);
        }
    }

    /// Gives out new keys.
    ///
    /// # Errors
    /// If they are damaged; then the ones before stay in use.
    pub fn rekey(&self, keys: Keys) -> Result<(), TlsError> {
        match &self.end {
            Line::Controller { keys: answering, .. } => {
                answering.send_replace(Front::keys(&keys.link)?);
            }
            Line::Worker { credentials } => {
                credentials.send_replace(keys.link);
            }
        }
        self.client.send_replace(keys.client);
        Ok(())
    }

    /// Tells where controllers are.
    pub fn servers(&self, servers: &[Server]) {
        self.servers.send_if_modified(|known| {
            let news = known != servers;
            known.clear();
            known.extend_from_slice(servers);
            news
        });
    }
}
