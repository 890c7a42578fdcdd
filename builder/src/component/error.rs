//! What can go wrong while components are built.

use std::path::PathBuf;

use crate::{
    catalog::DataError, fsx::FsError, oci::OciError, report::Explain, store::StoreError, tool::ToolError,
    tree::TreeError,
};

/// A component that could not be read or built.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// A file operation failed.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A store operation failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A host tool is missing or failed outside a build.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A container image could not be composed.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// A container image's files do not fit together.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A data file cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file parses but does not make sense.
    #[error("`{}`: {problem}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A build failed.
    #[error("could not build `{component}`")]
    Build {
        /// The component.
        component: String,
        /// What the compiler said.
        #[source]
        source: ToolError,
    },
    /// A tool printed something unexpected.
    #[error("`{tool}` answered something unexpected: {answer}")]
    Answer {
        /// The tool.
        tool: &'static str,
        /// The first line of its answer.
        answer: String,
    },
    /// An image's description does not make sense.
    #[error("image `{name}`: {problem}")]
    Image {
        /// The image.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no compiler for such a host.
    #[error("there is no locked Rust compiler for hosts of architecture `{arch}`")]
    Host {
        /// The kernel's name of it.
        arch: &'static str,
    },
    /// Debian packages that a component needs could not be had.
    #[error("could not get the packages of `{set}`")]
    Packages {
        /// The package set.
        set: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Explain for ComponentError {
    fn hint(&self) -> Option<String> {
        if let Self::Data(error) = self {
            return error.hint();
        }
        let hint = match self.missing()? {
            "go" => "install Go 1.26 or later and put `go` on PATH",
            "cargo" | "rustc" => "install Rust 1.95 or later and put `cargo` on PATH",
            "gcc" => "run `apt install gcc`",
            "aarch64-linux-gnu-gcc" => "run `apt install gcc-aarch64-linux-gnu`",
            "x86_64-linux-gnu-gcc" => "run `apt install gcc-x86-64-linux-gnu`",
            _ => "install it and put it on PATH",
        };
        Some(hint.to_owned())
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Data(error) => error.exit_code(),
            Self::Invalid { .. } | Self::Image { .. } => 2,
            _ if self.missing().is_some() => 4,
            _ => 1,
        }
    }
}

impl ComponentError {
    fn missing(&self) -> Option<&str> {
        match self {
            Self::Tool(ToolError::Missing { name }) | Self::Build { source: ToolError::Missing { name }, .. } => {
                Some(name)
            }
            _ => None,
        }
    }
}
