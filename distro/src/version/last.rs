//! `<data>/version`: the version that worked last on a data folder, a line of text.

use std::path::PathBuf;

use super::{BadRelease, Release};
use crate::{
    paths::Paths,
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
    },
};

/// A record that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    /// The file.
    #[error(transparent)]
    File(#[from] FsError),
    /// Its text.
    #[error("`{}` does not say which sk8s ran here last", .path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: BadRelease,
    },
}

/// What worked last on the data; `None` if nothing is written down.
///
/// # Errors
/// If the file cannot be read or says something else.
pub fn last(paths: &Paths) -> Result<Option<Release>, BadRecord> {
    let path = paths.version();
    let text = fs::read_if_there(&path)?;
    text.map(|text| text.trim_end().parse()).transpose().map_err(|source| BadRecord::Text { path, source })
}

/// Writes down what works on the data from now on.
///
/// # Errors
/// If the file cannot be written.
pub fn record(paths: &Paths, release: Release) -> Result<(), BadRecord> {
    Ok(fs::write(&paths.version(), format!("{release}\n").as_bytes(), Access::Public, Account::ROOT)?)
}
