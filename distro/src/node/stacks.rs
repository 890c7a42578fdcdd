//! The owner's manifests folder, kept in the cluster as it is on the disk; of several controllers, the leader's.

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
    manifests::{self, Lead, Object, RECORDS, Snapshot, StackName, StackRecord},
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
    let (name, mut lead) = (node.settings.node.clone(), Lead::new(node.settings.node.clone()));
    let mut book = Book::default();
    loop {
        let client = api.borrow().clone();
        let leads = if node.duty.admits() {
            let (back, asked) = ask(lead, client.clone()).await;
            lead = back;
            asked
        } else {
            true
        };
        tell.send_if_modified(|told| std::mem::replace(told, leads) != leads);
        if leads {
            match manifests::stacks(&node.paths.manifests()) {
                Ok(stacks) => book.round(&client, &name, stacks).await,
                Err(error) => tracing::warn!(error = %chain(&error), "manifests not read"),
            }
        } else {
            // Another applies its own meanwhile: all is to be looked at anew when it is this one's turn again.
            book = Book::default();
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn ask(mut lead: Lead, client: Client) -> (Lead, bool) {
    let node = lead.node().clone();
    let asked = tokio::task::spawn_blocking(move || {
        let leads = lead.leads(&client);
        (lead, leads)
    });
    match asked.await {
        Ok((lead, Ok(leads))) => (lead, leads),
        Ok((lead, Err(error))) => {
            tracing::debug!(%error, "who leads is not known");
            (lead, false)
        }
        Err(_) => (Lead::new(node), false),
    }
}

impl Book {
    async fn round(&mut self, client: &Client, node: &NodeName, stacks: BTreeMap<StackName, Snapshot>) {
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
