//! Paths within a tree.

use std::{fmt, str::FromStr};

/// A path within a tree: relative to its root, no empty, `.` or `..` component. Ordered component by component, so that
/// what lies in a folder directly follows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TreePath(String);

/// Text that is no [`TreePath`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a path inside the tree: `{0}`")]
pub struct BadPath(String);

impl TreePath {
    /// A path written in the code: a clean relative one, checked by every debug build and test.
    #[must_use]
    pub(crate) fn fixed(text: &'static str) -> Self {
        debug_assert!(text.parse::<Self>().is_ok_and(|path| path.0 == text), "{text}");
        Self(text.to_owned())
    }

    /// The path without a leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folders above, outermost first; the root itself is not listed.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.match_indices('/').map(|(at, _)| Self(self.0[..at].to_owned()))
    }

    /// Whether this lies strictly under `folder`.
    #[must_use]
    pub fn is_under(&self, folder: &Self) -> bool {
        self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// This path extended by a relative one.
    ///
    /// # Errors
    /// If `below` is no path inside a tree.
    pub fn join(&self, below: &str) -> Result<Self, BadPath> {
        format!("{}/{below}", self.0).parse()
    }
}

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.split('/').cmp(other.0.split('/'))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

impl FromStr for TreePath {
    type Err = BadPath;

    /// Accepts `/usr/bin`, `usr/bin`, `./usr/bin` and a trailing slash.
    fn from_str(text: &str) -> Result<Self, BadPath> {
        let inner = text.strip_prefix("./").or_else(|| text.strip_prefix('/')).unwrap_or(text);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let clean = !inner.contains('\0') && inner.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if clean { Ok(Self(inner.to_owned())) } else { Err(BadPath(text.chars().take(200).collect())) }
    }
}

#[cfg(test)]
mod tests {
    use super::TreePath;

    #[test]
    fn escaping_paths_are_rejected() {
        for bad in ["", "/", "a/../b", "..", "a//b", "./", "a/./b"] {
            assert!(bad.parse::<TreePath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn children_follow_their_folder() {
        let path = |text: &str| text.parse::<TreePath>();
        let order = [path("a"), path("a/b"), path("a-b")].map(Result::ok);
        assert!(order.is_sorted() && order.iter().all(Option::is_some));
    }
}
