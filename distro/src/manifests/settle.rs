//! Brings a stack into the cluster, and takes out what left it. Whenever it is cut short, doing it again ends the same.

use super::{
    apply::{Applier, ApplyError},
    document::Object,
    record::{self, BadStack, StackRecord},
    stack::{ObjectRef, StackName, all, gone},
};
use crate::{
    api::{ApiError, Client},
    config::NodeName,
};

/// A stack that is not as its files say.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The cluster.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// An object.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What is remembered.
    #[error(transparent)]
    Record(#[from] BadStack),
}

/// What was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Objects applied.
    pub applied: usize,
    /// Objects removed.
    pub removed: usize,
}

/// Applies a stack's objects in order, and removes those that it applied before and has no more.
///
/// # Errors
/// At the first object that cannot be applied or removed.
pub fn settle(
    client: &Client,
    (stack, node): (&StackName, &NodeName),
    objects: &[Object],
) -> Result<Settled, SettleError> {
    let path = record::path(stack);
    let known = client.get(&path)?.as_ref().map(StackRecord::read).transpose()?;
    let before = known.as_ref().map_or(&[][..], |record| &record.objects);
    let now: Vec<ObjectRef> = objects.iter().map(ObjectRef::from).collect();
    let remember = |objects: Vec<ObjectRef>| {
        let record = StackRecord { stack: stack.to_string(), node: node.clone(), objects };
        if known.as_ref() == Some(&record) { Ok(()) } else { client.apply(&path, &record.object()) }
    };
    remember(all(before, &now))?;
    let mut applier = Applier::new(client.clone());
    for object in objects {
        applier.apply(object)?;
    }
    let removed = remove(&mut applier, &gone(before, &now))?;
    client.apply(&path, &StackRecord { stack: stack.to_string(), node: node.clone(), objects: now }.object())?;
    Ok(Settled { applied: objects.len(), removed })
}

/// Removes what a stack applied, as its files are gone.
///
/// # Errors
/// At the first object that cannot be removed.
pub fn dissolve(client: &Client, record: &StackRecord) -> Result<Settled, SettleError> {
    let removed = remove(&mut Applier::new(client.clone()), &gone(&record.objects, &[]))?;
    client.delete(&record::path(&StackName::of(&record.stack)))?;
    Ok(Settled { applied: 0, removed })
}

fn remove(applier: &mut Applier, objects: &[ObjectRef]) -> Result<usize, SettleError> {
    let mut count = 0;
    for object in objects {
        count += usize::from(applier.remove(object)?);
    }
    Ok(count)
}
