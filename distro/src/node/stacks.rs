//! The owner's manifests folder, kept in the cluster as it is on the disk; of several controllers, the leader's.

mod lead;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;

use super::{
    prepare::Prepared,
    tasks::{Failure, blocking},
};
use crate::{
    api::Client,
    config::NodeName,
    manifests::{self, Object, RECORDS, Snapshot, StackName, StackRecord},
    supervisor::chain,
    sys::fs,
};

/// How often the folder is looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// What is known of the stacks.
#[derive(Debug, Default)]
struct Book {
    applied: BTreeMap<StackName, Snapshot>,
    told: BTreeMap<StackName, String>,
    recorded: bool,
}

/// Follows the folder for as long as the process lives, and tells whether this controller leads. A stack that fails is tried again,
/// and its mistake is told once.
pub async fn follow(node: &Prepared, api: &watch::Receiver<Client>, tell: &watch::Sender<bool>) {
    tokio::join!(lead::keep(node, api, tell), rounds(node, api, tell.subscribe()));
}

async fn rounds(node: &Prepared, api: &watch::Receiver<Client>, mut leads: watch::Receiver<bool>) {
    while leads.wait_for(|leads| *leads).await.is_ok() {
        // Another applied its own meanwhile: all is to be looked at anew.
        let mut book = Book::default();
        while goes_on(&leads) {
            let (client, name) = (api.borrow().clone(), &node.settings.node);
            match manifests::stacks(&node.paths.manifests()) {
                Ok(stacks) => book.round((&client, name), &leads, stacks).await,
                Err(error) => tracing::warn!(error = %chain(&error), "manifests not read"),
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

/// Whether this controller has led ever since the receiver was last asked: it may have lost the lead, and have it again.
fn goes_on(leads: &watch::Receiver<bool>) -> bool {
    leads.has_changed().is_ok_and(|changed| !changed)
}

impl Book {
    async fn round(
        &mut self,
        (client, node): (&Client, &NodeName),
        leads: &watch::Receiver<bool>,
        stacks: BTreeMap<StackName, Snapshot>,
    ) {
        let gone: BTreeSet<StackName> =
            self.applied.keys().filter(|name| !stacks.contains_key(*name)).cloned().collect();
        if !self.recorded || !gone.is_empty() {
            let (client, node, there) = (client.clone(), node.clone(), stacks.keys().cloned().collect());
            match blocking(move || dissolve_absent(&client, &node, &there)).await {
                Ok(()) => {
                    self.recorded = true;
                    self.applied.retain(|name, _| !gone.contains(name));
                }
                Err(error) => tracing::warn!(error = chain(&*error), "stacks whose files are gone are still there"),
            }
        }
        for (stack, files) in stacks {
            if self.applied.get(&stack) == Some(&files) {
                continue;
            }
            if !goes_on(leads) {
                return;
            }
            let (client, node, name) = (client.clone(), node.clone(), stack.clone());
            let paths: Vec<_> = files.keys().cloned().collect();
            let work = move || -> Result<_, Failure> {
                let mut objects: Vec<Object> = Vec::new();
                for path in paths {
                    let text = fs::read_to_string(&path)?;
                    let found =
                        manifests::objects(&text).map_err(|error| format!("{}: {}", path.display(), chain(&error)))?;
                    objects.extend(found);
                }
                Ok(manifests::settle(&client, (&name, &node), &objects)?)
            };
            match blocking(work).await {
                Ok(done) => {
                    tracing::info!(%stack, applied = done.applied, removed = done.removed, "applied");
                    self.told.remove(&stack);
                    self.applied.insert(stack, files);
                }
                Err(error) => {
                    let error = chain(&*error);
                    if self.told.insert(stack.clone(), error.clone()).as_ref() != Some(&error) {
                        tracing::warn!(%stack, error, "not applied");
                    }
                }
            }
        }
    }
}

/// Removes what stacks of this controller applied whose files are gone.
fn dissolve_absent(client: &Client, node: &NodeName, there: &BTreeSet<StackName>) -> Result<(), Failure> {
    let list = client.get(RECORDS)?.unwrap_or_default();
    for object in list["items"].as_array().into_iter().flatten() {
        let record = match StackRecord::read(object) {
            Ok(record) => record,
            Err(error) => {
                tracing::warn!(%error, "a stack is left alone");
                continue;
            }
        };
        if record.node != *node || there.contains(&StackName::of(&record.stack)) {
            continue;
        }
        let done = manifests::dissolve(client, &record)?;
        tracing::info!(stack = record.stack, removed = done.removed, "its files are gone");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::goes_on;

    #[test]
    fn a_lead_that_was_lost_between_is_another() {
        let tell = watch::Sender::new(false);
        let mut leads = tell.subscribe();
        tell.send_replace(true);
        assert!(*leads.borrow_and_update() && goes_on(&leads) && goes_on(&leads.clone()));
        tell.send_replace(false);
        tell.send_replace(true);
        assert!(!goes_on(&leads));
        leads.mark_unchanged();
        assert!(goes_on(&leads));
        drop(tell);
        assert!(!goes_on(&leads), "the process ends");
    }
}
