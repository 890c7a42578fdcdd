//! When a running member asks for new certificates, and what it makes of them.

use super::{
    linked::Lines,
    prepare::{NodeError, Prepared},
    standing::{self, Standing},
};
use crate::{
    join::{self, AskError, Membership},
    supervisor::chain,
    sys::clock,
};

/// How many rounds pass between attempts.
const PATIENCE: u32 = 30;
/// After how many rounds without any link an attempt is made, whatever this machine's clock says: controllers do not link
/// with a member whose certificates have ended by theirs. That is a minute.
const DARK: u32 = 6;

/// Why new certificates are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Two thirds of their life are over, by this machine's clock.
    Due,
    /// No controller links with this node.
    Dark,
}

/// What is known of the links in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Up,
    Down,
}

/// Attempts to renew, counted in rounds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Renewal {
    /// How many rounds the next attempt waits.
    pause: u32,
    /// How many rounds there has been no link.
    dark: u32,
}

impl Renewal {
    /// A round: renews a member's certificates if they are due, also when they have ended, or if they may be what keeps it
    /// from its cluster.
    pub(super) async fn round(&mut self, node: &mut Prepared, lines: &Lines) {
        let Standing::Member(member) = node.standing.clone() else { return };
        let due = member.is_due(clock::now()).unwrap_or_else(|error| {
            tracing::warn!(error = %chain(&error), "certificates cannot be looked at");
            true
        });
        let link = if lines.trouble().is_some() { Link::Down } else { Link::Up };
        if let Some(cause) = self.cause(due.then_some(Cause::Due), link) {
            renew(node, lines, &member, cause).await;
        }
    }

    /// Why to try now, if at all.
    fn cause(&mut self, due: Option<Cause>, link: Link) -> Option<Cause> {
        self.dark = if link == Link::Down { self.dark.saturating_add(1) } else { 0 };
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let cause = due.or_else(|| (self.dark > DARK).then_some(Cause::Dark));
        self.pause = if cause.is_some() { PATIENCE - 1 } else { 0 };
        cause
    }
}

async fn renew(node: &mut Prepared, lines: &Lines, member: &Membership, cause: Cause) {
    let asked = match cause {
        Cause::Due => join::renew(member).await,
        // Most often nobody is there: the addresses of this node are not to be looked after any later for that.
        Cause::Dark => join::news(member, None).await,
    };
    match (asked, cause) {
        (Ok(renewed), _) => match settle(node, lines, member, renewed) {
            Ok(()) => tracing::info!("certificates renewed"),
            Err(error) => tracing::warn!(error = %chain(&error), "new certificates not in use"),
        },
        (Err(error @ AskError::Unreachable(_)), Cause::Dark) => {
            tracing::debug!(error = %chain(&error), "no link, and no new certificates");
        }
        (Err(error), _) => tracing::warn!(error = %chain(&error), hint = error.hint(), "certificates not renewed"),
    }
}

fn settle(node: &mut Prepared, lines: &Lines, member: &Membership, renewed: Membership) -> Result<(), NodeError> {
    let renewed = standing::take_in(member, renewed, &node.raw);
    renewed.save(&node.paths.membership()).map_err(super::EnrolError::from)?;
    let keys = node.put_all(&renewed)?;
    lines.rekey(keys)?;
    lines.servers(&renewed.admission.servers);
    node.standing = Standing::Member(renewed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cause, DARK, Link, PATIENCE, Renewal};

    /// The rounds in which an attempt is made.
    fn attempts(rounds: impl IntoIterator<Item = (Option<Cause>, Link)>) -> Vec<(usize, Cause)> {
        let mut renewal = Renewal::default();
        let tried = |(round, (due, link))| Some((round, renewal.cause(due, link)?));
        rounds.into_iter().enumerate().filter_map(tried).collect()
    }

    #[test]
    fn without_a_link_for_a_minute_certificates_are_renewed_whatever_the_clock_says() {
        assert_eq!(attempts(vec![(None, Link::Down); 40]), [(6, Cause::Dark), (36, Cause::Dark)]);
        assert_eq!(attempts(vec![(None, Link::Up); 100]), []);
        let mut short = vec![(None, Link::Down); 6];
        short.push((None, Link::Up));
        assert_eq!(attempts(short.repeat(9)), [], "a controller that starts again is no reason");
    }

    #[test]
    fn what_is_due_is_tried_at_once_and_again_after_five_minutes() {
        assert_eq!(attempts(vec![(Some(Cause::Due), Link::Up); 40]), [(0, Cause::Due), (30, Cause::Due)]);
        assert_eq!(attempts(vec![(Some(Cause::Due), Link::Down); 40]), [(0, Cause::Due), (30, Cause::Due)]);
    }

    proptest! {
        #[test]
        fn attempts_stay_spaced_and_have_a_reason(rounds in prop::collection::vec((any::<bool>(), any::<bool>()), 0..200)) {
            let rounds: Vec<_> = rounds
                .into_iter()
                .map(|(due, up)| (due.then_some(Cause::Due), if up { Link::Up } else { Link::Down }))
                .collect();
            let tried = attempts(rounds.clone());
            prop_assert!(tried.windows(2).all(|two| two[1].0 - two[0].0 >= PATIENCE as usize));
            for (round, cause) in tried {
                let dark = rounds[..=round].iter().rev().take_while(|(_, link)| *link == Link::Down).count();
                prop_assert!(rounds[round].0 == Some(Cause::Due) || (cause == Cause::Dark && dark > DARK as usize));
            }
        }
    }
}
