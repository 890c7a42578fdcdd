//! The archive as a mirror has it now: all suites verified, all packages of some architectures.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use skerry_formats::{arch::Arch, digest::Digest};

use super::{
    index::{self, IndexError, Record},
    keyring::{KeyError, Keyring},
    mirror::{Location, Mirror, MirrorError},
    relation::BadRelation,
    release::{self, Expect, Listed, Release, ReleaseError},
    suite::{self, Suite},
    universe::Universe,
};
use crate::{
    fetch::{Client, FetchError},
    fsx::{self, FsError},
    report::{Explain, Outcome, Reporter},
    store::{Store, StoreError},
};

/// Debian's archive through a mirror, a keyring and a store.
#[derive(Debug)]
pub struct Archive {
    /// The mirror; that there is none matters only when one is needed.
    pub mirror: Result<Mirror, MirrorError>,
    /// Keys that are trusted.
    pub keyring: Keyring,
    /// Where files are kept.
    pub store: Store,
    /// Seconds since 1970.
    pub now: u64,
    /// Gets files.
    pub client: Client,
}

/// What is known of a suite from before, so that nothing older is taken for new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// When it was made, in seconds since 1970.
    pub date: u64,
    /// Digest of its `InRelease`: this very one may be used although it expired.
    pub digest: Digest,
}

/// The archive at one time.
#[derive(Debug)]
pub struct Snapshot {
    /// Each suite.
    pub suites: BTreeMap<Suite, SuiteState>,
    /// All packages for an architecture.
    pub universes: BTreeMap<Arch, Universe>,
}

/// One suite at one time.
#[derive(Debug)]
pub struct SuiteState {
    /// Its signed list.
    pub release: Release,
    /// The indexes that were read, by path from the suite's folder.
    pub indexes: BTreeMap<String, Listed>,
}

/// An archive that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A suite's signed list.
    #[error("cannot use `{path}` of mirror `{mirror}`")]
    Release {
        /// The mirror.
        mirror: String,
        /// The list's path.
        path: String,
        /// What is wrong.
        #[source]
        source: ReleaseError,
    },
    /// An index.
    #[error("cannot use index `{path}` of `{suite}`")]
    Index {
        /// The suite.
        suite: Suite,
        /// The index's path from the suite's folder.
        path: String,
        /// What is wrong.
        #[source]
        source: IndexError,
    },
    /// A package's relations.
    #[error("the indexes for `{arch}` are not understood")]
    Relation {
        /// The architecture.
        arch: Arch,
        /// What is not understood.
        #[source]
        source: BadRelation,
    },
    /// Getting a file.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A file operation.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self::Fetch(error.into())
    }
}

impl Explain for ArchiveError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Release { source: ReleaseError::Key(KeyError::Changed { .. } | KeyError::Format(_)), .. } => {
                Some("somebody changed it on the way, or the mirror is broken: give another with `--mirror`".to_owned())
            }
            Self::Release { source: ReleaseError::Key(_), .. } => {
                Some("only Debian's own archive, or an exact copy of it, can be a mirror".to_owned())
            }
            Self::Release { source: ReleaseError::Expired { .. } | ReleaseError::Replayed { .. }, .. } => {
                Some("the mirror is behind, or this host's clock is wrong".to_owned())
            }
            Self::Fetch(error) => error.hint(),
            _ => None,
        }
    }

    fn exit_code(&self) -> u8 {
        if let Self::Fetch(error) = self { error.exit_code() } else { 1 }
    }
}

impl Archive {
    /// The archive with Debian's own keys and an ordinary client.
    ///
    /// # Errors
    /// Never, as a test of the embedded keys shows.
    pub fn debian(mirror: Result<Mirror, MirrorError>, store: Store, now: u64) -> Result<Self, KeyError> {
        Ok(Self { mirror, keyring: Keyring::debian()?, store, now, client: Client::default() })
    }

    /// The mirror.
    ///
    /// # Errors
    /// If there is none.
    pub fn mirror(&self) -> Result<&Mirror, FetchError> {
        self.mirror.as_ref().map_err(|error| error.clone().into())
    }

    /// Reads all suites for some architectures, as the mirror has them now.
    ///
    /// # Errors
    /// If anything cannot be got, or is not signed, or is older than what is known.
    pub fn snapshot(
        &self,
        arches: &BTreeSet<Arch>,
        known: &BTreeMap<Suite, Known>,
        reporter: &Reporter,
    ) -> Result<Snapshot, ArchiveError> {
        let step = reporter.step("read the archive's indexes");
        let (mut suites, mut files) = (BTreeMap::new(), Vec::new());
        for suite in Suite::ALL {
            let release = self.release(suite, known.get(&suite))?;
            let mut indexes = BTreeMap::new();
            for (arch, component) in
                arches.iter().flat_map(|arch| suite::COMPONENTS.map(|component| (*arch, component)))
            {
                let path = suite::index_path(component, arch);
                let listed = release.file(&path).map_err(|source| self.bad_release(suite, source))?;
                files.push((arch, suite, path.clone(), self.index(suite, &path, listed)?));
                indexes.insert(path, listed);
            }
            suites.insert(suite, SuiteState { release, indexes });
        }
        let universes = universes(arches, &files)?;
        step.done(Outcome::Made);
        Ok(Snapshot { suites, universes })
    }

    fn release(&self, suite: Suite, known: Option<&Known>) -> Result<Release, ArchiveError> {
        let from = self.mirror()?.of(suite);
        let bytes = self.client.read(from, &suite.inrelease_path(), release::LARGEST)?;
        let digest = Digest::of(&bytes);
        let same = known.filter(|known| known.digest == digest);
        // What the lock already stands on may be read again for ever, as from a vendor folder.
        let now = same.map_or(self.now, |known| known.date);
        let not_before = known.map_or(0, |known| known.date);
        let expect = Expect { suite, now, not_before };
        let release =
            release::verify(&bytes, &self.keyring, &expect).map_err(|source| self.bad_release(suite, source))?;
        self.store.put_blob(&suite.inrelease_path(), &digest, bytes.len() as u64, &bytes[..])?;
        Ok(release)
    }

    fn bad_release(&self, suite: Suite, source: ReleaseError) -> ArchiveError {
        let mirror = self.mirror.as_ref().map_or_else(|_| String::new(), |mirror| mirror.of(suite).to_string());
        ArchiveError::Release { mirror, path: suite.inrelease_path(), source }
    }

    /// An index by its digest; by its plain name where a mirror has no other.
    pub(crate) fn index(&self, suite: Suite, path: &str, listed: Listed) -> Result<PathBuf, ArchiveError> {
        if let Some(blob) = self.store.blob(&listed.digest, listed.size)? {
            return Ok(blob);
        }
        let from = self.mirror()?.of(suite);
        let folder = format!("dists/{}", suite.codename());
        match self.file(from, &by_digest(&folder, path, &listed.digest), listed) {
            Err(FetchError::Gone { .. }) => Ok(self.file(from, &format!("{folder}/{path}"), listed)?),
            other => Ok(other?),
        }
    }

    pub(crate) fn file(&self, from: &Location, path: &str, listed: Listed) -> Result<PathBuf, FetchError> {
        let mut stream = self.client.stream(from, path);
        let result = self.store.put_blob(path, &listed.digest, listed.size, &mut stream);
        stream.check(result)
    }
}

impl Snapshot {
    /// All packages for an architecture; none if it was not asked for.
    #[must_use]
    pub fn universe(&self, arch: Arch) -> &Universe {
        static NONE: Universe = Universe::none();
        self.universes.get(&arch).unwrap_or(&NONE)
    }
}

/// Where an index lies under its digest: `…/binary-amd64/by-hash/SHA256/<digest>`.
#[must_use]
pub fn by_digest(folder: &str, path: &str, digest: &Digest) -> String {
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    format!("{folder}/{above}/by-hash/SHA256/{digest}")
}

type IndexFile = (Arch, Suite, String, PathBuf);

/// Reads the indexes, one thread for each architecture.
fn universes(arches: &BTreeSet<Arch>, files: &[IndexFile]) -> Result<BTreeMap<Arch, Universe>, ArchiveError> {
    let one = |arch: Arch| {
        let mut records: Vec<Record> = Vec::new();
        for (_, suite, path, blob) in files.iter().filter(|file| file.0 == arch) {
            let read = index::read_xz(*suite, fsx::open(blob)?);
            let wrong = |source| ArchiveError::Index { suite: *suite, path: path.clone(), source };
            records.extend(read.map_err(wrong)?);
        }
        Universe::new(records).map_err(|source| ArchiveError::Relation { arch, source })
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = arches.iter().map(|arch| (*arch, scope.spawn(|| one(*arch)))).collect();
        let join = |(arch, thread): (Arch, std::thread::ScopedJoinHandle<'_, Result<Universe, ArchiveError>>)| {
            let universe = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            universe.map(|universe| (arch, universe))
        };
        threads.into_iter().map(join).collect()
    })
}
