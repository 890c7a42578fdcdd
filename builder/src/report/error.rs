//! Errors at the edge: the chain printed once, one cause a line, then a hint.

use std::io::{self, ErrorKind};

/// What an error tells beyond its message: the next command, and the process's exit code.
pub trait Explain: std::error::Error + 'static {
    /// The next thing to do, without the `hint:` prefix.
    fn hint(&self) -> Option<String> {
        None
    }

    /// 1 failed, 2 usage, 3 lock drift, 4 a host tool is missing.
    fn exit_code(&self) -> u8 {
        1
    }
}

/// The error, its causes and its hint as text for standard error.
#[must_use]
pub fn print_error(error: &dyn Explain) -> String {
    let mut text = format!("error: {error}\n");
    let mut last = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let message = cause.to_string();
        if message != last {
            text.push_str(&format!("  caused by: {message}\n"));
        }
        last = message;
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("  hint: {hint}\n"));
    }
    text
}

impl Explain for crate::fsx::FsError {
    fn hint(&self) -> Option<String> {
        let writes = ["create", "write"].iter().any(|verb| self.action.starts_with(verb));
        match self.source.kind() {
            ErrorKind::PermissionDenied if !writes => None,
            _ => hint_of_io(&self.source),
        }
    }
}

/// What to do about a disk that takes nothing more, or a folder that takes nothing at all.
#[must_use]
pub fn hint_of_io(error: &io::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("make room on that disk, or name a folder on another".to_owned())
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("name a folder that you may write to".to_owned())
        }
        _ => None,
    }
}

impl Explain for crate::store::StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fs(error) => error.hint(),
            Self::Mismatch { .. } => None,
        }
    }
}

impl Explain for crate::store::ExportError {}

impl Explain for crate::store::ImportError {}

impl Explain for crate::tool::ToolError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Missing { .. } => 4,
            Self::Start { .. } | Self::Failed { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fsx;

    #[test]
    fn causes_are_printed_once_each() {
        let error = fsx::read(std::path::Path::new("/nowhere/at-all")).unwrap_err();
        assert_eq!(
            print_error(&error),
            "error: could not read `/nowhere/at-all`\n  caused by: No such file or directory (os error 2)\n"
        );
    }
}
