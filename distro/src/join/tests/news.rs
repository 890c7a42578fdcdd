//! A member asks for news, and controllers answer.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rustls::ServerConfig;
use serde::de::DeserializeOwned;
use skerry_formats::{
    role::Role,
    token::{JoinToken, Server},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::authority;
use crate::{
    join::{
        Admission, Answer, AskError, Certificates, JoinRequest, Membership, PrivateKeys, Refusal, RenewRequest, news,
        read, write,
    },
    link::{Answering, Credentials, Front, print_of},
    pki::{Authority, CONTROLLER_NAME, LeafRequest, kubelet_client, kubelet_server},
    sys::clock::{self, Stopwatch},
};

fn member(ca: &Authority, servers: Vec<Server>) -> Membership {
    let (node, keys) = ("barn".parse().expect("a name"), PrivateKeys::generate().expect("randomness"));
    let request = keys.requests().expect("requests");
    let certificate = ca.certify(&request.node, &kubelet_client(&node), clock::now()).expect("signed");
    let certificates = Certificates { node: certificate.clone(), server: certificate.clone(), proxy: certificate };
    let (config, authority) = ("before".to_owned(), ca.certificate.clone());
    Membership { node, keys, admission: Admission { authority, certificates, lifetime: 100, config, servers } }
}

async fn listener() -> (TcpListener, Server) {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a port");
    let server = listener.local_addr().expect("bound").to_string().parse().expect("valid");
    (listener, server)
}

async fn closed() -> Server {
    listener().await.1
}

/// A controller that gives everyone who renews the same answer.
async fn controller(ca: &Authority, answer: Answer) -> Server {
    serve::<RenewRequest>(ca, answer, |keys| keys.renew.clone()).await
}

async fn serve<T: DeserializeOwned + Send>(
    ca: &Authority,
    answer: Answer,
    of: impl Fn(&Answering) -> Arc<ServerConfig>,
) -> Server {
    let name = "tower".parse().expect("a name");
    let request = LeafRequest { dns_names: vec![CONTROLLER_NAME.to_owned()], ..kubelet_server(&name) };
    let leaf = ca.issue(&request, clock::now()).expect("issued");
    let keys = of(&Front::keys(&Credentials { authority: ca.certificate.clone(), leaf }).expect("keys"));
    let (listener, server) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = TlsAcceptor::from(keys.clone()).accept(stream).await else { continue };
            let _asked: T = read(&mut stream).await.expect("a request");
            write(&mut stream, &answer).await.expect("heard");
        }
    });
    server
}

/// What a controller says whose owner has changed the configuration.
fn changed(ca: &Authority) -> Answer {
    Answer::Admitted(Box::new(Admission { config: "after".to_owned(), ..member(ca, Vec::new()).admission }))
}

#[tokio::test]
async fn news_come_from_the_first_that_answers_and_the_silent_cost_no_time() {
    let ca = authority();
    // The kernel takes connections for a listener that never looks at them.
    let (stuck, silent) = listener().await;
    let waiting = controller(&ca, Answer::Refused(Refusal::NotYet { why: "it starts".to_owned() })).await;
    let good = controller(&ca, changed(&ca)).await;
    let servers = vec![closed().await, silent, waiting, good];
    let (member, clock) = (member(&ca, servers.clone()), Stopwatch::start());
    let news = news(&member, None).await.expect("an answer");
    assert!(clock.elapsed().as_secs() < 3, "{:?}", clock.elapsed());
    assert_eq!((news.admission.config.as_str(), news.admission.servers), ("after", servers));
    assert_eq!((news.keys, news.node), (member.keys, member.node));
    drop(stuck);
}

#[tokio::test]
async fn a_refusal_is_told_and_silence_ends() {
    let (ca, other) = (authority(), authority());
    let refusing = controller(&ca, Answer::Refused(Refusal::UnknownNode)).await;
    let refused = news(&member(&ca, vec![closed().await, refusing.clone()]), None).await.expect_err("refused");
    assert!(matches!(refused, AskError::Refused { server, why: Refusal::UnknownNode } if server == refusing));
    let stranger = controller(&other, changed(&other)).await;
    let none = news(&member(&ca, vec![closed().await, stranger]), None).await.expect_err("nobody");
    assert!(matches!(none, AskError::Unreachable(_)), "{none}");
    let (stuck, silent) = listener().await;
    let (clock, late) = (Stopwatch::start(), news(&member(&ca, vec![silent]), None).await.expect_err("no answer"));
    assert_eq!(late.to_string(), "no controller answers: no answer within 5 s");
    assert!(clock.elapsed().as_secs() < 10);
    drop(stuck);
}

#[tokio::test]
async fn whom_the_cluster_has_forgotten_is_let_in_again_by_its_token() {
    let ca = authority();
    let forgot = controller(&ca, Answer::Refused(Refusal::UnknownNode)).await;
    let token = |server| JoinToken {
        role: Role::Worker,
        id: "abc123".parse().expect("valid"),
        secret: "0123456789abcdef".parse().expect("valid"),
        authority: print_of(&ca.certificate).expect("a print"),
        servers: vec![server],
    };
    let lets_in = serve::<JoinRequest>(&ca, changed(&ca), |keys| keys.join.clone()).await;
    let member = member(&ca, vec![forgot]);
    let again = news(&member, Some(&token(lets_in))).await.expect("let in");
    assert_eq!(
        (again.admission.config.as_str(), again.keys, again.node),
        ("after", member.keys.clone(), member.node.clone())
    );
    let over = Answer::Refused(Refusal::Expired { on: "2026-01-01T00:00:00Z".to_owned() });
    let refuses = serve::<JoinRequest>(&ca, over, |keys| keys.join.clone()).await;
    let refused = news(&member, Some(&token(refuses))).await.expect_err("refused");
    assert!(matches!(refused, AskError::Refused { why: Refusal::Expired { .. }, .. }));
}
