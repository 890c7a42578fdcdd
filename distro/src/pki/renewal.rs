//! When a certificate is to be issued again: a decision without clock or files.

use std::collections::BTreeMap;

use super::{authority::LeafRequest, leaf::LeafId, moment::UnixTime};

/// A certificate that a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it says.
    pub request: LeafRequest,
    /// When it ends.
    pub expires: UnixTime,
}

/// Why a certificate is to be issued again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is none.
    Missing,
    /// It ended, so that whoever holds a connection made with it must start again.
    Expired,
    /// It is to say something else now: the node's addresses changed.
    Changed,
    /// Two thirds of its life are over.
    Due,
}

/// The certificates to issue now, so that all those `wanted` are good for at least a third of a certificate's life.
#[must_use]
pub fn due(
    held: &BTreeMap<LeafId, Held>,
    wanted: &BTreeMap<LeafId, LeafRequest>,
    now: UnixTime,
) -> BTreeMap<LeafId, Reason> {
    let reason = |leaf: &LeafId, request: &LeafRequest| match held.get(leaf) {
        None => Some(Reason::Missing),
        Some(has) if has.expires <= now => Some(Reason::Expired),
        Some(has) if has.request != *request => Some(Reason::Changed),
        Some(has) if has.expires < now.plus(has.request.lifetime / 3) => Some(Reason::Due),
        Some(_) => None,
    };
    wanted.iter().filter_map(|(leaf, request)| Some((*leaf, reason(leaf, request)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use proptest::prelude::*;

    use super::{Held, Reason, due};
    use crate::pki::{CLOCK_FLOOR, LeafId, LeafRequest, UnixTime};

    fn one(expires: UnixTime, says: &str) -> BTreeMap<LeafId, Held> {
        BTreeMap::from([(LeafId::ApiServer, Held { request: LeafRequest::client(says, None), expires })])
    }

    fn wanted() -> BTreeMap<LeafId, LeafRequest> {
        BTreeMap::from([(LeafId::ApiServer, LeafRequest::client("a", None))])
    }

    #[test]
    fn a_fresh_certificate_stays() {
        assert!(due(&one(CLOCK_FLOOR.plus_days(365), "a"), &wanted(), CLOCK_FLOOR).is_empty());
    }

    #[test]
    fn after_two_thirds_of_its_life_it_is_due() {
        let held = one(CLOCK_FLOOR.plus_days(365), "a");
        assert!(due(&held, &wanted(), CLOCK_FLOOR.plus_days(243)).is_empty());
        assert_eq!(due(&held, &wanted(), CLOCK_FLOOR.plus_days(245))[&LeafId::ApiServer], Reason::Due);
    }

    #[test]
    fn a_new_address_is_a_reason() {
        let held = one(CLOCK_FLOOR.plus_days(365), "b");
        assert_eq!(due(&held, &wanted(), CLOCK_FLOOR)[&LeafId::ApiServer], Reason::Changed);
    }

    #[test]
    fn a_clock_that_jumps_a_year_ahead_finds_it_expired() {
        let held = one(CLOCK_FLOOR.plus_days(365), "a");
        assert_eq!(due(&held, &wanted(), CLOCK_FLOOR.plus_days(700))[&LeafId::ApiServer], Reason::Expired);
    }

    #[test]
    fn a_shorter_life_asked_for_is_a_reason() {
        let held = one(CLOCK_FLOOR.plus_days(365), "a");
        let mut wanted = wanted();
        wanted.values_mut().for_each(|request| request.lifetime = Duration::from_secs(30 * 86_400));
        assert_eq!(due(&held, &wanted, CLOCK_FLOOR)[&LeafId::ApiServer], Reason::Changed);
    }

    proptest! {
        #[test]
        fn whatever_is_issued_is_not_due_at_once(now in 0_u64..10_000_000_000) {
            let now = UnixTime(now);
            prop_assert!(due(&one(now.floored().plus_days(365), "a"), &wanted(), now).is_empty());
        }

        #[test]
        fn a_certificate_never_ends_without_having_been_due(expires in 0_u64..10_000_000_000, now in 0_u64..10_000_000_000) {
            let quiet = due(&one(UnixTime(expires), "a"), &wanted(), UnixTime(now)).is_empty();
            prop_assert_eq!(quiet, expires >= UnixTime(now).plus(Duration::from_secs(365 * 86_400) / 3).0);
        }
    }
}
