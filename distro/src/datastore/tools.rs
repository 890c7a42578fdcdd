//! What kine and etcd do to a datastore when asked to, beside being it (`tools.go` of each).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::DatastoreError;
use crate::{
    paths::Paths,
    sys::process::{self, ProcessError},
};

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// For SQLite, and for a look at MySQL and PostgreSQL.
    Kine,
    /// For etcd.
    Etcd,
}

/// What is known of a datastore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The highest revision that a client can have seen.
    pub revision: u64,
    /// Keys that are there now.
    pub keys: u64,
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Tools {
    components: PathBuf,
}

impl Tools {
    /// The programs of a node.
    #[must_use]
    pub fn of(paths: &Paths) -> Self {
        Self { components: paths.components.clone() }
    }

    fn program(&self, tool: Tool) -> PathBuf {
        self.components.join(match tool {
            Tool::Kine => "kine",
            Tool::Etcd => "etcd",
        })
    }

    /// Runs a tool that answers with nothing.
    ///
    /// # Errors
    /// The tool's own words if it refuses.
    pub fn ask(&self, tool: Tool, args: &[&str], env: &[(&str, &str)]) -> Result<String, DatastoreError> {
        process::tool(&self.program(tool), args, env).map_err(|error| match error {
            ProcessError::Failed { tail, .. } if !tail.is_empty() => DatastoreError::Refused(tail),
            other => other.into(),
        })
    }

    /// Runs a tool that answers with what it found.
    ///
    /// # Errors
    /// As [`Tools::ask`], or if the answer is none.
    pub fn summary(&self, tool: Tool, args: &[&str]) -> Result<Summary, DatastoreError> {
        let answer = self.ask(tool, args, &[])?;
        let name = match tool {
            Tool::Kine => "kine",
            Tool::Etcd => "etcd",
        };
        serde_json::from_str(&answer).map_err(|source| DatastoreError::Answer { tool: name, source })
    }
}

/// A path as an argument. Ours are all UTF-8: they come from flags that are.
pub(crate) fn word(path: &Path) -> String {
    path.display().to_string()
}
