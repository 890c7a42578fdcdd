//! Brings the stacks of a folder into a cluster, and takes out what left them, round after round. Whenever a round is cut short,
//! doing it again ends the same.
//!
//! Applying comes first, and can be undone. Removing cannot: it waits until two looks in a row saw the same files, all of which can be
//! read, and spares whatever any of them holds.

use super::{
    apply::ApplyError,
    content::{self, BadContent},
    document::Object,
    list::List,
    record::{self, BadStack, Records, StackRecord},
    stack::{Look, ObjectRef, StackName, all},
    told::Told,
    world::{Cluster, Folder},
};
use crate::{api::ApiError, config::NodeName, supervisor::chain, sys::fs::FsError};

/// A round that could not be gone to its end.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FsError),
    /// A file in it.
    #[error(transparent)]
    Content(#[from] BadContent),
    /// The cluster.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// An object.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// A stack that is not as its files say.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FsError),
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

/// What a controller knows from round to round.
#[derive(Debug)]
pub struct Book {
    pub(super) node: NodeName,
    pub(super) list: List,
    /// Whether the list's file says the same.
    pub(super) saved: Saved,
    /// The look before this one.
    before: Option<Look>,
    /// Stacks that are in the cluster as these files say.
    pub(super) applied: Look,
    /// The look whose leftovers are gone.
    tidied: Option<Look>,
    pub(super) told: Told,
}

/// Whether the list's file says what the list does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    Yes,
    No,
}

/// How far something came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// As far as it can.
    Done,
    /// Not far enough for anything to be removed.
    Waits,
}

/// A round at work.
pub(super) struct Round<'a, F, C> {
    pub(super) book: &'a mut Book,
    pub(super) folder: &'a mut F,
    pub(super) cluster: &'a mut C,
    pub(super) look: Look,
    pub(super) records: Records,
    before: Option<Look>,
}

impl Book {
    /// Begins with what was listed before.
    #[must_use]
    pub fn open(node: NodeName, folder: &mut impl Folder) -> Self {
        let text = folder.list().map_err(|error| chain(&error));
        let list = match text {
            Ok(None) => Ok(List::new(node.clone())),
            Ok(Some(text)) => List::parse(&text, &node).map_err(|error| chain(&error)),
            Err(error) => Err(error),
        };
        let list = list.unwrap_or_else(|error| {
            tracing::warn!(error, "what this controller applied before is not known");
            List::new(node.clone())
        });
        let (applied, told) = (Look::new(), Told::default());
        Self { node, list, saved: Saved::Yes, before: None, applied, tidied: None, told }
    }

    /// Looks, and does what is to be done. A stack that fails does not keep others waiting, is tried again in the next round, and its
    /// mistake is told once.
    ///
    /// # Errors
    /// If nothing can be done for any stack.
    pub fn round<F: Folder, C: Cluster>(&mut self, folder: &mut F, cluster: &mut C) -> Result<(), RoundError> {
        let look = folder.look().inspect_err(|_| self.before = None)?;
        let before = self.before.replace(look.clone());
        self.applied.retain(|stack, files| look.get(stack) == Some(files));
        let pending: Vec<StackName> = look.keys().filter(|stack| !self.applied.contains_key(*stack)).cloned().collect();
        if pending.is_empty() && self.saved == Saved::Yes && self.tidied.as_ref() == Some(&look) {
            return Ok(());
        }
        let records = record::read_all(&cluster.records()?);
        let mut round = Round { book: self, folder, cluster, look, records, before };
        let mut progress = Progress::Done;
        for stack in pending {
            if !round.cluster.leads() {
                return Ok(());
            }
            if round.settle(&stack) == Progress::Waits {
                progress = Progress::Waits;
            }
        }
        round.save_list();
        if progress == Progress::Done && round.has_rested() && round.tidy()? == Progress::Done {
            round.book.tidied = Some(round.look);
        }
        Ok(())
    }
}

impl<F: Folder, C: Cluster> Round<'_, F, C> {
    /// Whether all files are what they were a look ago, and their leftovers are not gone yet.
    fn has_rested(&self) -> bool {
        self.before.as_ref() == Some(&self.look) && self.book.tidied.as_ref() != Some(&self.look)
    }

    /// Applies a stack. One that was applied before waits until its files rest: they may be being written. A new one need not, if all
    /// of its files hold something.
    fn settle(&mut self, stack: &StackName) -> Progress {
        let Some(files) = self.look.get(stack).cloned() else { return Progress::Waits };
        let rested = self.before.as_ref().is_some_and(|before| before.get(stack) == Some(&files));
        if self.records.contains_key(stack) && !rested {
            return Progress::Waits;
        }
        let content = match content::read(self.folder, &files) {
            Ok(Some(content)) if rested || content.is_whole() => content,
            Err(error) if rested => return self.complain(stack, &chain(&error)),
            Ok(_) | Err(_) => return Progress::Waits,
        };
        for path in files.keys() {
            let name = path.to_string_lossy();
            if !content.blank.contains(path) {
                self.book.told.forget(&name);
            } else if self.book.told.is_news(&name, "blank") {
                tracing::warn!(%stack, "`{name}`: no manifest in it, so nothing of the stack is removed");
            }
        }
        let now = content.objects.iter().map(ObjectRef::from).collect::<Vec<_>>();
        if !now.is_empty() {
            if let Err(error) = self.remember(stack, &now) {
                return self.complain(stack, &chain(&error));
            }
            match self.apply(&content.objects) {
                Ok(Progress::Done) => tracing::info!(%stack, applied = now.len(), "applied"),
                Ok(Progress::Waits) => return Progress::Waits,
                Err(error) => {
                    self.complain(stack, &chain(&error));
                    return Progress::Done;
                }
            }
            self.book.tidied = None;
        }
        self.book.told.forget(stack.as_str());
        self.book.applied.insert(stack.clone(), files);
        Progress::Done
    }

    pub(super) fn complain(&mut self, stack: &StackName, error: &str) -> Progress {
        if self.book.told.is_news(stack.as_str(), error) {
            tracing::warn!(%stack, error, "not as its files say");
        }
        Progress::Waits
    }

    /// Writes down what is about to be applied, beside what was, so that a power cut loses track of nothing.
    fn remember(&mut self, stack: &StackName, now: &[ObjectRef]) -> Result<(), SettleError> {
        let known = self.records.get(stack).cloned().transpose()?;
        let before = known.as_ref().map_or(&[][..], |record| &record.objects);
        let objects = all(before, now);
        let record = StackRecord { stack: stack.to_string(), node: self.book.node.clone(), objects };
        if self.book.list.stacks.insert(stack.clone()) {
            self.book.saved = Saved::No;
            self.save_list();
        }
        if known.as_ref() != Some(&record) {
            self.cluster.remember(&record)?;
        }
        self.records.insert(stack.clone(), Ok(record));
        Ok(())
    }

    /// Objects in their order; the first that fails ends it, since later ones may build on it.
    fn apply(&mut self, objects: &[Object]) -> Result<Progress, ApplyError> {
        for object in objects {
            if !self.cluster.leads() {
                return Ok(Progress::Waits);
            }
            self.cluster.apply(object)?;
        }
        Ok(Progress::Done)
    }

    /// Without the file, the list is good for as long as this process lives.
    pub(super) fn save_list(&mut self) {
        if self.book.saved == Saved::Yes {
            return;
        }
        match self.folder.write_list(&self.book.list.text()) {
            Ok(()) => {
                self.book.saved = Saved::Yes;
                self.book.told.forget("");
            }
            Err(error) => {
                let error = chain(&error);
                if self.book.told.is_news("", &error) {
                    tracing::warn!(error, "what this controller applied is not written down");
                }
            }
        }
    }
}
