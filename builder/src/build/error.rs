//! Why an image could not be built.

use super::sets::SetError;
use crate::{
    catalog::DataError,
    component::ComponentError,
    compose::ComposeError,
    fsx::FsError,
    image::ImageError,
    lock::LockError,
    plan::PlanError,
    report::Explain,
    seal::{erofs::ErofsError, uki::UkiError},
    store::StoreError,
    tree::BadPath,
};

/// Why an image could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A locked package.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A set of packages.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A component.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The tree.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The root file system.
    #[error(transparent)]
    Erofs(#[from] ErofsError),
    /// The kernel image.
    #[error(transparent)]
    Uki(#[from] UkiError),
    /// The disk image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A data file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The host.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A path that has no place in a tree.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// What a manifest cannot hold.
    #[error("could not write the image's manifest")]
    Manifest(#[from] skerry_formats::manifest::BadValue),
    /// A version that is none.
    #[error(transparent)]
    Version(#[from] skerry_formats::version::BadVersion),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] skerry_formats::name::BadName),
    /// The store's own notes.
    #[error("the store's record of a root cannot be used")]
    Record(#[source] serde_json::Error),
    /// A set that every build needs.
    #[error("`recipes/sets.toml` has no set `{0}`")]
    NoSet(&'static str),
    /// No component brings the program of the initial RAM disk.
    #[error("no component of the recipe installs a program into the initial RAM disk")]
    NoInit,
}

impl BuildError {
    fn inner(&self) -> Option<&dyn Explain> {
        match self {
            Self::Lock(error) => Some(error),
            Self::Set(error) => Some(error),
            Self::Component(error) => Some(error),
            Self::Compose(error) => Some(error),
            Self::Erofs(error) => Some(error),
            Self::Uki(error) => Some(error),
            Self::Image(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Fs(error) => Some(error),
            Self::Data(error) => Some(error),
            Self::Plan(error) => Some(error),
            Self::Path(_) | Self::Manifest(_) | Self::Version(_) | Self::Name(_) => None,
            Self::Record(_) | Self::NoSet(_) | Self::NoInit => None,
        }
    }
}

impl Explain for BuildError {
    fn hint(&self) -> Option<String> {
        self.inner().and_then(Explain::hint)
    }

    fn exit_code(&self) -> u8 {
        self.inner().map_or(1, Explain::exit_code)
    }
}
