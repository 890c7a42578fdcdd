//! What is to be done with a list of members: decisions without network, clock or files.

use serde::{Deserialize, Serialize};

use super::etcd::{Member, MemberId};
use crate::config::NodeName;

/// What takes a controller in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admit {
    /// It is a member already.
    Known,
    /// It is to be added.
    Add,
    /// It is to be added in the place of its former self, whose disk is gone.
    Replace(MemberId),
}

/// What is at the address where a controller's member of etcd would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The machine there says that nobody listens.
    Shut,
    /// Somebody listens, or nothing can be told.
    Unknown,
}

/// Why a controller cannot become a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Barred {
    /// Another controller of that name runs elsewhere.
    #[error("another controller named `{0}` is part of the cluster")]
    Name(NodeName),
    /// Another controller is at that address.
    #[error("the controller `{0}` is part of the cluster and has this address")]
    Address(String),
    /// One at a time.
    #[error(
        "another controller is joining ({0}); if it never will, `sk8s etcd leave {0}` on a controller lets the next one in, or \
         `leave` for it in the ConfigMap `kube-system/sk8s-etcd`"
    )]
    Joining(String),
}

/// Whether the controller `name`, reached at `url`, may become a member. One that was told of but never started may ask
/// again, as its answer may have been lost. One of the name and the address of a member takes that one's place if nobody
/// listens there: who asks is at that address, and the member, which would listen, is not.
///
/// # Errors
/// The reason why not.
pub fn admit(members: &[Member], name: &NodeName, url: &str, door: Door) -> Result<Admit, Barred> {
    let named = members.iter().find(|member| member.name == name.as_str());
    let there = members.iter().find(|member| member.urls.iter().any(|known| known == url));
    let admitted = match (named, there) {
        (Some(same), Some(there)) if same.id == there.id && door == Door::Shut => Admit::Replace(same.id),
        (Some(_), _) => return Err(Barred::Name(name.clone())),
        (None, Some(member)) if member.started() => return Err(Barred::Address(member.name.clone())),
        (None, Some(_)) => return Ok(Admit::Known),
        (None, None) => Admit::Add,
    };
    let joining = |member: &&Member| (member.learner || !member.started()) && admitted != Admit::Replace(member.id);
    match members.iter().find(joining) {
        Some(other) => Err(Barred::Joining(title(other))),
        None => Ok(admitted),
    }
}

/// What taking a member out means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Nobody of that name or address.
    Absent,
    /// It is the only one with a vote.
    Last,
    /// It may go.
    Member(MemberId),
}

/// The member to take out, by its name, its URL or the address in it.
#[must_use]
pub fn remove(members: &[Member], whom: &str) -> Removal {
    let by_url = |url: &String| {
        url == whom || url.trim_start_matches("https://").rsplit_once(':').is_some_and(|(host, _)| host == whom)
    };
    let found = members.iter().find(|member| member.name == whom || member.urls.iter().any(by_url));
    match found {
        None => Removal::Absent,
        Some(member) if !member.learner && members.iter().filter(|m| !m.learner).count() == 1 => Removal::Last,
        Some(member) => Removal::Member(member.id),
    }
}

/// What to call a member.
fn title(member: &Member) -> String {
    if member.started() {
        member.name.clone()
    } else {
        member.urls.first().cloned().unwrap_or_else(|| member.id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Admit, Barred, Door, Removal, admit, remove};
    use crate::peers::etcd::{Member, MemberId};

    fn voter(id: u64, name: &str) -> Member {
        Member { id: MemberId(id), name: name.to_owned(), urls: vec![url(id)], learner: false }
    }

    fn learner(id: u64, name: &str) -> Member {
        Member { learner: true, ..voter(id, name) }
    }

    fn url(id: u64) -> String {
        format!("https://192.0.2.{id}:2380")
    }

    fn ask(members: &[Member], name: &str, id: u64) -> Result<Admit, Barred> {
        admit(members, &name.parse().expect("a name"), &url(id), Door::Unknown)
    }

    fn ask_again(members: &[Member], name: &str, id: u64) -> Result<Admit, Barred> {
        admit(members, &name.parse().expect("a name"), &url(id), Door::Shut)
    }

    #[test]
    fn a_new_controller_is_added_one_at_a_time() {
        let barn = voter(1, "barn");
        assert_eq!(ask(std::slice::from_ref(&barn), "mill", 2), Ok(Admit::Add));
        let joining = learner(2, "");
        assert_eq!(ask(&[barn.clone(), joining.clone()], "mill", 2), Ok(Admit::Known), "its answer was lost");
        assert_eq!(ask(&[barn.clone(), joining], "shed", 3), Err(Barred::Joining(url(2))));
        let learning = learner(2, "mill");
        assert_eq!(ask(&[barn, learning], "shed", 3), Err(Barred::Joining("mill".to_owned())));
    }

    #[test]
    fn names_and_addresses_are_had_once() {
        let members = [voter(1, "barn"), voter(2, "mill")];
        assert_eq!(ask(&members, "mill", 3), Err(Barred::Name("mill".parse().expect("a name"))));
        assert_eq!(ask(&members, "shed", 2), Err(Barred::Address("mill".to_owned())));
    }

    #[test]
    fn a_controller_with_a_new_disk_takes_its_own_place_and_no_other() {
        let members = [voter(1, "barn"), voter(2, "mill"), voter(3, "shed")];
        assert_eq!(ask_again(&members, "mill", 2), Ok(Admit::Replace(MemberId(2))));
        let name = || Err(Barred::Name("mill".parse().expect("a name")));
        assert_eq!(ask(&members, "mill", 2), name(), "its member may live");
        assert_eq!(ask_again(&members, "mill", 9), name(), "the member is elsewhere, and may live");
        assert_eq!(ask_again(&members, "mill", 3), name());
        assert_eq!(ask_again(&members, "loft", 2), Err(Barred::Address("mill".to_owned())));
        let learning = [voter(1, "barn"), learner(2, "mill")];
        assert_eq!(ask_again(&learning, "mill", 2), Ok(Admit::Replace(MemberId(2))), "it never got its vote");
        let busy = [voter(1, "barn"), voter(2, "mill"), learner(3, "")];
        assert_eq!(ask_again(&busy, "mill", 2), Err(Barred::Joining(url(3))), "one at a time");
    }

    #[test]
    fn a_member_goes_by_name_or_address_and_the_last_stays() {
        let members = [voter(1, "barn"), voter(2, "mill"), learner(3, "")];
        assert_eq!(remove(&members, "mill"), Removal::Member(MemberId(2)));
        assert_eq!(remove(&members, "192.0.2.3"), Removal::Member(MemberId(3)));
        assert_eq!(remove(&members, &url(3)), Removal::Member(MemberId(3)));
        assert_eq!(remove(&members, "shed"), Removal::Absent);
        assert_eq!(remove(&members[..1], "barn"), Removal::Last);
        assert_eq!(remove(&[voter(1, "barn"), learner(3, "")], "barn"), Removal::Last);
    }

    proptest! {
        /// Two newcomers are never taken in at once, whatever the list.
        #[test]
        fn there_is_at_most_one_learner(learners in proptest::collection::vec(any::<(bool, bool)>(), 1..6)) {
            let names = ["a", "b", "c", "d", "e"];
            let of = |((learns, started), (id, name)): ((bool, bool), (u64, &'static str))| {
                let name = if started { name } else { "" };
                if learns { learner(id, name) } else { voter(id, name) }
            };
            let members: Vec<Member> = learners.into_iter().zip((1..).zip(names)).map(of).collect();
            let busy = members.iter().any(|member| member.learner || !member.started());
            prop_assert_eq!(ask(&members, "new", 99) == Ok(Admit::Add), !busy);
        }
    }
}
