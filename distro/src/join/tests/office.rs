//! A controller looks into its cluster and answers.

use std::{net::IpAddr, time::Duration};

use serde_json::json;
use skerry_formats::role::Role;
use tokio::sync::{mpsc, watch};

use super::{api::Api, authority};
use crate::{
    join::{
        Admitter, Answer, Candidate, Council, JoinRequest, NodeRecord, Office, PrivateKeys, Refusal, RenewRequest,
        Seats, TokenRecord, Wants,
    },
    pki::{Identity, key_print},
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
            council: Council { identity, keys: "/nowhere".into(), config: String::new(), seats },
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

/// Of one more controller, with a good token.
fn seat_wanted() -> JoinRequest {
    let TokenRecord { id, secret, .. } = token(Role::Controller);
    JoinRequest { node: "keep".parse().expect("a name"), token: id, secret, wants: controller([192, 0, 2, 2]) }
}

#[tokio::test]
async fn workers_do_not_wait_for_a_controller_whose_etcd_opens() {
    let (open, mut wishes) = mpsc::channel(1);
    let farm = Farm::new(Seats::Members(open));
    let admitter = farm.admitter.clone();
    let seated = tokio::spawn(async move { admitter.join(seat_wanted()).await });
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
    let request = seat_wanted();
    let held = tokio::spawn({
        let request = request.clone();
        async move { admitter.join(request).await }
    });
    let _wish = wishes.recv().await.expect("the controllers' queue is taken");
    let wrong = JoinRequest { secret: "0123456789abcdeg".parse().expect("valid"), ..request };
    assert_eq!(word(&farm.admitter.join(wrong).await), "UnknownToken");
    held.abort();
}

fn node(name: &str) -> serde_json::Value {
    json!({"kind": "Node", "metadata": {"name": name}})
}

#[tokio::test]
async fn names_of_controllers_are_had_once_where_they_share_a_datastore() {
    let farm = Farm::new(Seats::Any);
    assert_eq!(word(&farm.join("keep", controller([192, 0, 2, 2])).await), "yes");
    let roster = farm.api.get("/api/v1/namespaces/kube-system/configmaps/sk8s-controllers").expect("made");
    assert_eq!(roster["data"], json!({"keep": "192.0.2.2"}));
    assert_eq!(word(&farm.join("mill", controller([192, 0, 2, 3])).await), "yes");
    let taken = "NameOfController { node: NodeName(\"keep\") }";
    assert_eq!(word(&farm.join("keep", controller([192, 0, 2, 4])).await), taken);
    assert_eq!(word(&farm.join("keep", controller([192, 0, 2, 2])).await), "yes", "the same machine again");
    assert_eq!(word(&farm.join("keep", worker(&keys())).await), taken);
    assert!(word(&farm.join("tower", worker(&keys())).await).starts_with("NameReserved"), "this controller's own");
}

#[tokio::test]
async fn a_controller_takes_a_workers_name_once_its_node_is_deleted() {
    let farm = Farm::new(Seats::Any);
    let name = "barn".parse().expect("a name");
    assert_eq!(word(&farm.join("barn", worker(&keys())).await), "yes");
    farm.api.put("/api/v1/nodes/barn", &node("barn"));
    let wants = || controller([192, 0, 2, 2]);
    assert!(word(&farm.join("barn", wants()).await).starts_with("NameTaken"));
    farm.api.delete("/api/v1/nodes/barn");
    assert_eq!(word(&farm.join("barn", wants()).await), "yes");
    assert_eq!(farm.api.get(&NodeRecord::path(&name)), None, "what the worker had is good for nothing any more");
    farm.api.put("/api/v1/nodes/barn", &node("barn"));
    assert_eq!(word(&farm.join("barn", wants()).await), "yes", "its own node is nobody else's");
}

impl Farm {
    /// What comes of a worker's wish to renew, and of one to be linked.
    async fn meets(&self, node: &str, keys: &PrivateKeys) -> (String, bool) {
        let (node, request) =
            (node.parse().expect("a name"), RenewRequest { keys: keys.requests().expect("requests") });
        let print = key_print(&request.keys.node).expect("a print");
        let links = self.admitter.links(&node, print).await;
        (word(&self.admitter.renew(node, print, request).await), links)
    }
}

#[tokio::test]
async fn a_worker_whose_node_was_deleted_is_linked_and_renews_once_it_is_back() {
    let (farm, keys) = (Farm::new(Seats::One), keys());
    farm.join("barn", worker(&keys)).await;
    let good = ("yes".to_owned(), true);
    assert_eq!(farm.meets("barn", &keys).await, good, "its kubelet has yet to come up");
    farm.api.put("/api/v1/nodes/barn", &node("barn"));
    assert_eq!(farm.meets("barn", &keys).await, good);
    farm.api.delete("/api/v1/nodes/barn");
    assert_eq!(farm.meets("barn", &keys).await, ("Deleted { node: NodeName(\"barn\") }".to_owned(), true));
    farm.api.put("/api/v1/nodes/barn", &node("barn"));
    assert_eq!(farm.meets("barn", &keys).await, good);
    farm.api.delete("/api/v1/nodes/barn");
    farm.join("barn", worker(&keys)).await;
    assert_eq!(farm.meets("barn", &keys).await, good, "it joined anew with a token");
}

#[tokio::test]
async fn a_worker_whose_record_was_deleted_or_is_anothers_is_out() {
    let (farm, stolen, new) = (Farm::new(Seats::One), keys(), keys());
    farm.join("barn", worker(&stolen)).await;
    farm.api.put("/api/v1/nodes/barn", &node("barn"));
    farm.meets("barn", &stolen).await;
    farm.api.delete(&NodeRecord::path(&"barn".parse().expect("a name")));
    let out = ("UnknownNode".to_owned(), false);
    assert_eq!(farm.meets("barn", &stolen).await, out, "whether or not its node is there");
    farm.api.delete("/api/v1/nodes/barn");
    assert_eq!(farm.meets("barn", &stolen).await, out);
    assert_eq!(word(&farm.join("barn", worker(&new)).await), "yes");
    assert_eq!(farm.meets("barn", &stolen).await, out, "the name is another's");
    assert_eq!(farm.meets("barn", &new).await, ("yes".to_owned(), true));
}

#[tokio::test]
async fn a_controllers_own_node_is_linked_without_a_record() {
    let (farm, keys) = (Farm::new(Seats::Any), keys());
    assert!(!farm.meets("keep", &keys).await.1);
    farm.join("keep", controller([192, 0, 2, 2])).await;
    assert!(farm.meets("keep", &keys).await.1);
    let mut older = node("mill");
    farm.api.put("/api/v1/nodes/mill", &older);
    assert!(!farm.meets("mill", &keys).await.1);
    older["metadata"]["labels"] = json!({"node-role.kubernetes.io/control-plane": ""});
    farm.api.put("/api/v1/nodes/mill", &older);
    assert!(farm.meets("mill", &keys).await.1, "of a controller whose version writes no line");
}

#[tokio::test]
async fn while_the_api_does_not_answer_nodes_are_linked_and_do_not_renew() {
    let (farm, keys) = (Farm::new(Seats::One), keys());
    farm.api.refuse();
    let (renewed, linked) = farm.meets("barn", &keys).await;
    assert!(linked && renewed.starts_with("NotYet"), "{renewed}");
}
