//! Whether a controller makes the cluster, joins it, or goes on asking: decisions without clock, network or files.
//!
//! A controller that has the cluster's keys and a token as well is the one of its seeds that may make the cluster. It may also
//! be the same one with a new disk, while the others run the cluster still: two clusters with one set of keys would then
//! call each other's nodes theirs. So it asks the others first, and makes the cluster only after a long silence of all of
//! them. Controllers without keys never make one, so that of several that are switched on at once one does.

use std::time::Duration;

/// How long nobody must answer before the cluster is made. A controller that is switched on at the same time as this one
/// answers well before, also where a switch takes a minute to let it.
pub const SILENCE: Duration = Duration::from_secs(120);
/// How often each must have been asked in that time: a pause of this machine's is no silence of theirs.
pub const ROUNDS: u32 = 10;

/// Whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl From<bool> for Has {
    fn from(there: bool) -> Self {
        if there { Self::Yes } else { Self::No }
    }
}

/// What a controller finds of its own when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// An answer of a controller that took it in.
    pub appointment: Has,
    /// Objects of a cluster: on its disk, or in a datastore that it is told of and that is not its own.
    pub objects: Has,
    /// The cluster's keys.
    pub keys: Has,
    /// A note that another controller answered before.
    pub heard: Has,
    /// A token.
    pub token: Has,
}

/// How a controller starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As one that joined.
    Joined,
    /// As one that made the cluster, or makes it now, with nobody to ask.
    Makes,
    /// It joins, and never makes a cluster, however long that takes.
    Joins,
    /// It asks the others whether there is a cluster, and may make it.
    Asks,
}

/// How a controller starts. What it did before counts before what it is told now.
#[must_use]
pub const fn start(own: Own) -> Start {
    match own {
        Own { appointment: Has::Yes, .. } => Start::Joined,
        Own { token: Has::No, .. } => Start::Makes,
        Own { keys: Has::No, .. } => Start::Joins,
        Own { objects: Has::Yes, .. } => Start::Makes,
        Own { heard: Has::Yes, .. } => Start::Joins,
        Own { .. } => Start::Asks,
    }
}

/// What came of asking one of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nobody listens there, or it cannot be reached.
    Nothing,
    /// Another cluster's controller.
    Stranger,
    /// Something else: it may be a controller of this cluster in trouble.
    Noise,
    /// A controller of this cluster.
    Member,
}

/// What to do after a round of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is a cluster: join it.
    Join,
    /// Ask once more.
    Ask,
    /// There is none: make it.
    Make,
}

/// The silence so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    since: Option<Duration>,
    rounds: u32,
}

impl Silence {
    /// Takes a round in: what each of the others answered between two moments of a clock that only goes forward.
    #[must_use]
    pub fn after(self, heard: &[Heard], (begun, ended): (Duration, Duration)) -> (Self, Next) {
        if heard.contains(&Heard::Member) {
            return (Self::default(), Next::Join);
        }
        if heard.contains(&Heard::Noise) {
            return (Self::default(), Next::Ask);
        }
        let since = self.since.unwrap_or(begun);
        let silence = Self { since: Some(since), rounds: self.rounds.saturating_add(1) };
        let long = ended.saturating_sub(since) >= SILENCE && silence.rounds >= ROUNDS;
        (silence, if long { Next::Make } else { Next::Ask })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Has, Heard, Next, Own, ROUNDS, SILENCE, Silence, Start, start};

    fn has() -> impl Strategy<Value = Has> {
        any::<bool>().prop_map(Has::from)
    }

    fn own() -> impl Strategy<Value = Own> {
        let fields = (has(), has(), has(), has(), has());
        fields.prop_map(|(appointment, objects, keys, heard, token)| Own { appointment, objects, keys, heard, token })
    }

    fn round() -> impl Strategy<Value = (Vec<Heard>, u64, u64)> {
        let mostly = prop_oneof![
            20 => Just(Heard::Nothing), 4 => Just(Heard::Stranger), 1 => Just(Heard::Noise), 1 => Just(Heard::Member)
        ];
        (prop::collection::vec(mostly, 1..3), 0..10_u64, 0..20_u64)
    }

    const NEW: Own = Own { appointment: Has::No, objects: Has::No, keys: Has::No, heard: Has::No, token: Has::No };

    #[test]
    fn each_kind_of_controller_starts_its_own_way() {
        assert_eq!(start(NEW), Start::Makes, "the first one, started by hand");
        assert_eq!(start(Own { keys: Has::Yes, ..NEW }), Start::Makes, "the only one of a cluster made on the host");
        assert_eq!(start(Own { token: Has::Yes, ..NEW }), Start::Joins);
        let database = Own { objects: Has::Yes, token: Has::Yes, ..NEW };
        assert_eq!(start(database), Start::Joins, "the keys are the others', also where the objects are nobody's own");
        let founder = Own { keys: Has::Yes, token: Has::Yes, ..NEW };
        assert_eq!(start(founder), Start::Asks);
        assert_eq!(start(Own { heard: Has::Yes, ..founder }), Start::Joins, "there was an answer before");
        assert_eq!(start(Own { objects: Has::Yes, ..founder }), Start::Makes, "it made the cluster before");
        assert_eq!(start(Own { appointment: Has::Yes, objects: Has::Yes, ..founder }), Start::Joined);
    }

    /// Rounds of two seconds, one after the other.
    fn ask(rounds: impl IntoIterator<Item = Heard>) -> Vec<Next> {
        let (mut silence, mut said) = (Silence::default(), Vec::new());
        for (at, heard) in (0..).zip(rounds) {
            let (then, next) = silence.after(&[heard], (Duration::from_secs(at * 2), Duration::from_secs(at * 2 + 2)));
            silence = then;
            said.push(next);
        }
        said
    }

    #[test]
    fn the_cluster_is_made_after_two_minutes_of_silence() {
        let said = ask(vec![Heard::Nothing; 61]);
        assert_eq!(said.iter().position(|next| *next == Next::Make), Some(59));
        let said = ask(vec![Heard::Stranger; 61]);
        assert_eq!(said.iter().position(|next| *next == Next::Make), Some(59), "another cluster is none of ours");
    }

    #[test]
    fn noise_begins_the_silence_anew() {
        let mut heard = vec![Heard::Nothing; 119];
        heard[59] = Heard::Noise;
        assert!(!ask(heard).contains(&Next::Make));
    }

    #[test]
    fn a_machine_that_stood_still_has_asked_too_seldom() {
        let (silence, _) = Silence::default().after(&[Heard::Nothing], (Duration::ZERO, Duration::from_secs(2)));
        let day = Duration::from_secs(86_400);
        assert_eq!(silence.after(&[Heard::Nothing], (day, day + Duration::from_secs(2))).1, Next::Ask);
    }

    proptest! {
        /// Who has no keys, or a cluster already, or heard of one, never makes another.
        #[test]
        fn only_one_kind_may_make_a_cluster_that_others_join(own in own()) {
            let alone = own.token == Has::No || (own.objects == Has::Yes && own.keys == Has::Yes);
            match start(own) {
                Start::Joined => prop_assert_eq!(own.appointment, Has::Yes),
                Start::Makes => prop_assert!(alone && own.appointment == Has::No),
                Start::Joins => prop_assert!(own.keys == Has::No || own.heard == Has::Yes),
                Start::Asks => prop_assert!(!alone && own.keys == Has::Yes && own.heard == Has::No),
            }
        }

        /// Whatever the history: the cluster is made only if, for the whole time and often enough, there was nothing but
        /// silence; and one answer of the cluster's ends the asking.
        #[test]
        fn a_cluster_is_made_only_after_silence(rounds in prop::collection::vec(round(), 1..80)) {
            let (mut silence, mut at) = (Silence::default(), 0);
            let mut quiet: Option<(u64, u32)> = None;
            for (heard, pause, takes) in rounds {
                let (begun, ended) = (at + pause, at + pause + takes);
                at = ended;
                let (then, next) = silence.after(&heard, (Duration::from_secs(begun), Duration::from_secs(ended)));
                silence = then;
                let loud = heard.iter().any(|one| matches!(one, Heard::Noise | Heard::Member));
                quiet = if loud { None } else { Some(quiet.map_or((begun, 1), |(since, count)| (since, count + 1))) };
                prop_assert_eq!(next == Next::Join, heard.contains(&Heard::Member));
                let long = quiet.is_some_and(|(since, count)| ended - since >= SILENCE.as_secs() && count >= ROUNDS);
                prop_assert_eq!(next == Next::Make, long);
                if next != Next::Ask {
                    return Ok(());
                }
            }
        }
    }
}
