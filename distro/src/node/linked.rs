//! Joins the node to others, and holds what they must be told when it changes.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use skerry_formats::token::Server;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

use super::{
    controllers,
    council::{self, Tending, Wish},
    prepare::{Keys, NodeError, Prepared},
    roster,
    standing::Standing,
};
use crate::{
    api::Client,
    component::{self, ComponentId},
    config::MetricsServer,
    join::{Admitter, Office},
    link::{self, Credentials, Front, Needs, Own, PORT, Reach, Registry, Servers, TlsError, Ways},
    peers::Company,
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
    /// Controllers as the cluster knows them.
    pub found: watch::Receiver<Vec<Server>>,
    end: Line,
}

/// Which end of the link this node has.
#[derive(Debug)]
enum Line {
    Controller(Box<Controller>),
    Worker { credentials: watch::Sender<Credentials>, links: Servers },
}

/// What a controller has of the link.
#[derive(Debug)]
struct Controller {
    front: Front,
    keys: watch::Sender<std::sync::Arc<link::Answering>>,
    /// Where etcd's members reach this one's.
    peer: watch::Sender<IpAddr>,
    company: watch::Sender<Company>,
    wishes: mpsc::Receiver<Wish>,
    /// Where pods run here too: the other controllers call this node over links of its own.
    node: Option<NodeEnd>,
}

#[derive(Debug)]
struct NodeEnd {
    others: watch::Sender<Vec<Server>>,
    credentials: watch::Sender<Credentials>,
}

/// Starts the node's end of the link. On a worker the API is there from now on, wherever it really is.
///
/// # Errors
/// If the keys are damaged, or the API's port on a worker's loopback is taken.
pub fn link(node: &Prepared, keys: Keys) -> Result<Lines, NodeError> {
    let own = watch::Sender::new(node.own());
    let client = watch::Sender::new(keys.client);
    let (tell, found) = watch::channel(Vec::new());
    if node.duty.admits() || !node.duty.controls() {
        tokio::spawn(controllers::follow(client.subscribe(), tell));
    }
    match &node.standing {
        Standing::Owner(identity) => {
            let servers = watch::Sender::new(link::servers(&node.machine.addresses, node.machine.address));
            let answering = watch::Sender::new(Front::keys(&keys.link)?);
            let registry = Registry::default();
            let (council, wishes) = council::council(node, identity);
            let admitter = node.duty.admits().then(|| {
                Admitter::new(Office {
                    authority: identity.ca.clone(),
                    config: node.shared.clone(),
                    lifetime: node.settings.api.lifetimes.leaf,
                    reserved: LeafId::ApiServer.request(&node.settings, &node.machine).dns_names,
                    servers: servers.subscribe(),
                    client: client.subscribe(),
                    council,
                })
            });
            let mut front = Front::new(answering.subscribe(), registry.clone(), admitter);
            front.listen(&node.machine.addresses);
            let ways = Ways { duty: node.duty, own: own.subscribe(), registry };
            egress(node, &ways);
            let (peer, company) = (watch::Sender::new(node.peer()), watch::Sender::new(node.known.company));
            if council::shares(&node.settings.storage) && node.duty.admits() {
                tokio::spawn(roster::keep(node.settings.node.clone(), peer.subscribe(), client.subscribe()));
            }
            if identity.etcd_ca.is_some() {
                let (identity, name) = (identity.clone(), node.settings.node.clone());
                let (address, company, api) = (peer.subscribe(), company.subscribe(), client.subscribe());
                tokio::spawn(council::tend(Tending { identity, name, address, company, api }));
            }
            let node = keys.node.filter(|_| node.duty.admits()).map(|credentials| {
                let end =
                    NodeEnd { others: watch::Sender::new(Vec::new()), credentials: watch::Sender::new(credentials) };
                let needs = Needs { credentials: end.credentials.subscribe(), own: own.subscribe() };
                tokio::spawn(link::keep(end.others.subscribe(), needs, Servers::default()));
                end
            });
            let controller = Controller { front, keys: answering, peer, company, wishes, node };
            Ok(Lines { client, own, servers, found, end: Line::Controller(Box::new(controller)) })
        }
        Standing::Member(member) => {
            let servers = watch::Sender::new(member.admission.servers.clone());
            let credentials = watch::Sender::new(keys.link);
            let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);
            let listener = net::listen(local).and_then(TcpListener::from_std).map_err(NodeError::Port)?;
            tokio::spawn(link::balance(listener, servers.subscribe()));
            let needs = Needs { credentials: credentials.subscribe(), own: own.subscribe() };
            let links = Servers::default();
            tokio::spawn(link::keep(servers.subscribe(), needs, links.clone()));
            Ok(Lines { client, own, servers, found, end: Line::Worker { credentials, links } })
        }
    }
}

/// Opens the ways by which components of this node call others.
fn egress(node: &Prepared, ways: &Ways) {
    let open = |socket: PathBuf, component, reach, without: &'static str| {
        let (owner, ways) = (component::account(&node.settings, &node.machine, component), ways.clone());
        tokio::spawn(async move {
            if let Err(error) = link::serve_egress(&socket, owner, reach, ways).await {
                tracing::error!(error = %chain(&error), "{without}");
            }
        });
        owner
    };
    let paths = &node.paths;
    let without = "logs, exec and webhooks will not work";
    let owner = open(paths.egress_socket(), ComponentId::KubeApiserver, Reach::All, without);
    let (hosts, known, others) = (paths.hosts(), ways.clone(), link::called_hosts(&node.settings));
    tokio::spawn(async move { link::keep_hosts(&hosts, owner, known, others).await });
    if node.settings.metrics_server == MetricsServer::On {
        let without = "what nodes and pods use will not be known";
        open(paths.kubelets_socket(), ComponentId::MetricsServer, Reach::Kubelets, without);
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
        if news && matches!(self.end, Line::Controller(_)) {
            self.controllers(node);
        }
        if let Line::Controller(controller) = &mut self.end {
            controller.peer.send_if_modified(|known| std::mem::replace(known, node.peer()) != node.peer());
            controller
                .company
                .send_if_modified(|known| std::mem::replace(known, node.known.company) != node.known.company);
            controller.front.listen(&node.machine.addresses);
        }
    }

    /// Tells of the controllers that the cluster knows: a joining worker is told of all, and where pods run, the others are
    /// called.
    pub fn controllers(&self, node: &Prepared) {
        let own = link::servers(&node.machine.addresses, node.machine.address);
        let found = self.found.borrow().clone();
        let others: Vec<Server> = found.into_iter().filter(|server| !own.contains(server)).collect();
        if let Line::Controller(controller) = &self.end
            && let Some(end) = &controller.node
        {
            end.others.send_if_modified(|known| std::mem::replace(known, others.clone()) != others);
        }
        self.servers(&[own, others].concat());
    }

    /// The next wish to have this controller's member of etcd open; none on a worker.
    pub async fn wish(&mut self) -> Wish {
        let wish = match &mut self.end {
            Line::Controller(controller) => controller.wishes.recv().await,
            Line::Worker { .. } => None,
        };
        match wish {
            Some(wish) => wish,
            None => std::future::pending().await,
        }
    }

    /// Why a worker has no link with any controller; `None` if it has one. A controller needs none.
    pub fn trouble(&self) -> Option<String> {
        match &self.end {
            Line::Worker { links, .. } => links.trouble(),
            Line::Controller(_) => None,
        }
    }

    /// Gives out new keys.
    ///
    /// # Errors
    /// If they are damaged; then the ones before stay in use.
    pub fn rekey(&self, keys: Keys) -> Result<(), TlsError> {
        match &self.end {
            Line::Controller(controller) => {
                controller.keys.send_replace(Front::keys(&keys.link)?);
            }
            Line::Worker { credentials, .. } => {
                credentials.send_replace(keys.link);
            }
        }
        self.client.send_replace(keys.client);
        Ok(())
    }

    /// Gives out new keys of the node that a controller is as well.
    pub fn rekey_node(&self, keys: Credentials) {
        if let Line::Controller(controller) = &self.end
            && let Some(end) = &controller.node
        {
            end.credentials.send_replace(keys);
        }
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
