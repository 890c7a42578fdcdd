//! Who runs containers: `spec.node.criSocket`.

use std::path::{Component, Path, PathBuf};

use crate::paths::Paths;

/// Who runs containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// sk8s' own containerd.
    Own,
    /// A runtime that its owner installed and starts; the path of the socket where it speaks the container runtime interface.
    External(PathBuf),
}

/// No socket.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadRuntime {
    /// No absolute path.
    #[error("not a runtime's socket: `{0}`; wanted: an absolute path, as `unix:///run/crio/crio.sock`")]
    Path(String),
    /// Longer than the kernel takes (`unix(7)`).
    #[error("`{0}` is longer than the path of a socket can be, which is {LONGEST} bytes")]
    Long(String),
}

/// Bytes of the longest path of a socket.
const LONGEST: usize = 107;

impl Runtime {
    /// Checks `spec.node.criSocket`, which may be written as k0s wants it, `remote:unix:///PATH`.
    ///
    /// # Errors
    /// If it is no absolute path, or too long a one.
    pub fn validate(text: Option<&str>) -> Result<Self, BadRuntime> {
        let Some(text) = text else { return Ok(Self::Own) };
        let address = text.strip_prefix("remote:").unwrap_or(text);
        let path = Path::new(address.strip_prefix("unix://").unwrap_or(address));
        let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !path.is_absolute() || !plain || path.file_name().is_none() || address.contains(char::is_control) {
            return Err(BadRuntime::Path(text.to_owned()));
        }
        if path.as_os_str().len() > LONGEST {
            return Err(BadRuntime::Long(text.to_owned()));
        }
        Ok(Self::External(path.to_owned()))
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self, paths: &Paths) -> PathBuf {
        match self {
            Self::Own => paths.containerd_socket(),
            Self::External(socket) => socket.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadRuntime, Runtime};

    #[test]
    fn a_socket_is_a_path_however_it_is_written() {
        let wanted = Ok(Runtime::External("/run/crio/crio.sock".into()));
        for text in ["/run/crio/crio.sock", "unix:///run/crio/crio.sock", "remote:unix:///run/crio/crio.sock"] {
            assert_eq!(Runtime::validate(Some(text)), wanted, "{text}");
        }
        assert_eq!(Runtime::validate(None), Ok(Runtime::Own));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "/", "crio.sock", "unix://crio.sock", "tcp://127.0.0.1:1", "/run/../etc/x", "/run/a\nb"] {
            assert_eq!(Runtime::validate(Some(text)), Err(BadRuntime::Path(text.into())), "{text}");
        }
        let long = format!("/run/{}", "a".repeat(103));
        assert_eq!(Runtime::validate(Some(&long)), Err(BadRuntime::Long(long.clone())));
        assert!(Runtime::validate(Some(&long[..107])).is_ok());
    }
}
