//! Taking a member out without a pause for those who write.

use super::etcd::{Etcd, EtcdError, Member, MemberId};

/// Takes a member out. One that leads, as far as the member that is asked can tell, hands the lead over first: etcd would
/// notice only after the removal that nobody leads, and fail writes for seconds. If nobody takes the lead, it goes all the
/// same.
///
/// # Errors
/// If etcd cannot be reached or refuses, as it does where the rest would have no majority.
pub fn dismiss(etcd: &Etcd, members: &[Member], id: MemberId) -> Result<(), EtcdError> {
    if etcd.leader()? == id {
        let taken = heirs(members, id).find(|heir| etcd.hand_over(heir.id).is_ok());
        tracing::debug!(heir = taken.map(|heir| heir.name.as_str()), "the lead was handed over");
    }
    etcd.remove(id).map(drop)
}

/// Who may lead in a member's stead.
fn heirs(members: &[Member], id: MemberId) -> impl Iterator<Item = &Member> {
    members.iter().filter(move |member| member.id != id && !member.learner && member.started())
}

#[cfg(test)]
mod tests {
    use super::heirs;
    use crate::peers::etcd::{Member, MemberId};

    #[test]
    fn others_with_a_vote_may_lead() {
        let member =
            |id, name: &str, learner| Member { id: MemberId(id), name: name.to_owned(), urls: Vec::new(), learner };
        let all = [member(1, "barn", false), member(2, "mill", true), member(3, "", false), member(4, "shed", false)];
        let names: Vec<&str> = heirs(&all, MemberId(1)).map(|heir| heir.name.as_str()).collect();
        assert_eq!(names, ["shed"]);
    }
}
