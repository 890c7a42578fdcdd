//! Seeds, read when media come and go, until the node's role is settled for this boot.

use std::{path::Path, time::Duration};

use skerry_formats::seed::{HostName, Problems};

use crate::{
    chain,
    disk::boot::BootDisk,
    intent::Intent,
    report,
    seed::{
        self, Gathered,
        merge::{Merged, merge},
    },
    sys::{
        block::Device,
        clock::Deadline,
        fs::{self, FsError},
    },
};

/// How long a medium may take to appear on a node that has no keys yet: a role baked into the image must not start a
/// cluster of its own while the medium with the keys is still spinning up.
const SETTLE: Duration = Duration::from_secs(3);
/// A cluster's key: there once a node has been something.
const KEY: &str = "/var/lib/sk8s/pki/ca.key";

/// What the seeds say.
#[derive(Debug, Default)]
pub struct Seeds {
    seen: Option<Vec<Device>>,
    verdict: Option<Verdict>,
    patience: Option<Deadline>,
    settled: bool,
}

/// What they add up to.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Media may still be appearing.
    Settling,
    /// They cannot be used.
    Wrong {
        /// What is wrong, a line each.
        seed_errors: Vec<String>,
        /// Sources that could not be read.
        errors: Vec<String>,
    },
    /// They say what the node is to be.
    Good {
        /// It.
        intent: Box<Intent>,
        /// Sources that could not be read.
        errors: Vec<String>,
    },
}

impl Seeds {
    /// Decides: from now on the seeds stay as they are until the next boot.
    pub fn settle(&mut self) {
        self.settled = true;
    }

    /// What the seeds say now.
    pub fn look(&mut self, boot: Option<&BootDisk>, devices: &[Device], fallback: &HostName) -> Verdict {
        if let Some(verdict) = &self.verdict
            && (self.settled || self.seen.as_deref() == Some(devices))
        {
            return verdict.clone();
        }
        let gathered = seed::gather(boot, devices);
        let patience = *self.patience.get_or_insert_with(|| Deadline::after(SETTLE));
        if !gathered.has_medium() && !patience.passed() && !fs::exists(Path::new(KEY)) {
            return Verdict::Settling;
        }
        let (verdict, merged) = decide(&gathered, fallback);
        let verdict = match merged.as_ref().map_or(Ok(()), leave) {
            Ok(()) => verdict,
            Err(error) => verdict.with(chain::one_line(&error)),
        };
        // A medium that could not be read may be half plugged in: it is read again.
        self.seen = gathered.unreadable.is_empty().then(|| devices.to_vec());
        self.verdict = Some(verdict.clone());
        verdict
    }
}

impl Verdict {
    fn with(mut self, error: String) -> Self {
        if let Self::Wrong { errors, .. } | Self::Good { errors, .. } = &mut self {
            errors.push(error);
        }
        self
    }
}

/// The verdict, and the seeds it is about where they could be merged. Pure.
fn decide(gathered: &Gathered, fallback: &HostName) -> (Verdict, Option<Merged>) {
    let errors: Vec<String> =
        gathered.unreadable.iter().map(|source| format!("{}: {}", source.source, source.why)).collect();
    let merged = match merge(&gathered.seeds) {
        Ok(merged) => merged,
        Err(problems) => return (Verdict::Wrong { seed_errors: lines(&problems), errors }, None),
    };
    let verdict = match Intent::from_seed(&merged.seed, fallback) {
        Ok(intent) => Verdict::Good { intent: Box::new(intent), errors },
        Err(error) => Verdict::Wrong { seed_errors: vec![error.to_string()], errors },
    };
    (verdict, Some(merged))
}

fn lines(problems: &Problems) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn leave(merged: &Merged) -> Result<(), FsError> {
    let text = serde_json::to_vec_pretty(&merged.layer.explain()).unwrap_or_default();
    fs::write_atomic(Path::new(report::EXPLAINED), &text, 0o600)
}

#[cfg(test)]
mod tests {
    use skerry_formats::seed::Source;

    use super::*;
    use crate::seed::{Kind, RawSeed};

    fn gathered(text: &str) -> Gathered {
        let source = Source::new("user-data on the medium `vdb`");
        Gathered { seeds: vec![RawSeed { source, kind: Kind::UserData, bytes: text.into() }], unreadable: vec![] }
    }

    #[test]
    fn a_wrong_seed_is_told_with_source_line_and_nearest_key() {
        let (verdict, _) = decide(&gathered("#cloud-config\nskerry:\n  rolle: single\n"), &"n".parse().unwrap());
        let Verdict::Wrong { seed_errors, .. } = verdict else { panic!("accepted") };
        let said = "user-data on the medium `vdb`, line 3: unknown key `skerry.rolle`; did you mean `role`?";
        assert_eq!(seed_errors, [said]);
    }

    #[test]
    fn a_worker_without_a_token_is_told() {
        let (verdict, _) = decide(&gathered("#cloud-config\nskerry:\n  role: worker\n"), &"n".parse().unwrap());
        assert!(matches!(verdict, Verdict::Wrong { seed_errors, .. } if seed_errors[0].contains("skerry.token")));
    }
}
