//! The owner's manifests folder, kept in the cluster as it is on the disk; of several controllers, the leader's.

mod lead;

use std::{path::Path, time::Duration};

use tokio::sync::watch;

use super::{
    prepare::Prepared,
    tasks::{Told, blocking},
};
use crate::{
    api::Client,
    manifests::{Book, Disk, Live},
    supervisor::chain,
};

/// How often the folder is looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// Follows the folder for as long as the process lives, and tells whether this controller leads.
pub async fn follow(node: &Prepared, api: &watch::Receiver<Client>, tell: &watch::Sender<bool>) {
    tokio::join!(lead::keep(node, api, tell), rounds(node, api, tell.subscribe()));
}

/// The folder, and the list of what was applied from it. That is beside the keys, where every backup takes it along, and where nobody
/// copies it from one controller to another as the owner may the folder.
fn disk(node: &Prepared) -> Disk {
    Disk { folder: node.paths.manifests(), list: node.paths.pki().join(Path::new("stacks.json")) }
}

async fn rounds(node: &Prepared, api: &watch::Receiver<Client>, mut leads: watch::Receiver<bool>) {
    while leads.wait_for(|leads| *leads).await.is_ok() {
        // Another applied its own meanwhile: all is to be looked at anew.
        let (mut book, mut told) = (None, Told::default());
        while goes_on(&leads) {
            let (client, name, mut disk) = (api.borrow().clone(), node.settings.node.clone(), disk(node));
            let (known, turn) = (book.take(), leads.clone());
            let done = blocking(move || {
                let mut book = known.unwrap_or_else(|| Book::open(name, &mut disk));
                let done = book.round(&mut disk, &mut Live::new(client, || goes_on(&turn)));
                Ok((book, done.map_err(|error| chain(&error))))
            });
            let error = match done.await {
                Ok((back, done)) => {
                    book = Some(back);
                    done.err()
                }
                Err(error) => Some(chain(&*error)),
            };
            match error {
                None => told.forget(),
                Some(error) if told.is_news(&error) => tracing::warn!(error, "the manifests folder is not followed"),
                Some(_) => {}
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

/// Whether this controller has led ever since the receiver was last asked: it may have lost the lead, and have it again.
fn goes_on(leads: &watch::Receiver<bool>) -> bool {
    leads.has_changed().is_ok_and(|changed| !changed)
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
