//! What any controller does for the members: tells where its own is now, and gives learners their vote.

use super::etcd::{Etcd, EtcdError, Member};
use crate::config::NodeName;

/// Looks once, and does what is due; gives the members as they were found. A learner that has not caught up is left for the
/// next time.
///
/// # Errors
/// If etcd cannot be reached, or has no majority.
pub fn tend(etcd: &Etcd, name: &NodeName, url: &str) -> Result<Vec<Member>, EtcdError> {
    let members = etcd.members()?;
    for due in due(&members, name, url) {
        match due {
            Due::Move(member) => {
                etcd.update(member.id, url)?;
                tracing::info!(url, "the other controllers know this one's new address");
            }
            Due::Promote(member) => match etcd.promote(member.id) {
                Ok(_) => tracing::info!(controller = member.name, "has a vote now"),
                Err(EtcdError::Refused(why)) => tracing::debug!(controller = member.name, why, "has no vote yet"),
                Err(error) => return Err(error),
            },
        }
    }
    Ok(members)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due<'a> {
    Move(&'a Member),
    Promote(&'a Member),
}

/// A learner cannot speak for others, nor for itself.
fn due<'a>(members: &'a [Member], name: &NodeName, url: &str) -> Vec<Due<'a>> {
    let own = members.iter().find(|member| member.name == name.as_str());
    match own {
        None => Vec::new(),
        Some(own) if own.learner => Vec::new(),
        Some(own) => {
            let moved = own.urls.len() != 1 || own.urls[0] != url;
            let learners = members.iter().filter(|member| member.learner && member.started()).map(Due::Promote);
            moved.then_some(Due::Move(own)).into_iter().chain(learners).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, due};
    use crate::peers::etcd::{Member, MemberId};

    #[test]
    fn a_member_with_a_vote_tells_its_address_and_promotes_those_that_run() {
        let member = |id, name: &str, learner| Member {
            id: MemberId(id),
            name: name.to_owned(),
            urls: vec![format!("https://192.0.2.{id}:2380")],
            learner,
        };
        let all = [member(1, "barn", false), member(2, "mill", true), member(3, "", true)];
        let name = |text: &str| text.parse().expect("a name");
        assert_eq!(due(&all, &name("barn"), "https://192.0.2.1:2380"), [Due::Promote(&all[1])]);
        let moved = due(&all, &name("barn"), "https://192.0.2.9:2380");
        assert_eq!(moved, [Due::Move(&all[0]), Due::Promote(&all[1])]);
        assert_eq!(due(&all, &name("mill"), "https://192.0.2.9:2380"), [], "a learner waits");
        assert_eq!(due(&all, &name("shed"), "https://192.0.2.3:2380"), []);
    }
}
