//! Many files at once into the store.

use std::{
    io::{self, Read},
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use skerry_formats::digest::Digest;

use super::{Client, FetchError};
use crate::{
    archive::mirror::Location,
    report::{Outcome, Reporter, Step},
    store::{Store, StoreError},
};

/// More lines at once make a mirror no faster.
const LINES: usize = 6;

/// A file that is wanted in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// What it is, for people: `systemd 257.9-1 amd64`.
    pub what: String,
    /// The mirror that has it.
    pub from: Location,
    /// Its path from the mirror's top.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

/// Gets all files that the store does not have; with all of them there, no mirror is asked at all.
///
/// # Errors
/// If files are gone from the mirror, all of them are named; any other failure ends it at once.
pub fn all(client: &Client, store: &Store, wants: &[Want], reporter: &Reporter) -> Result<(), FetchError> {
    if wants.is_empty() {
        return Ok(());
    }
    let mut missing = Vec::new();
    for want in wants {
        if store.blob(&want.digest, want.size)?.is_none() && !missing.contains(&want) {
            missing.push(want);
        }
    }
    let step = reporter.step(format!("fetch {} packages", wants.len()));
    if missing.is_empty() {
        step.done(Outcome::FromStore);
        return Ok(());
    }
    step.total(missing.iter().map(|want| want.size).sum());
    missing.sort_by_key(|want| std::cmp::Reverse(want.size));
    let job = Job { client, store, missing, next: AtomicUsize::new(0), ended: Mutex::default() };
    std::thread::scope(|scope| {
        for _ in 1..LINES.min(job.missing.len()) {
            scope.spawn(|| job.work(&step));
        }
        job.work(&step);
    });
    job.result()?;
    step.done(Outcome::Made);
    Ok(())
}

/// One file, from the store or a mirror.
///
/// # Errors
/// If it cannot be got or is not what it must be.
pub(super) fn one(client: &Client, store: &Store, want: &Want, step: &Step) -> Result<PathBuf, FetchError> {
    let take = |counted: &mut Counted<'_, '_>| store.put_blob(&want.what, &want.digest, want.size, counted);
    let mut counted = Counted { stream: client.stream(&want.from, &want.path), step };
    let mut result = take(&mut counted);
    if matches!(result, Err(StoreError::Mismatch { .. })) && counted.stream.resumed() {
        // Two states of a mirror may have been mixed: once more, from the start.
        counted.stream = client.stream(&want.from, &want.path);
        result = take(&mut counted);
    }
    counted.stream.check(result)
}

struct Job<'a> {
    client: &'a Client,
    store: &'a Store,
    missing: Vec<&'a Want>,
    next: AtomicUsize,
    ended: Mutex<Ended>,
}

#[derive(Default)]
struct Ended {
    gone: Vec<String>,
    failure: Option<FetchError>,
}

impl Job<'_> {
    fn work(&self, step: &Step) {
        while let Some(want) = self.missing.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let Err(error) = one(self.client, self.store, want, step) else { continue };
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            match error {
                FetchError::Gone { .. } => ended.gone.push(want.what.clone()),
                error => {
                    ended.failure.get_or_insert(error);
                    self.next.store(self.missing.len(), Ordering::Relaxed);
                }
            }
        }
    }

    fn result(self) -> Result<(), FetchError> {
        let mut ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        ended.gone.sort();
        match ended.failure {
            Some(failure) => Err(failure),
            None if ended.gone.is_empty() => Ok(()),
            None => Err(FetchError::PackagesGone(ended.gone)),
        }
    }
}

/// Tells the step of each byte.
struct Counted<'a, 'b> {
    stream: super::Stream<'a>,
    step: &'b Step,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.step.advance(count as u64);
        Ok(count)
    }
}
