//! Takes out of the cluster what left the folder.

use std::collections::BTreeMap;

use super::{
    apply::ApplyError,
    content,
    place::{Held, Placed, Verdict},
    record::StackRecord,
    round::{Progress, Round, RoundError, Saved, SettleError},
    stack::{ObjectRef, StackName},
    world::{Cluster, Folder},
};
use crate::supervisor::chain;

/// What the files of a stack say now.
struct Present {
    objects: Vec<ObjectRef>,
    ripe: Ripe,
}

/// Whether what is not in a stack's files may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ripe {
    /// It is in the cluster as its files say.
    Yes,
    /// It could not be applied, or one of its files holds nothing.
    No,
}

/// Who applied a stack last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    /// This installation of this controller.
    Ours,
    /// One of the same name that is no more.
    Predecessors,
    /// Another controller.
    Anothers,
}

/// What is to become of what a stack applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// What is no more in its files goes.
    Trim,
    /// Its files are gone: all of it goes.
    Dissolve,
    /// All of it stays.
    Stay,
    /// Nothing is done for it: what only it has stays.
    Leave,
}

/// What is to become of a stack; `None` if it is not in the folder.
const fn fate(present: Option<Ripe>, by: Hand) -> Fate {
    match (present, by) {
        (Some(Ripe::Yes), Hand::Ours) => Fate::Trim,
        (None, Hand::Ours) => Fate::Dissolve,
        (None, Hand::Predecessors) => Fate::Leave,
        (Some(Ripe::Yes | Ripe::No) | None, _) => Fate::Stay,
    }
}

impl<F: Folder, C: Cluster> Round<'_, F, C> {
    /// Removes what left the folder, unless the folder is another by now.
    pub(super) fn tidy(&mut self) -> Result<Progress, RoundError> {
        let Some(present) = self.present()? else { return Ok(Progress::Waits) };
        let mut held = Held::default();
        for object in present.values().flat_map(|stack| &stack.objects) {
            held.add(self.placed(object)?);
        }
        let mut leaving = Vec::new();
        for (stack, record) in self.readable() {
            let fate = fate(present.get(&stack).map(|stack| stack.ripe), self.hand(&stack, &record));
            match fate {
                Fate::Trim | Fate::Dissolve => leaving.push((stack, record)),
                Fate::Leave => self.tell_left(&stack),
                Fate::Stay => {
                    for object in &record.objects {
                        held.add(self.placed(object)?);
                    }
                }
            }
        }
        let mut progress = Progress::Done;
        for (stack, record) in leaving {
            if !self.cluster.leads() {
                return Ok(Progress::Waits);
            }
            let now = present.get(&stack).map(|stack| stack.objects.as_slice());
            match self.clear(record, now, &held) {
                Ok(Progress::Done) => {}
                Ok(Progress::Waits) => return Ok(Progress::Waits),
                Err(error) => progress = self.complain(&stack, &chain(&error)),
            }
        }
        if progress == Progress::Done {
            self.prune_list();
        }
        Ok(progress)
    }

    /// What all files say; `None` if they are no more what they were.
    fn present(&mut self) -> Result<Option<BTreeMap<StackName, Present>>, RoundError> {
        let mut present = BTreeMap::new();
        for (stack, files) in &self.look {
            let Some(content) = content::read(self.folder, files)? else { return Ok(None) };
            let ripe = content.blank.is_empty() && self.book.applied.contains_key(stack);
            let ripe = if ripe { Ripe::Yes } else { Ripe::No };
            let objects = content.objects.iter().map(ObjectRef::from).collect();
            present.insert(stack.clone(), Present { objects, ripe });
        }
        Ok(Some(present))
    }

    fn placed(&mut self, object: &ObjectRef) -> Result<Placed, ApplyError> {
        Ok((object.clone(), self.cluster.place(object)?))
    }

    /// The records that can be read. Of others it is said once that they cannot.
    fn readable(&mut self) -> Vec<(StackName, StackRecord)> {
        let mut found = Vec::new();
        for (stack, record) in &self.records {
            match record {
                Ok(record) => found.push((stack.clone(), record.clone())),
                Err(error) if self.book.told.is_news(stack.as_str(), &error.to_string()) => {
                    tracing::warn!(%error, "a stack is left alone");
                }
                Err(_) => {}
            }
        }
        found
    }

    fn hand(&self, stack: &StackName, record: &StackRecord) -> Hand {
        if record.node != self.book.node {
            Hand::Anothers
        } else if self.book.list.stacks.contains(stack) {
            Hand::Ours
        } else {
            Hand::Predecessors
        }
    }

    fn tell_left(&mut self, stack: &StackName) {
        if self.book.told.is_news(stack.as_str(), "left") {
            tracing::warn!(
                %stack,
                "it stays, as an earlier installation of this controller applied it: to remove it, put its file back and take it away again"
            );
        }
    }

    /// Whether what was found out still holds: this is the last moment to see that it does not.
    fn may_remove(&mut self) -> Result<bool, SettleError> {
        Ok(self.cluster.leads() && self.folder.look()? == self.look)
    }

    /// Removes what a stack applied and nobody wants; `now` is what its files say, if it has any.
    fn clear(&mut self, record: StackRecord, now: Option<&[ObjectRef]>, held: &Held) -> Result<Progress, SettleError> {
        let applied = record.objects.iter().map(|object| self.placed(object)).collect::<Result<Vec<_>, _>>()?;
        let (mut needed, mut removed) = (Vec::new(), 0);
        for (object, verdict) in held.leftovers(&applied) {
            if verdict == Verdict::Needed {
                needed.insert(0, object);
            } else if self.may_remove()? {
                removed += usize::from(self.cluster.remove(&object)?);
            } else {
                return Ok(Progress::Waits);
            }
        }
        let stack = StackName::of(&record.stack);
        if removed > 0 {
            tracing::info!(%stack, removed, "what left its files is removed");
        }
        for object in &needed {
            if self.book.told.is_news(&format!("{stack} {}/{}", object.kind, object.name), "needed") {
                tracing::warn!(%stack, "`{}/{}` left its files and stays: what is in others would go with it", object.kind, object.name);
            }
        }
        let objects = [&needed, now.unwrap_or_default()].concat();
        if now.is_none() && objects.is_empty() {
            self.cluster.forget(&stack)?;
            self.records.remove(&stack);
            tracing::info!(%stack, "its files are gone");
            return Ok(Progress::Done);
        }
        let next = StackRecord { objects, ..record.clone() };
        if next != record {
            self.cluster.remember(&next)?;
        }
        self.records.insert(stack, Ok(next));
        Ok(Progress::Done)
    }

    /// Nothing need be known of a stack that has neither files nor a record of this controller.
    fn prune_list(&mut self) {
        let (look, records, node) = (&self.look, &self.records, &self.book.node);
        let ours = |stack: &StackName| match records.get(stack) {
            Some(Ok(record)) => record.node == *node,
            Some(Err(_)) => true,
            None => false,
        };
        let before = self.book.list.stacks.len();
        self.book.list.stacks.retain(|stack| look.contains_key(stack) || ours(stack));
        if self.book.list.stacks.len() != before {
            self.book.saved = Saved::No;
            self.save_list();
        }
    }
}
