//! The members as the API shows them, and wishes to have one out: for owners whose nodes have no shell.
//!
//! A ConfigMap of `kube-system` holds a line a member: its name, and how it is. Who writes `leave` there instead takes the
//! member out. A wish is first bound to the number of the member that is there, `leaving NUMBER`, and granted to that one
//! alone: a controller that comes back under the same name is a new member and stays. What is due is decided without
//! network, clock or files.

use std::collections::BTreeMap;

use super::etcd::{Member, MemberId};

/// The ConfigMap's name.
pub const ROLL: &str = "sk8s-etcd";
/// What takes a member out.
pub const LEAVE: &str = "leave";

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The lines as they are to be first. Wishes that are not granted yet stay.
    pub lines: BTreeMap<String, String>,
    /// The member that is to be taken out once they are.
    pub leaves: Option<MemberId>,
}

/// What is due, given the lines that are there. The last member with a vote stays, whatever is wished; a line of nobody's
/// goes.
#[must_use]
pub fn due(members: &[Member], lines: &BTreeMap<String, String>) -> Roll {
    let voters = members.iter().filter(|member| !member.learner).count();
    let wished = |member: &Member| {
        lines.get(&key(member)).is_some_and(|word| word == LEAVE) || lines.values().any(|word| *word == leaving(member))
    };
    let goes = |member: &Member| wished(member) && (member.learner || voters > 1);
    let word = |member: &Member| if goes(member) { leaving(member) } else { state(member).to_owned() };
    Roll {
        lines: members.iter().map(|member| (key(member), word(member))).collect(),
        leaves: members.iter().find(|member| goes(member)).map(|member| member.id),
    }
}

/// A wish that is bound to the member it is for.
fn leaving(member: &Member) -> String {
    format!("leaving {}", member.id)
}

/// A member's name; of one that has never started the address, in the characters that a key may have.
fn key(member: &Member) -> String {
    if member.started() {
        return member.name.clone();
    }
    let host = member.urls.first().and_then(|url| url.trim_start_matches("https://").rsplit_once(':'));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match host {
        Some((host, _)) if !host.is_empty() && host.chars().all(plain) => host.to_owned(),
        _ => member.id.to_string(),
    }
}

const fn state(member: &Member) -> &'static str {
    match (member.started(), member.learner) {
        (false, _) => "expected",
        (true, true) => "learner",
        (true, false) => "voter",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{LEAVE, Roll, due};
    use crate::peers::etcd::{Member, MemberId};

    fn voter(id: u64, name: &str) -> Member {
        let urls = vec![format!("https://192.0.2.{id}:2380")];
        Member { id: MemberId(id), name: name.to_owned(), urls, learner: false }
    }

    fn learner(id: u64, name: &str) -> Member {
        Member { learner: true, ..voter(id, name) }
    }

    fn lines(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, word)| ((*key).to_owned(), (*word).to_owned())).collect()
    }

    #[test]
    fn members_are_shown_by_name_and_those_to_come_by_address() {
        let mut strange = learner(4, "");
        strange.urls = vec!["https://[fd00::9]:2380".to_owned()];
        let members = [voter(1, "barn"), learner(2, "mill"), learner(3, ""), strange];
        let shown = [("barn", "voter"), ("mill", "learner"), ("192.0.2.3", "expected"), ("4", "expected")];
        assert_eq!(due(&members, &lines(&[("shed", LEAVE)])), Roll { lines: lines(&shown), leaves: None });
    }

    #[test]
    fn who_is_wished_out_leaves_one_after_the_other() {
        let members = [voter(1, "barn"), voter(2, "mill"), voter(3, "shed")];
        let wished = lines(&[("barn", "voter"), ("mill", LEAVE), ("shed", LEAVE)]);
        let first = due(&members, &wished);
        let bound = lines(&[("barn", "voter"), ("mill", "leaving 2"), ("shed", "leaving 3")]);
        assert_eq!(first, Roll { lines: bound, leaves: Some(MemberId(2)) });
        let left = [members[0].clone(), members[2].clone()];
        let rest = Roll { lines: lines(&[("barn", "voter"), ("shed", "leaving 3")]), leaves: Some(MemberId(3)) };
        assert_eq!(due(&left, &first.lines), rest);
    }

    #[test]
    fn a_wish_is_for_the_member_that_was_there() {
        let back = [voter(1, "barn"), voter(7, "mill")];
        let stays = Roll { lines: lines(&[("barn", "voter"), ("mill", "voter")]), leaves: None };
        assert_eq!(due(&back, &lines(&[("barn", "voter"), ("mill", "leaving 2")])), stays, "it came back meanwhile");

        let joining = due(&[voter(1, "barn"), learner(9, "")], &lines(&[("192.0.2.9", LEAVE)]));
        assert_eq!(joining.leaves, Some(MemberId(9)));
        let started = due(&[voter(1, "barn"), learner(9, "mill")], &joining.lines);
        assert_eq!(started.leaves, Some(MemberId(9)), "it has a name now, and is the same");
        let kept = due(&[voter(1, "barn"), learner(9, "mill")], &lines(&[("mill", "learner")]));
        assert_eq!(kept.leaves, None, "a wish that was taken back");
    }

    proptest! {
        /// Nobody leaves unasked, a voter always stays, and nobody leaves in another's place.
        #[test]
        fn only_who_is_wished_out_leaves(all in prop::collection::vec((any::<bool>(), any::<bool>()), 1..6)) {
            let names = ["a", "b", "c", "d", "e"];
            let members: Vec<Member> =
                all.iter().zip((1..).zip(names)).map(|((learner, _), (id, name))| Member { learner: *learner, ..voter(id, name) }).collect();
            let wish = |((_, out), name): (&(bool, bool), &str)| {
                (name.to_owned(), if *out { LEAVE } else { "voter" }.to_owned())
            };
            let wished: BTreeMap<String, String> = all.iter().zip(names).map(wish).collect();
            let Roll { lines, leaves } = due(&members, &wished);
            prop_assert_eq!(lines.len(), members.len());
            if let Some(leaver) = leaves.and_then(|id| members.iter().find(|member| member.id == id)) {
                prop_assert_eq!(wished[&leaver.name].as_str(), LEAVE);
                let left = members.iter().filter(|member| !member.learner && member.id != leaver.id).count();
                prop_assert!(left > 0 || leaver.learner);
            }
            let others: Vec<Member> =
                members.iter().map(|member| Member { id: MemberId(member.id.0 + 10), ..member.clone() }).collect();
            prop_assert_eq!(due(&others, &lines).leaves, None);
            prop_assert_eq!(due(&members, &lines), Roll { lines, leaves });
        }
    }
}
