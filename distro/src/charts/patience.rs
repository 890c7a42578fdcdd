//! How long helm may take, and when what failed is tried again.

use std::{collections::BTreeMap, time::Duration};

use crate::{config::ReleaseRef, supervisor::doubled};

const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(600);

/// What helm may take beyond its own timeouts: to fetch a chart, and to say what went wrong.
const MARGIN: Duration = Duration::from_secs(120);

/// When a run of helm's is ended, from the time that each of its steps may take: it waits once for what it makes, and once more for
/// what it undoes.
#[must_use]
pub fn limit(timeout: Duration) -> Duration {
    timeout * 2 + MARGIN
}

/// Releases that failed.
#[derive(Clone, Debug, Default)]
pub struct Patience(BTreeMap<ReleaseRef, Trouble>);

/// What failed.
#[derive(Clone, Debug)]
struct Trouble {
    /// Of what it was made when it failed: something else is tried at once.
    print: String,
    failures: u32,
    again: Duration,
    why: String,
}

impl Patience {
    /// Whether it is a release's turn now, which is to be made of what has this print.
    #[must_use]
    pub fn allows(&self, release: &ReleaseRef, print: &str, now: Duration) -> bool {
        self.0.get(release).is_none_or(|trouble| trouble.print != print || now >= trouble.again)
    }

    /// Remembers a failure; whether nobody was told of it yet.
    pub fn failed(&mut self, release: &ReleaseRef, (print, why): (&str, &str), now: Duration) -> bool {
        let before = self.0.get(release).filter(|trouble| trouble.print == print);
        let failures = before.map_or(0, |trouble| trouble.failures) + 1;
        let news = before.is_none_or(|trouble| trouble.why != why);
        let again = now + pause(failures);
        let trouble = Trouble { print: print.to_owned(), failures, again, why: why.to_owned() };
        self.0.insert(release.clone(), trouble);
        news
    }

    /// Forgets what failed of a release.
    pub fn done(&mut self, release: &ReleaseRef) {
        self.0.remove(release);
    }

    /// Why a release failed, if it did.
    #[must_use]
    pub fn why(&self, release: &ReleaseRef) -> Option<&str> {
        self.0.get(release).map(|trouble| trouble.why.as_str())
    }
}

fn pause(failures: u32) -> Duration {
    doubled(failures, FIRST, LONGEST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Patience, pause};
    use crate::config::ReleaseRef;

    #[test]
    fn what_fails_is_tried_again_later_and_later_and_told_once() {
        let (mut patience, second) = (Patience::default(), Duration::from_secs(1));
        let web = ReleaseRef { namespace: "default".into(), name: "web".into() };
        assert!(patience.allows(&web, "a", Duration::ZERO));
        assert!(patience.failed(&web, ("a", "no such chart"), Duration::ZERO));
        assert!(!patience.allows(&web, "a", 29 * second) && patience.allows(&web, "a", 30 * second));
        assert!(!patience.failed(&web, ("a", "no such chart"), 30 * second), "told before");
        assert!(!patience.allows(&web, "a", 89 * second) && patience.allows(&web, "a", 90 * second));
        assert!(patience.allows(&web, "b", 31 * second), "something else is tried at once");
        assert_eq!(patience.why(&web), Some("no such chart"));
        patience.done(&web);
        assert!(patience.allows(&web, "a", Duration::ZERO) && patience.why(&web).is_none());
        assert_eq!(pause(u32::MAX), Duration::from_secs(600));
    }
}
