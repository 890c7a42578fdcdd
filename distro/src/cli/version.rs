//! `sk8s version`.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;
use skerry_formats::{name::Name, version::Version};

use super::{args::Places, components::Wanted};
use crate::{
    payload::{Payload, PayloadError},
    sys::fs::{self, FsError},
    version::VERSION,
};

/// Versions of components that cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Our own program's payload.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// The list of versions.
    #[error("`{}` is no list of versions", .path.display())]
    List {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// There is no list.
    #[error("versions of the components are not known: this sk8s carries none, and there is no `{}`", .0.display())]
    Unknown(PathBuf),
    /// The answer.
    #[error("could not write the versions as JSON")]
    Json(#[source] serde_json::Error),
}

impl VersionError {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Payload(error) => error.hint(),
            Self::Unknown(_) => Some("name the folder of the components: --components".to_owned()),
            Self::File(_) | Self::List { .. } | Self::Json(_) => None,
        }
    }
}

/// Which versions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// This program alone.
    Own,
    /// The components too.
    All,
}

#[derive(Serialize)]
struct Answer {
    sk8s: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<BTreeMap<Name, Version>>,
}

/// The versions as text, or as JSON.
///
/// # Errors
/// If the components' versions are asked for and not known.
pub fn version(places: Places, of: Of, output: &str) -> Result<String, VersionError> {
    let components = match of {
        Of::Own => None,
        Of::All => Some(components(places)?),
    };
    let answer = Answer { sk8s: VERSION, components };
    if output == "json" {
        return Ok(serde_json::to_string_pretty(&answer).map_err(VersionError::Json)? + "\n");
    }
    Ok(text(&answer))
}

fn text(answer: &Answer) -> String {
    let Some(components) = &answer.components else { return format!("{}\n", answer.sk8s) };
    let width = components.keys().map(|name| name.as_str().len()).max().unwrap_or_default().max("sk8s".len());
    let lines = components.iter().map(|(name, version)| format!("{name:width$}  {version}\n"));
    std::iter::once(format!("{:width$}  {}\n", "sk8s", answer.sk8s)).chain(lines).collect()
}

/// Nothing is laid out for this: the payload's index names its versions.
fn components(places: Places) -> Result<BTreeMap<Name, Version>, VersionError> {
    if !places.have(Wanted::Program)
        && let Some(payload) = Payload::own()?
    {
        return Ok(payload.index().components().clone());
    }
    let path = places.paths().versions_list();
    let list = fs::read_if_there(&path)?.ok_or_else(|| VersionError::Unknown(path.clone()))?;
    serde_json::from_str(&list).map_err(|source| VersionError::List { path, source })
}

#[cfg(test)]
mod tests {
    use super::{Answer, VERSION, text};

    #[test]
    fn versions_stand_in_a_column() {
        let components = [("cni-plugins", "1.9.1"), ("kine", "0.16.4")];
        let components = components.map(|(n, v)| (n.parse().expect("a name"), v.parse().expect("a version")));
        let answer = Answer { sk8s: VERSION, components: Some(components.into()) };
        assert_eq!(text(&answer), format!("sk8s         {VERSION}\ncni-plugins  1.9.1\nkine         0.16.4\n"));
        assert_eq!(text(&Answer { components: None, ..answer }), format!("{VERSION}\n"));
    }
}
