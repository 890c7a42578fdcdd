//! A folder on this machine's disk, and a cluster behind its API.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    apply::{Applier, ApplyError},
    document::Object,
    place::Place,
    record::{self, RECORDS, StackRecord},
    stack::{self, Look, ObjectRef, StackName},
    watch::{self, Print},
    world::{Cluster, Folder},
};
use crate::{
    api::{ApiError, Client},
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
    },
};

/// A folder on the disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// The owner's folder.
    pub folder: PathBuf,
    /// The file of the list.
    pub list: PathBuf,
}

impl Folder for Disk {
    fn look(&mut self) -> Result<Look, FsError> {
        stack::stacks(&self.folder)
    }

    fn print(&mut self, path: &Path) -> Option<Print> {
        watch::print(path)
    }

    fn read(&mut self, path: &Path) -> Result<String, FsError> {
        fs::read_to_string(path)
    }

    fn list(&mut self) -> Result<Option<String>, FsError> {
        fs::read_if_there(&self.list)
    }

    fn write_list(&mut self, text: &str) -> Result<(), FsError> {
        fs::write(&self.list, text.as_bytes(), Access::Private, Account::ROOT)?;
        self.list.parent().map_or(Ok(()), fs::persist)
    }
}

/// A cluster, for as long as a controller leads.
#[derive(Debug)]
pub struct Live<L> {
    client: Client,
    applier: Applier,
    leads: L,
}

impl<L: Fn() -> bool> Live<L> {
    /// A cluster of which nothing is known yet.
    pub fn new(client: Client, leads: L) -> Self {
        Self { applier: Applier::new(client.clone()), client, leads }
    }
}

impl<L: Fn() -> bool> Cluster for Live<L> {
    fn leads(&self) -> bool {
        (self.leads)()
    }

    fn records(&mut self) -> Result<Value, ApiError> {
        Ok(self.client.get(RECORDS)?.unwrap_or_default())
    }

    fn remember(&mut self, record: &StackRecord) -> Result<(), ApiError> {
        self.client.apply(&record::path(&StackName::of(&record.stack)), &record.object())
    }

    fn forget(&mut self, stack: &StackName) -> Result<(), ApiError> {
        self.client.delete(&record::path(stack)).map(drop)
    }

    fn apply(&mut self, object: &Object) -> Result<(), ApplyError> {
        self.applier.apply(object)
    }

    fn remove(&mut self, object: &ObjectRef) -> Result<bool, ApplyError> {
        self.applier.remove(object)
    }

    fn place(&mut self, object: &ObjectRef) -> Result<Option<Place>, ApplyError> {
        self.applier.place(object)
    }
}
