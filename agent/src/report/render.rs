//! The console's words. Lines start with a marker that tests and people wait for, so that they do not change lightly.

use super::snapshot::{Phase, Snapshot};

/// All that is said, a line each.
#[must_use]
pub fn block(snapshot: &Snapshot) -> Vec<String> {
    let machine = &snapshot.machine;
    let slot = machine.slot.map(|slot| format!(" · slot {slot}")).unwrap_or_default();
    let role = snapshot.role.map(|role| format!(" · {role}")).unwrap_or_default();
    let mut lines = vec![
        format!("skerry {} · {}{slot}", machine.version, machine.board),
        format!("skerry: node: {}{role}", snapshot.node),
    ];
    if !snapshot.addresses.is_empty() {
        lines.push(format!("skerry: addresses: {}", snapshot.addresses.join(", ")));
    }
    lines.extend(snapshot.seed_errors.iter().map(|error| format!("skerry: seed: error: {error}")));
    lines.extend(snapshot.errors.iter().map(|error| format!("skerry: error: {error}")));
    lines.push(format!("skerry: phase: {}", snapshot.phase.in_words()));
    if !snapshot.waiting.is_empty() {
        lines.push(format!("skerry: waiting: {}", snapshot.waiting));
    }
    if snapshot.phase == Phase::Ready {
        lines.extend(reach(snapshot));
        lines.push(format!("skerry: timeline: {}", timeline(snapshot)));
    }
    lines
}

/// What is new since another snapshot: everything if the node's face has changed, else only what moves while it starts.
#[must_use]
pub fn difference(before: Option<&Snapshot>, now: &Snapshot) -> Vec<String> {
    let new = block(now);
    let Some(before) = before else { return new };
    let old = block(before);
    if old == new {
        return Vec::new();
    }
    let moved = |line: &&String| !old.contains(line);
    let face = (before.phase, &before.node, &before.role) != (now.phase, &now.node, &now.role);
    if face { new } else { new.iter().filter(moved).cloned().collect() }
}

/// How to reach the node: never a secret, only the way.
fn reach(snapshot: &Snapshot) -> Option<String> {
    let address = snapshot.addresses.first()?.split(' ').nth(1)?;
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    snapshot.role?;
    Some(format!("skerry: reach: kubectl --kubeconfig FILE --server https://{host}:6443 get nodes"))
}

fn timeline(snapshot: &Snapshot) -> String {
    let moments = snapshot
        .timeline
        .iter()
        .map(|moment| format!("{} {}.{:01} s", moment.name, moment.at_ms / 1000, moment.at_ms % 1000 / 100));
    moments.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use skerry_formats::{role::Role, slot::Slot};

    use super::*;
    use crate::{boot_report, report::Machine};

    fn snapshot(phase: Phase) -> Snapshot {
        Snapshot {
            machine: Machine { version: "0.1.0".into(), board: "qemu-x86_64".into(), slot: Some(Slot::A) },
            node: "edge-1".into(),
            role: Some(Role::Single),
            addresses: vec!["eth0 10.0.2.15".into()],
            phase,
            waiting: String::new(),
            seed_errors: vec![],
            errors: vec![],
            kubernetes: None,
            timeline: vec![boot_report::Phase { name: "root".into(), at_ms: 4850 }],
        }
    }

    #[test]
    fn the_console_is_golden() {
        let mut waiting = snapshot(Phase::NoRole);
        waiting.role = None;
        waiting.waiting = "a seed with `skerry.role`".into();
        let mut wrong = snapshot(Phase::SeedError);
        wrong.seed_errors = vec!["user-data on the medium `vdb`, line 3: unknown key `skerry.rolle`".into()];
        wrong.errors = vec!["the medium `vdc` is unreadable".into()];
        let texts = [waiting, wrong, snapshot(Phase::Ready)].map(|snapshot| block(&snapshot).join("\n"));
        assert_eq!(texts.join("\n\n") + "\n", include_str!("../../golden/console.txt"));
    }

    #[test]
    fn only_what_moved_is_repeated() {
        let (mut before, mut now) = (snapshot(Phase::Starting), snapshot(Phase::Starting));
        assert!(difference(Some(&before), &now).is_empty());
        now.waiting = "kine".into();
        assert_eq!(difference(Some(&before), &now), ["skerry: waiting: kine"]);
        before.phase = Phase::NoAddress;
        assert_eq!(difference(Some(&before), &now), block(&now));
    }
}
