//! Keeps a running node up to date: certificates before they end, components when the node's addresses change.

use std::{collections::BTreeSet, time::Duration};

use super::{
    council::{self, Wish},
    linked::Lines,
    prepare::{Keys, NodeError, Prepared},
    renew::Renewal,
    standing::Standing,
};
use crate::{
    api::Client,
    component::{ComponentId, ComponentSpec},
    datastore,
    join::Opened,
    link::Credentials,
    peers::{Company, Known},
    pki::{self, Desk, Identity, Leaf, LeafId, Reason},
    supervisor::{Command, Handle, chain},
    sys::{clock, machine},
};

/// How often addresses and clock are looked at.
const PERIOD: Duration = Duration::from_secs(10);

/// Cares for as long as the process lives.
pub async fn care(mut node: Prepared, mut lines: Lines, handle: Handle) {
    let mut renewal = Renewal::default();
    loop {
        renewal.round(&mut node, &lines).await;
        let wish = tokio::select! {
            () = tokio::time::sleep(PERIOD) => None,
            wish = lines.wish() => Some(wish),
        };
        match round(&mut node, &mut lines, wish.as_ref()) {
            Ok(restart) if restart.is_empty() => {}
            Ok(restart) => handle.ask(Command::Replace(restart)).await,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "not up to date");
                continue;
            }
        }
        if let Some(wish) = wish {
            grant(&node, wish);
        }
    }
}

/// Says that the member of etcd is open, or will be in a moment. Who asked may have gone.
fn grant(node: &Prepared, wish: Wish) {
    let Standing::Owner(identity) = &node.standing else { return };
    match council::client(identity) {
        Ok(etcd) => {
            let _gone = wish.send(Opened { name: node.settings.node.clone(), address: node.peer(), etcd });
        }
        Err(error) => tracing::warn!(error = %chain(&error), "etcd takes no others"),
    }
}

/// Looks once, writes what is to be new, and says which components must start again for it.
fn round(node: &mut Prepared, lines: &mut Lines, wish: Option<&Wish>) -> Result<Vec<ComponentSpec>, NodeError> {
    let before = node.components()?;
    if wish.is_some() && node.known.company == Company::Alone {
        node.known.company = Company::Several;
        node.known.save(&node.paths.peers())?;
        tracing::info!("etcd starts again to listen for other controllers");
    }
    if !node.known.join.is_empty() {
        // What etcd was started with stays its words while it runs; for the next start they are not to be there.
        Known::load(&node.paths.peers(), &node.paths.etcd())?;
    }
    // Where the address that is wished for has gone, what it was made for stays until it is back.
    if let Some(seen) = machine::observe(node.settings.node_address.as_ref()) {
        node.machine = seen;
    }
    lines.moved(node);
    if lines.found.has_changed().unwrap_or_default() {
        found(node, lines)?;
    }
    node.render()?;
    if let Standing::Owner(_) = &node.standing {
        if let Err(error) = datastore::copy_proof(&node.settings, &node.paths, &node.machine) {
            tracing::warn!(error = %chain(&error), "what proves us to the datastore is as it was");
        }
        if let Err(error) = datastore::note(&node.settings.storage, &node.paths) {
            tracing::warn!(error = %chain(&error), "not noted that the cluster's objects are here");
        }
    }
    let expired = match node.standing.clone() {
        Standing::Owner(identity) => reissue(node, lines, &identity)?,
        Standing::Member(_) => BTreeSet::new(),
    };
    Ok(to_restart(&before, node.components()?, &expired))
}

/// Takes in what the cluster says of its controllers.
fn found(node: &mut Prepared, lines: &mut Lines) -> Result<(), NodeError> {
    let found = lines.found.borrow_and_update().clone();
    let Standing::Member(member) = &mut node.standing else {
        lines.controllers(node);
        return Ok(());
    };
    if member.learn(&found) {
        member.save(&node.paths.membership()).map_err(super::EnrolError::from)?;
        lines.servers(&member.admission.servers);
    }
    Ok(())
}

/// Issues what is due, and names the components whose certificate has ended already: the others read their certificates
/// again by themselves within minutes, these cannot wait so long.
fn reissue(node: &mut Prepared, lines: &Lines, identity: &Identity) -> Result<BTreeSet<ComponentId>, NodeError> {
    let now = clock::now();
    let due = pki::due(&node.held, &node.shelf().wanted(), now);
    for (leaf, reason) in &due {
        tracing::info!(?leaf, ?reason, "certificate issued again");
        let (issued, held) = Desk { identity, shelf: node.shelf() }.issue(*leaf, now)?;
        node.held.insert(*leaf, held);
        if matches!(leaf, LeafId::Admin | LeafId::Link | LeafId::Kubelet) {
            adopt(lines, identity, *leaf, issued)?;
        }
    }
    Ok(due.iter().filter(|(_, reason)| **reason == Reason::Expired).filter_map(|(leaf, _)| leaf.user()).collect())
}

/// The supervisor's own certificates are in use at once.
fn adopt(lines: &Lines, identity: &Identity, leaf: LeafId, issued: Leaf) -> Result<(), NodeError> {
    let authority = identity.ca.certificate.clone();
    if leaf == LeafId::Admin {
        lines.client.send_replace(Client::new(&authority, &issued)?);
        return Ok(());
    }
    let credentials = Credentials { authority, leaf: issued };
    if leaf == LeafId::Kubelet {
        lines.rekey_node(credentials);
        return Ok(());
    }
    let client = lines.client.borrow().clone();
    Ok(lines.rekey(Keys { client, link: credentials, node: None })?)
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
