//! Whether a node may join: a decision without clock, network or files.

use serde::{Deserialize, Serialize};
use skerry_formats::{digest::Digest, role::Role};

use super::{
    message::JoinRequest,
    record::{NodeRecord, TokenRecord},
    roster::{ROSTER, Roster},
};
use crate::{
    config::NodeName,
    peers::{Barred, LEAVE, ROLL},
    pki::UnixTime,
};

/// Why a node is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Refusal {
    /// No such token, or another secret.
    #[error(
        "the cluster does not know this token: it was invalidated, or it expired and was removed, or it is mistyped"
    )]
    UnknownToken,
    /// The token ended.
    #[error("the token expired on {on}")]
    Expired {
        /// When, RFC 3339.
        on: String,
    },
    /// The token is for another role.
    #[error("the token admits a {grants}, not a {asked}")]
    WrongRole {
        /// What it is for.
        grants: skerry_formats::role::Role,
        /// What was asked for.
        asked: skerry_formats::role::Role,
    },
    /// Another node of that name is part of the cluster.
    #[error("another node named `{node}` is part of the cluster")]
    NameTaken {
        /// The name.
        node: NodeName,
    },
    /// A controller of that name is part of the cluster.
    #[error("a controller of the cluster is named `{node}`")]
    NameOfController {
        /// The name.
        node: NodeName,
    },
    /// Certificates of the cluster use the name for something else.
    #[error("`{node}` cannot be a node's name in this cluster: its API is called so")]
    NameReserved {
        /// The name.
        node: NodeName,
    },
    /// The cluster's objects are where one controller alone reaches them.
    #[error("the cluster keeps its objects in SQLite, which is one controller's alone")]
    OneController,
    /// The other controllers cannot take it in.
    #[error(transparent)]
    Barred {
        /// Why.
        #[from]
        why: Barred,
    },
    /// Whoever renews is not part of the cluster, or no longer.
    #[error("the cluster does not know this node's key")]
    UnknownNode,
    /// The node was there, and somebody deleted it.
    #[error("the node `{node}` was deleted from the cluster")]
    Deleted {
        /// Its name.
        node: NodeName,
    },
    /// A signing request is none, or not its maker's.
    #[error("a signing request is damaged")]
    BadKeys,
    /// The controller cannot say now.
    #[error("the controller cannot answer yet: {why}")]
    NotYet {
        /// What it waits for.
        why: String,
    },
}

/// What is known when a node asks.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The token of the id that was shown, if there is one.
    pub token: Option<&'a TokenRecord>,
    /// Who joined under the node's name before, if anyone did.
    pub joined: Option<&'a NodeRecord>,
    /// Whether the cluster has a node of that name now.
    pub present: Presence,
    /// DNS names of the API.
    pub reserved: &'a [String],
    /// The cluster's controllers.
    pub roster: &'a Roster,
    /// The time.
    pub now: UnixTime,
}

/// Whether a node object is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

/// Whether the token of the id that was shown, if there is one, lets a node ask for what it wants.
///
/// # Errors
/// The reason why not.
pub fn vouched(request: &JoinRequest, token: Option<&TokenRecord>, now: UnixTime) -> Result<(), Refusal> {
    let token = token.filter(|token| same(token.secret.reveal(), request.secret.reveal()));
    let token = token.ok_or(Refusal::UnknownToken)?;
    if let Some(expires) = token.expires.filter(|expires| *expires <= now) {
        return Err(Refusal::Expired { on: expires.rfc3339() });
    }
    let asked = request.wants.role();
    if token.role == asked { Ok(()) } else { Err(Refusal::WrongRole { grants: token.role, asked }) }
}

/// Whether a node may join; a worker with this key. Whether a controller's name and address are free among controllers is
/// not said here: etcd has a list of its own.
///
/// # Errors
/// The reason why not.
pub fn judge(request: &JoinRequest, key: Option<Digest>, seen: &Seen<'_>) -> Result<(), Refusal> {
    vouched(request, seen.token, seen.now)?;
    let node = &request.node;
    if request.wants.role() == Role::Controller {
        // Where pods run on it, its kubelet would write the worker's node. A controller's own node has no record, unless it
        // was a worker once.
        let worker = seen.joined.is_some() && seen.present == Presence::Present && !seen.roster.has(node);
        return if worker { Err(Refusal::NameTaken { node: node.clone() }) } else { Ok(()) };
    }
    if seen.reserved.iter().any(|name| name == node.as_str()) {
        return Err(Refusal::NameReserved { node: node.clone() });
    }
    if seen.roster.has(node) {
        return Err(Refusal::NameOfController { node: node.clone() });
    }
    let known = seen.joined.is_some_and(|joined| Some(joined.key) == key);
    if seen.present == Presence::Present && !known {
        return Err(Refusal::NameTaken { node: node.clone() });
    }
    Ok(())
}

/// Whether a member may have its certificates anew: `caller` is the key that it proved to have, `asked` the one that it wants
/// signed. Both are to be the one that it joined with. A node that was not there yet when it asks is one that has just joined.
///
/// # Errors
/// The reason why not.
pub fn renews(
    record: Option<&NodeRecord>,
    (caller, asked): (Digest, Digest),
    present: Presence,
) -> Result<(), Refusal> {
    match record {
        Some(record) if record.key != caller || record.key != asked => Err(Refusal::UnknownNode),
        Some(record) if record.registered && present == Presence::Absent => {
            Err(Refusal::Deleted { node: record.node.clone() })
        }
        Some(_) => Ok(()),
        None => Err(Refusal::UnknownNode),
    }
}

impl Refusal {
    /// What to do about it, if it is not to wait.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let make = "make another on a controller: `sk8s token create --role=worker`";
        match self {
            Self::UnknownToken | Self::Expired { .. } => Some(
                "make another on a controller: `sk8s token create`, or on the host that made the seed: `skerry cluster apply`"
                    .to_owned(),
            ),
            Self::WrongRole { asked, .. } => {
                Some(format!("make another on a controller: `sk8s token create --role={}`", asked.as_str()))
            }
            Self::OneController => Some("move them to etcd on that controller: `sk8s storage migrate`".to_owned()),
            Self::Barred { why: Barred::Name(node) } => Some(format!(
                "give this one another name (`--node-name`), or, if it takes the other's place: {}",
                leave(node.as_str())
            )),
            Self::Barred { why: Barred::Address(node) } => Some(format!("if that one is gone: {}", leave(node))),
            Self::NameTaken { node } => Some(format!(
                "give this one another name (`--node-name`), or, if it takes the other's place: `sk8s kubectl delete node {node}`"
            )),
            Self::NameOfController { node } => Some(format!(
                "give this one another name (`--node-name`), or, if that controller is gone for good: `kubectl patch configmap \
                 {ROSTER} -n kube-system -p '{{\"data\":{{\"{node}\":null}}}}'`"
            )),
            Self::NameReserved { .. } => Some("give this one another name: `--node-name`".to_owned()),
            Self::UnknownNode => Some(format!("`sk8s reset` this node and join again; {make}")),
            Self::Deleted { .. } => Some(
                "its kubelet brings it back when it starts while its certificate is good; after that, `sk8s reset` and join again"
                    .to_owned(),
            ),
            Self::BadKeys | Self::Barred { why: Barred::Joining(_) } | Self::NotYet { .. } => None,
        }
    }
}

/// How a member is taken out, with a shell on a controller and without.
fn leave(member: &str) -> String {
    format!(
        "`sk8s etcd leave {member}` on a controller, or from anywhere: `kubectl patch configmap {ROLL} -n kube-system -p \
         '{{\"data\":{{\"{member}\":\"{LEAVE}\"}}}}'`"
    )
}

/// Compares secrets in a time that tells nothing of where they differ.
fn same(a: &str, b: &str) -> bool {
    Digest::of(a.as_bytes()) == Digest::of(b.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use skerry_formats::{digest::Digest, role::Role};

    use serde_json::json;

    use super::{Presence, Refusal, Seen, judge, renews};
    use crate::{
        join::{Candidate, JoinRequest, NodeRecord, Roster, SigningRequests, TokenRecord, Wants},
        pki::UnixTime,
    };

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn request(role: Role, secret: &str) -> JoinRequest {
        let keys = SigningRequests { node: String::new(), server: String::new(), proxy: String::new() };
        let wants = match role {
            Role::Controller => Wants::Controller(Candidate { peer: [192, 0, 2, 9].into() }),
            Role::Worker | Role::Single => Wants::Worker(keys),
        };
        JoinRequest {
            wants,
            node: "barn".parse().expect("valid"),
            token: "abc123".parse().expect("valid"),
            secret: secret.parse().expect("valid"),
        }
    }

    fn token(expires: Option<u64>) -> TokenRecord {
        TokenRecord {
            id: "abc123".parse().expect("valid"),
            secret: "0123456789abcdef".parse().expect("valid"),
            role: Role::Worker,
            expires: expires.map(UnixTime),
            description: String::new(),
        }
    }

    fn node(key: &[u8]) -> NodeRecord {
        NodeRecord { node: "barn".parse().expect("valid"), key: Digest::of(key), registered: false }
    }

    const NOBODY: &Roster = &Roster::EMPTY;

    fn seen(token: Option<&TokenRecord>) -> Seen<'_> {
        Seen { token, joined: None, present: Presence::Absent, reserved: &[], roster: NOBODY, now: NOW }
    }

    const GOOD: &str = "0123456789abcdef";

    #[test]
    fn a_good_token_admits_a_new_node() {
        let key = Some(Digest::of(b"a"));
        assert_eq!(judge(&request(Role::Worker, GOOD), key, &seen(Some(&token(None)))), Ok(()));
        assert_eq!(judge(&request(Role::Worker, GOOD), key, &seen(Some(&token(Some(NOW.0 + 1))))), Ok(()));
    }

    #[test]
    fn a_token_that_is_gone_expired_for_another_role_or_not_the_same_is_refused() {
        let key = Some(Digest::of(b"a"));
        let ask = |role, secret, token: Option<&TokenRecord>| {
            judge(&request(role, secret), key, &seen(token)).expect_err("no")
        };
        assert_eq!(ask(Role::Worker, GOOD, None), Refusal::UnknownToken);
        assert_eq!(ask(Role::Worker, "0123456789abcdeg", Some(&token(None))), Refusal::UnknownToken);
        let expired = ask(Role::Worker, GOOD, Some(&token(Some(NOW.0))));
        assert_eq!(expired.to_string(), "the token expired on 2027-01-15T08:00:00Z");
        let wrong = ask(Role::Controller, GOOD, Some(&token(None)));
        assert_eq!(wrong.to_string(), "the token admits a worker, not a controller");
    }

    #[test]
    fn a_second_node_of_one_name_is_refused_and_the_same_one_is_not() {
        let (token, joined) = (token(None), node(b"a"));
        let seen = Seen { joined: Some(&joined), present: Presence::Present, ..seen(Some(&token)) };
        let request = request(Role::Worker, GOOD);
        assert_eq!(judge(&request, Some(Digest::of(b"a")), &seen), Ok(()));
        assert!(matches!(judge(&request, Some(Digest::of(b"b")), &seen), Err(Refusal::NameTaken { .. })));
        let deleted = Seen { present: Presence::Absent, ..seen };
        assert_eq!(judge(&request, Some(Digest::of(b"b")), &deleted), Ok(()), "its node was deleted: the name is free");
    }

    #[test]
    fn a_node_cannot_be_called_as_the_api_is() {
        let (token, names) = (token(None), ["barn".to_owned()]);
        let seen = Seen { reserved: &names, ..seen(Some(&token)) };
        assert!(matches!(
            judge(&request(Role::Worker, GOOD), Some(Digest::of(b"a")), &seen),
            Err(Refusal::NameReserved { .. })
        ));
    }

    #[test]
    fn a_worker_cannot_be_called_as_a_controller_is() {
        let (token, roster) = (token(None), Roster::of(&json!({"data": {"barn": "192.0.2.1"}})));
        let seen = Seen { roster: &roster, ..seen(Some(&token)) };
        let refused = judge(&request(Role::Worker, GOOD), Some(Digest::of(b"a")), &seen).expect_err("taken");
        assert_eq!(refused.to_string(), "a controller of the cluster is named `barn`");
        let hint = refused.hint().expect("what to do");
        assert!(
            hint.contains("patch configmap sk8s-controllers") && hint.contains(r#"{"data":{"barn":null}}"#),
            "{hint}"
        );
    }

    #[test]
    fn a_controller_cannot_be_called_as_a_worker_that_lives() {
        let (token, joined) = (TokenRecord { role: Role::Controller, ..token(None) }, node(b"a"));
        let ask = |joined, present, roster: &Roster| {
            judge(&request(Role::Controller, GOOD), None, &Seen { joined, present, roster, ..seen(Some(&token)) })
        };
        let taken = Err(Refusal::NameTaken { node: "barn".parse().expect("valid") });
        assert_eq!(ask(Some(&joined), Presence::Present, NOBODY), taken);
        assert_eq!(ask(Some(&joined), Presence::Absent, NOBODY), Ok(()), "its node was deleted");
        assert_eq!(ask(None, Presence::Present, NOBODY), Ok(()), "a node without a record is a controller's own");
        let own = Roster::of(&json!({"data": {"barn": "192.0.2.9"}}));
        assert_eq!(ask(Some(&joined), Presence::Present, &own), Ok(()), "it was a worker once, and is a controller");
    }

    #[test]
    fn who_was_let_in_renews_until_its_node_is_deleted_or_its_name_is_anothers() {
        let (own, other) = (Digest::of(b"a"), Digest::of(b"b"));
        let fresh = node(b"a");
        let registered = NodeRecord { registered: true, ..fresh.clone() };
        assert_eq!(renews(Some(&fresh), (own, own), Presence::Absent), Ok(()), "its kubelet has yet to come up");
        assert_eq!(renews(Some(&registered), (own, own), Presence::Present), Ok(()));
        let deleted = renews(Some(&registered), (own, own), Presence::Absent).expect_err("deleted");
        assert_eq!(deleted.to_string(), "the node `barn` was deleted from the cluster");
        for (record, caller, asked) in [(None, own, own), (Some(&fresh), other, own), (Some(&fresh), own, other)] {
            for present in [Presence::Present, Presence::Absent] {
                assert_eq!(renews(record, (caller, asked), present), Err(Refusal::UnknownNode));
            }
        }
    }

    proptest! {
        #[test]
        fn nobody_gets_in_without_the_secret(secret in "[a-z0-9]{16}", expires: Option<u64>, state in 0_u8..4) {
            prop_assume!(secret != GOOD);
            let (token, joined) = (token(expires), node(b"a"));
            let present = if state & 1 == 1 { Presence::Present } else { Presence::Absent };
            let seen = Seen { joined: (state & 2 == 2).then_some(&joined), present, ..seen(Some(&token)) };
            prop_assert_eq!(judge(&request(Role::Worker, &secret), Some(Digest::of(b"a")), &seen), Err(Refusal::UnknownToken));
        }
    }
}
