//! What rounds look at and change, and nothing else: a folder on the disk and a cluster. Tests have others than `live`'s.

use std::path::Path;

use serde_json::Value;

use super::{
    apply::ApplyError,
    document::Object,
    place::Place,
    record::StackRecord,
    stack::{Look, ObjectRef, StackName},
    watch::Print,
};
use crate::{api::ApiError, sys::fs::FsError};

/// The owner's folder, and the list of what was applied from it.
pub trait Folder {
    /// The stacks that are in it now.
    ///
    /// # Errors
    /// If that cannot be said.
    fn look(&mut self) -> Result<Look, FsError>;

    /// What one of its files is now.
    fn print(&mut self, path: &Path) -> Option<Print>;

    /// The text of one of its files.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(&mut self, path: &Path) -> Result<String, FsError>;

    /// The text of the list; `None` if there is none yet.
    ///
    /// # Errors
    /// If it cannot be read.
    fn list(&mut self) -> Result<Option<String>, FsError>;

    /// Writes the list so that it outlives a power cut.
    ///
    /// # Errors
    /// If it cannot be written.
    fn write_list(&mut self, text: &str) -> Result<(), FsError>;
}

/// A cluster, as far as stacks go.
pub trait Cluster {
    /// Whether it is still for this controller to change it.
    fn leads(&self) -> bool;

    /// All records of stacks, as a list of the API.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn records(&mut self) -> Result<Value, ApiError>;

    /// Writes a stack's record.
    ///
    /// # Errors
    /// If it cannot be written.
    fn remember(&mut self, record: &StackRecord) -> Result<(), ApiError>;

    /// Removes a stack's record.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn forget(&mut self, stack: &StackName) -> Result<(), ApiError>;

    /// Makes the cluster hold an object as it is written.
    ///
    /// # Errors
    /// If its kind is unknown, or it is refused.
    fn apply(&mut self, object: &Object) -> Result<(), ApplyError>;

    /// Removes an object; whether there was one.
    ///
    /// # Errors
    /// If that is refused.
    fn remove(&mut self, object: &ObjectRef) -> Result<bool, ApplyError>;

    /// Where an object is, or would be; `None` if there is no such kind.
    ///
    /// # Errors
    /// If the cluster cannot be asked.
    fn place(&mut self, object: &ObjectRef) -> Result<Option<Place>, ApplyError>;
}
