//! A controller looks into its cluster and answers.

use std::{net::IpAddr, time::Duration};

use skerry_formats::role::Role;
use tokio::sync::{mpsc, watch};

use super::{api::Api, authority};
use crate::{
    join::{
        Admitter, Answer, Candidate, Council, JoinRequest, Office, PrivateKeys, Refusal, Seats, TokenRecord, Wants,
    },
    pki::Identity,
    sys::clock::{self, Stopwatch},
};

/// A controller and what is in its cluster.
struct Farm {
    api: Api,
    admitter: Admitter,
}

impl Farm {
    fn new(seats: Seats) -> Self {
        let api = Api::default();
        for role in [Role::Worker, Role::Controller] {
            let record = token(role);
            api.put(&TokenRecord::path(&record.id), &record.object());
        }
        let identity = Identity::generate(&"farm".parse().expect("a name"), clock::now()).expect("randomness");
        let office = Office {
            authority: authority(),
            config: String::new(),
            lifetime: Duration::from_secs(86_400),
            reserved: vec!["tower".to_owned()],
            servers: watch::Sender::new(Vec::new()).subscribe(),
            client: watch::Sender::new(api.serve()).subscribe(),
            council: Council { identity, config: String::new(), seats },
        };
        Self { api, admitter: Admitter::new(office) }
    }

    async fn join(&self, node: &str, wants: Wants) -> Answer {
        let TokenRecord { id, secret, .. } = token(wants.role());
        let node = node.parse().expect("a name");
        self.admitter.join(JoinRequest { node, token: id, secret, wants }).await
    }
}

fn token(role: Role) -> TokenRecord {
    TokenRecord {
        id: if role == Role::Worker { "worker" } else { "contro" }.parse().expect("valid"),
        secret: "0123456789abcdef".parse().expect("valid"),
        role,
        expires: None,
        description: String::new(),
    }
}

fn worker(keys: &PrivateKeys) -> Wants {
    Wants::Worker(keys.requests().expect("requests"))
}

fn controller(peer: impl Into<IpAddr>) -> Wants {
    Wants::Controller(Candidate { peer: peer.into() })
}

fn keys() -> PrivateKeys {
    PrivateKeys::generate().expect("randomness")
}

/// What came of it, in a word.
fn word(answer: &Answer) -> String {
    match answer {
        Answer::Admitted(_) | Answer::Appointed(_) => "yes".to_owned(),
        Answer::Refused(why) => format!("{why:?}"),
    }
}

#[tokio::test]
async fn workers_do_not_wait_for_a_controller_whose_etcd_opens() {
    let (open, mut wishes) = mpsc::channel(1);
    let farm = Farm::new(Seats::Members(open));
    let admitter = farm.admitter.clone();
    let TokenRecord { id, secret, .. } = token(Role::Controller);
    let request =
        JoinRequest { node: "keep".parse().expect("a name"), token: id, secret, wants: controller([192, 0, 2, 2]) };
    let seated = tokio::spawn(async move { admitter.join(request).await });
    let wish = wishes.recv().await.expect("it waits for this controller's member to open");
    let clock = Stopwatch::start();
    assert_eq!(word(&farm.join("barn", worker(&keys())).await), "yes");
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
    drop(wish);
    assert!(matches!(seated.await.expect("answered"), Answer::Refused(Refusal::NotYet { .. })));
}

#[tokio::test]
async fn who_has_no_token_waits_for_nobody_and_is_told_so() {
    let (open, mut wishes) = mpsc::channel(1);
    let farm = Farm::new(Seats::Members(open));
    let admitter = farm.admitter.clone();
    let TokenRecord { id, secret, .. } = token(Role::Controller);
    let request =
        JoinRequest { node: "keep".parse().expect("a name"), token: id, secret, wants: controller([192, 0, 2, 2]) };
    let held = tokio::spawn({
        let request = request.clone();
        async move { admitter.join(request).await }
    });
    let _wish = wishes.recv().await.expect("the controllers' queue is taken");
    let wrong = JoinRequest { secret: "0123456789abcdeg".parse().expect("valid"), ..request };
    assert_eq!(word(&farm.admitter.join(wrong).await), "UnknownToken");
    held.abort();
}
