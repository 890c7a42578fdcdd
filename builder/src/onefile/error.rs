//! Why the one file could not be made.

use skerry_formats::{name::Name, payload::BadPayload};

use crate::{component::ComponentError, fsx::FsError, report::Explain, store::StoreError, tree::TreePath};

/// A file that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OneFileError {
    /// A component.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The files together.
    #[error("the files do not make a payload")]
    Payload(#[from] BadPayload),
    /// A file that would lie where nobody looks for it.
    #[error("`{component}` installs `{path}`, where sk8s looks for nothing")]
    Place {
        /// The component.
        component: Name,
        /// The file.
        path: TreePath,
    },
    /// A file that is neither program nor data.
    #[error("`{component}` installs `{path}` with mode {mode:o}, which is neither 644 nor 755")]
    Mode {
        /// The component.
        component: Name,
        /// The file.
        path: TreePath,
        /// Its permission bits.
        mode: u16,
    },
    /// The program that is to carry the rest.
    #[error("`{0}` is not one program that ends with its sections: nothing can be put behind it")]
    Program(Name),
}

impl Explain for OneFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Component(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Fs(error) => error.hint(),
            Self::Place { .. } => {
                Some("take the component out of `recipes/sk8s.toml`, or change its `install`".to_owned())
            }
            Self::Program(_) => Some("name the component of sk8s itself: `program` in `recipes/sk8s.toml`".to_owned()),
            Self::Payload(_) | Self::Mode { .. } => None,
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Component(error) => error.exit_code(),
            Self::Place { .. } | Self::Mode { .. } | Self::Program(_) => 2,
            Self::Store(_) | Self::Fs(_) | Self::Payload(_) => 1,
        }
    }
}
