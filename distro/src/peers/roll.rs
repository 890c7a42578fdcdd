//! The members as the API shows them, and wishes to have one out: for owners whose nodes have no shell.
//!
//! A ConfigMap of `kube-system` holds a line a member: its name, and how it is. Who writes `leave` there instead takes the
//! member out. What is due is decided without network, clock or files.

use std::collections::BTreeMap;

use super::etcd::{Member, MemberId};

/// The ConfigMap's name.
pub const ROLL: &str = "sk8s-etcd";
/// What takes a member out.
pub const LEAVE: &str = "leave";

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The member that is to be taken out next.
    pub leaves: Option<MemberId>,
    /// The lines as they are to be then. Wishes that are not granted yet stay.
    pub lines: BTreeMap<String, String>,
}

/// What is due, given the lines that are there. The last member with a vote stays, whatever is wished; a line of nobody's
/// goes.
#[must_use]
pub fn due(members: &[Member], lines: &BTreeMap<String, String>) -> Roll {
    let voters = members.iter().filter(|member| !member.learner).count();
    let wished = |member: &Member| lines.get(&key(member)).is_some_and(|word| word == LEAVE);
    let may = |member: &Member| member.learner || voters > 1;
    let line = |member: &Member| {
        let word = if wished(member) && may(member) { LEAVE } else { state(member) };
        (key(member), word.to_owned())
    };
    let leaves = members.iter().find(|member| wished(member) && may(member)).map(|member| member.id);
    Roll { leaves, lines: members.iter().map(line).collect() }
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
        assert_eq!(due(&members, &lines(&[("shed", LEAVE)])), Roll { leaves: None, lines: lines(&shown) });
    }

    #[test]
    fn who_is_wished_out_leaves_one_after_the_other() {
        let members = [voter(1, "barn"), voter(2, "mill"), voter(3, "shed")];
        let wished = lines(&[("barn", "voter"), ("mill", LEAVE), ("shed", LEAVE)]);
        assert_eq!(due(&members, &wished), Roll { leaves: Some(MemberId(2)), lines: wished.clone() });
        let left = [members[0].clone(), members[2].clone()];
        let rest = Roll { leaves: Some(MemberId(3)), lines: lines(&[("barn", "voter"), ("shed", LEAVE)]) };
        assert_eq!(due(&left, &wished), rest);
        let joining = [voter(1, "barn"), learner(9, "")];
        assert_eq!(due(&joining, &lines(&[("192.0.2.9", LEAVE)])).leaves, Some(MemberId(9)));
    }

    proptest! {
        /// Nobody leaves unasked, and a voter always stays.
        #[test]
        fn only_who_is_wished_out_leaves(all in prop::collection::vec((any::<bool>(), any::<bool>()), 1..6)) {
            let names = ["a", "b", "c", "d", "e"];
            let members: Vec<Member> =
                all.iter().zip((1..).zip(names)).map(|((learner, _), (id, name))| Member { learner: *learner, ..voter(id, name) }).collect();
            let wish = |((_, out), name): (&(bool, bool), &str)| {
                (name.to_owned(), if *out { LEAVE } else { "voter" }.to_owned())
            };
            let wished: BTreeMap<String, String> = all.iter().zip(names).map(wish).collect();
            let Roll { leaves, lines } = due(&members, &wished);
            prop_assert_eq!(lines.len(), members.len());
            if let Some(leaver) = leaves.and_then(|id| members.iter().find(|member| member.id == id)) {
                prop_assert_eq!(wished[&leaver.name].as_str(), LEAVE);
                let left = members.iter().filter(|member| !member.learner && member.id != leaver.id).count();
                prop_assert!(left > 0 || leaver.learner);
            }
        }
    }
}
