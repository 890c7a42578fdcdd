//! Who believes whom, over real TLS in memory.

use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};

use rustls::{ClientConfig, ServerConfig};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{
    Needs, Own, Ranges, Servers, keep,
    mux::{self, End},
    tls::{Credentials, answering, controller_name, is_foreign, joining, key_of, linking, node_of, print_of, renewing},
};
use crate::{
    config::{Lifetimes, NodeName},
    pki::{Authority, LeafRequest, UnixTime, key_print, kubelet_client, kubelet_server, signing_request},
    sys::clock,
};

/// A cluster's authority.
pub(super) fn authority() -> Authority {
    Authority::generate("farm", Lifetimes::default().authority, clock::now()).expect("an authority")
}

/// What a controller of it has.
pub(super) fn controller(ca: &Authority) -> Credentials {
    let request = LeafRequest {
        dns_names: vec![crate::pki::CONTROLLER_NAME.to_owned()],
        ..kubelet_server(&"tower".parse().expect("a name"))
    };
    Credentials { authority: ca.certificate.clone(), leaf: ca.issue(&request, clock::now()).expect("issued") }
}

fn node() -> NodeName {
    "barn".parse().expect("a name")
}

/// What a node of it has.
pub(super) fn member(ca: &Authority, now: UnixTime) -> Credentials {
    Credentials { authority: ca.certificate.clone(), leaf: ca.issue(&kubelet_client(&node()), now).expect("issued") }
}

/// Both ends; the node's name that the server saw.
async fn meet(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> io::Result<Option<NodeName>> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = controller_name().expect("a name");
    let called = async {
        let stream = TlsAcceptor::from(server).accept(far).await?;
        let certificates = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec);
        Ok::<_, io::Error>(certificates.and_then(|all| node_of(all.first()?)))
    };
    let (called, dialled) = tokio::join!(called, TlsConnector::from(client).connect(name, near));
    dialled?;
    called
}

#[tokio::test]
async fn a_token_leads_to_its_own_cluster_and_to_no_other() {
    let (ours, other) = (authority(), authority());
    let client = || joining(print_of(&ours.certificate).expect("a print")).expect("a client");
    let server = |ca: &Authority| answering(&controller(ca)).expect("a server").join;
    assert_eq!(meet(server(&ours), client()).await.expect("met"), None);
    let error = meet(server(&other), client()).await.expect_err("another cluster");
    assert!(error.to_string().contains("the controller is of another cluster than the token"), "{error}");
    assert!(is_foreign(&error) && !is_foreign(&io::ErrorKind::ConnectionRefused.into()));
}

#[tokio::test]
async fn only_a_controllers_certificate_passes_for_a_controller() {
    let ca = authority();
    let leaf = ca.issue(&kubelet_server(&node()), clock::now()).expect("issued");
    let pretender = answering(&Credentials { authority: ca.certificate.clone(), leaf }).expect("a server");
    let client = joining(print_of(&ca.certificate).expect("a print")).expect("a client");
    let error = meet(pretender.join, client).await.expect_err("no controller");
    assert!(!is_foreign(&error), "what shows our authority may be ours, and is no stranger");
    let linked = linking(&member(&ca, clock::now())).expect("a client");
    assert!(meet(pretender.link, linked).await.is_err());
}

#[tokio::test]
async fn a_link_is_for_members_whose_certificates_have_not_ended() {
    let (ca, other) = (authority(), authority());
    let server = || answering(&controller(&ca)).expect("a server").link;
    let good = linking(&member(&ca, clock::now())).expect("a client");
    assert_eq!(meet(server(), good).await.expect("met"), Some(node()));
    let ended = linking(&member(&ca, UnixTime(0))).expect("a client");
    assert!(meet(server(), ended).await.is_err(), "it ended a year after the clock floor");
    let foreign = Credentials { authority: ca.certificate.clone(), ..member(&other, clock::now()) };
    assert!(meet(server(), linking(&foreign).expect("a client")).await.is_err());
}

#[tokio::test]
async fn a_member_whose_certificates_have_ended_may_still_renew_them() {
    let (ca, other) = (authority(), authority());
    let server = || answering(&controller(&ca)).expect("a server").renew;
    let ended = renewing(&member(&ca, UnixTime(0))).expect("a client");
    assert_eq!(meet(server(), ended).await.expect("met"), Some(node()));
    let foreign = Credentials { authority: ca.certificate.clone(), ..member(&other, UnixTime(0)) };
    assert!(meet(server(), renewing(&foreign).expect("a client")).await.is_err());
}

#[test]
fn a_certificates_key_is_known_again_by_its_print() {
    let leaf = member(&authority(), clock::now()).leaf;
    let der = x509_parser::prelude::parse_x509_pem(leaf.certificate.as_bytes()).expect("PEM").1.contents;
    let print = key_print(&signing_request(&leaf.key).expect("a request")).expect("a print");
    assert_eq!(key_of(&der.into()), Some(print));
}

/// Lets a node keep a link to a controller for three seconds; why it has none then.
async fn trouble_of(member: Credentials, controller: Credentials) -> Option<String> {
    let keys = answering(&controller).expect("a server").link;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let server = listener.local_addr().expect("bound").to_string().parse().expect("valid");
    let called = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = TlsAcceptor::from(keys.clone()).accept(stream).await else { continue };
            let (give, _take) = mpsc::channel(4);
            let (_opener, driver) = mux::run(stream, End::Called, give);
            driver.await;
        }
    });
    let (pods, services) = ("10.244.0.0/16".parse().expect("valid"), "10.96.0.0/16".parse().expect("valid"));
    let own = Own { node: node(), addresses: Vec::new(), ranges: Ranges { pods, services, dual: None } };
    let (servers, credentials, own) =
        (watch::Sender::new(vec![server]), watch::Sender::new(member), watch::Sender::new(own));
    let (links, needs) = (Servers::default(), Needs { credentials: credentials.subscribe(), own: own.subscribe() });
    let kept = tokio::spawn(keep(servers.subscribe(), needs, links.clone()));
    tokio::time::sleep(Duration::from_secs(3)).await;
    kept.abort();
    called.abort();
    links.trouble()
}

#[tokio::test]
async fn a_link_counts_once_it_stands_and_not_where_the_controller_ends_it_at_once() {
    let ca = authority();
    let (good, ended) = tokio::join!(
        trouble_of(member(&ca, clock::now()), controller(&ca)),
        trouble_of(member(&ca, UnixTime(0)), controller(&ca)),
    );
    assert_eq!(good, None);
    assert!(ended.is_some_and(|why| why.contains("127.0.0.1")), "its certificate has ended");
}
