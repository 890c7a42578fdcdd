//! containerd's own client program: what is needed of it.

use std::path::{Path, PathBuf};

use crate::{
    paths::Paths,
    sys::{
        fs::{self, FsError},
        process::{self, ProcessError},
    },
};

/// The program that it is a part of, and its name in there.
const PROGRAM: &str = "containerd";
const PART: &str = "ctr";
/// Where the kubelet's containers and images are.
const NAMESPACE: &str = "k8s.io";

/// Keeps the kubelet from collecting an image that no registry could give back.
const PINNED: &str = "io.cri-containerd.pinned";

/// A containerd, as the pods in it see it.
#[derive(Clone, Debug)]
pub struct Ctr {
    program: PathBuf,
    socket: String,
}

impl Ctr {
    /// That at a socket.
    #[must_use]
    pub fn new(paths: &Paths, socket: &Path) -> Self {
        Self { program: paths.components.join(PROGRAM), socket: socket.display().to_string() }
    }

    /// The node's own.
    #[must_use]
    pub fn own(paths: &Paths) -> Self {
        Self::new(paths, &paths.containerd_socket())
    }

    /// Becomes containerd's client for whoever wants to look for himself; other words than ours may lead it elsewhere.
    ///
    /// # Errors
    /// Always, if it returns: the program could not be executed.
    #[must_use]
    pub fn become_client(&self, words: Vec<String>) -> ProcessError {
        let all: Vec<String> = std::iter::once(PART.to_owned()).chain(words).collect();
        let place = [("CONTAINERD_ADDRESS", self.socket.as_ref()), ("CONTAINERD_NAMESPACE", NAMESPACE.as_ref())];
        process::become_program(&self.program, &all, &place)
    }

    /// Asks it something.
    ///
    /// # Errors
    /// If it does not answer, or is no containerd.
    pub fn answers(&self) -> Result<(), ProcessError> {
        self.list().map(drop)
    }

    fn run(&self, words: &[&str]) -> Result<String, ProcessError> {
        let base = [PART, "--address", &self.socket, "--namespace", NAMESPACE];
        process::output(&self.program, &[&base[..], words].concat())
    }

    fn images(&self, words: &[&str]) -> Result<String, ProcessError> {
        self.run(&[&["images"], words].concat())
    }

    /// The names of the containers that a filter of containerd's lets through, a line each.
    ///
    /// # Errors
    /// If containerd cannot be asked.
    pub fn containers(&self, filter: &str) -> Result<String, ProcessError> {
        self.run(&["containers", "list", "--quiet", filter])
    }

    /// What runs: a heading, then a line for each container with its name, first process and state.
    ///
    /// # Errors
    /// If containerd cannot be asked.
    pub fn tasks(&self) -> Result<String, ProcessError> {
        self.run(&["tasks", "list"])
    }

    /// A line for each image: reference, type, digest and more, with blanks between.
    pub(super) fn list(&self) -> Result<String, ProcessError> {
        self.images(&["list"])
    }

    /// Imports all images of an archive, pinned.
    pub(super) fn import(&self, archive: &Path) -> Result<(), ProcessError> {
        let label = format!("{PINNED}=pinned");
        let words = ["import", "--local", "--discard-unpacked-layers", "--sync-fs", "--label", &label];
        self.images(&[&words[..], &[&archive.display().to_string()]].concat()).map(drop)
    }

    /// Lets the kubelet collect an image when it needs the room.
    pub(super) fn unpin(&self, reference: &str) -> Result<(), ProcessError> {
        self.images(&["label", reference, &format!("{PINNED}=")]).map(drop)
    }
}

/// The socket of the runtime that has the node's pods, if that is not ours.
///
/// # Errors
/// If the note of it cannot be read.
pub fn external_runtime(paths: &Paths) -> Result<Option<PathBuf>, FsError> {
    Ok(fs::read_if_there(&paths.external_runtime())?.map(|text| text.trim_end().into()))
}

/// The references in a list of images.
pub(super) fn references(list: &str) -> impl Iterator<Item = &str> {
    list.lines().skip(1).filter_map(|line| line.split_whitespace().next())
}
