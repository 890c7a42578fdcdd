//! Keeps a running node up to date: certificates before they end, components when the node's addresses change.

use std::{collections::BTreeSet, time::Duration};

use super::prepare::{NodeError, Prepared};
use crate::{
    api::Client,
    component::{ComponentId, ComponentSpec},
    pki::{self, LeafId, Reason},
    supervisor::{Command, Handle, chain},
    sys::{clock, machine},
};

/// How often addresses and clock are looked at.
const PERIOD: Duration = Duration::from_secs(10);

/// Cares for as long as the process lives.
pub async fn care(mut node: Prepared, handle: Handle) {
    loop {
        tokio::time::sleep(PERIOD).await;
        match round(&mut node) {
            Ok(commands) => {
                for command in commands {
                    handle.ask(command).await;
                }
            }
            Err(error) => tracing::warn!(error = %chain(&error), "not up to date"),
        }
    }
}

/// Looks once, writes what is to be new, and says what the supervisor must do for it.
fn round(node: &mut Prepared) -> Result<Vec<Command>, NodeError> {
    let before = node.components()?;
    if let Some(seen) = machine::observe() {
        node.machine = seen;
    }
    node.render()?;
    let now = clock::now();
    let due = pki::due(&node.held, &node.desk().wanted(), now);
    let mut commands = Vec::new();
    for (leaf, reason) in &due {
        tracing::info!(?leaf, ?reason, "certificate issued again");
        let (issued, held) = node.desk().issue(*leaf, now)?;
        node.held.insert(*leaf, held);
        if *leaf == LeafId::Admin {
            node.client = Client::new(&node.identity.ca.certificate, &issued)?;
            commands.push(Command::Client(node.client.clone()));
        }
    }
    // Components read their certificates again by themselves within minutes; one that ended cannot wait so long.
    let expired: BTreeSet<ComponentId> =
        due.iter().filter(|(_, reason)| **reason == Reason::Expired).filter_map(|(leaf, _)| leaf.user()).collect();
    let restart = to_restart(&before, node.components()?, &expired);
    if !restart.is_empty() {
        commands.push(Command::Replace(restart));
    }
    Ok(commands)
}

/// The components that were started with other words than now, or with a certificate that has ended.
fn to_restart(
    before: &[ComponentSpec],
    now: Vec<ComponentSpec>,
    expired: &BTreeSet<ComponentId>,
) -> Vec<ComponentSpec> {
    let other = |spec: &ComponentSpec| before.iter().any(|old| old.id == spec.id && old.args != spec.args);
    now.into_iter().filter(|spec| other(spec) || expired.contains(&spec.id)).collect()
}
