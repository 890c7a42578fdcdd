//! Stacks: what belongs together in the owner's folder. A file there is a stack by itself, a folder there is one of all its
//! files. What leaves a stack leaves the cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use serde::{Deserialize, Serialize};
use skerry_formats::digest::Digest;

use super::{
    document::Object,
    watch::{Snapshot, snapshot},
};
use crate::sys::fs::{self, FsError};

/// A stack's name: at most 48 of `a-z 0-9 - .`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackName(String);

impl StackName {
    /// The name of a file or folder, made short and plain; names that would become alike are told apart by a digest.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        let sound = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        };
        if name.len() <= 48 && name.chars().all(fits) && sound(name) {
            return Self(name.to_owned());
        }
        let plain: String =
            name.to_lowercase().chars().map(|c| if fits(c) && c != '.' { c } else { '-' }).take(31).collect();
        Self(format!("s{plain}-{}", &Digest::of(name.as_bytes()).to_string()[..12]))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One look at a folder: its stacks, each with its files.
pub type Look = BTreeMap<StackName, Snapshot>;

/// The stacks of a folder, each with its files.
///
/// # Errors
/// If the folder is not there, or it or one in it cannot be read: what cannot be read is not gone.
pub fn stacks(folder: &Path) -> Result<Look, FsError> {
    // A folder that is not there is one that was not mounted, or is just being replaced.
    fs::open(folder)?;
    let mut found = Look::new();
    for (path, print) in snapshot(folder)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        found.entry(StackName::of(&name)).or_default().insert(path, print);
    }
    for path in fs::list(folder)?.into_iter().filter(|path| fs::is_folder(path)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = snapshot(&path)?;
        if !files.is_empty() {
            found.entry(StackName::of(&name)).or_default().extend(files);
        }
    }
    Ok(found)
}

/// What names an object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// `apiVersion` that it was applied with.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// Its namespace, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// The group of its kind; the core group has no name.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The namespace that it is in, if its kind has any.
    #[must_use]
    pub fn namespace_or_default(&self) -> &str {
        self.namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or("default")
    }

    /// Whether another may be the same object: they are alike but for version and namespace.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (self.group(), &self.kind, &self.name) == (other.group(), &other.kind, &other.name)
    }

    /// Of objects of which these are the same, one is as good as the other; the same object may still have several, as only the
    /// cluster knows which kinds are in namespaces.
    fn identity(&self) -> (&str, &str, &str, &str) {
        (self.group(), &self.kind, self.namespace_or_default(), &self.name)
    }
}

impl From<&Object> for ObjectRef {
    fn from(object: &Object) -> Self {
        Self {
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        }
    }
}

/// Both, each object once: what must be remembered before anything is applied, so that nothing is forgotten half-way.
#[must_use]
pub fn all(before: &[ObjectRef], now: &[ObjectRef]) -> Vec<ObjectRef> {
    let wanted: BTreeSet<_> = now.iter().map(ObjectRef::identity).collect();
    let kept = before.iter().filter(|object| !wanted.contains(&object.identity()));
    kept.chain(now).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ObjectRef, StackName, all, stacks};
    use crate::sys::{
        fs::{self, Access},
        machine,
    };

    fn object(api_version: &str, name: &str) -> ObjectRef {
        let (kind, namespace) = ("Deployment".to_owned(), Some("shop".to_owned()));
        ObjectRef { api_version: api_version.to_owned(), kind, namespace, name: name.to_owned() }
    }

    #[test]
    fn what_left_the_files_is_remembered_beside_what_is_in_them() {
        let before = [object("apps/v1beta1", "a"), object("apps/v1", "b"), object("apps/v1", "c")];
        let now = [object("apps/v1", "a")];
        assert_eq!(all(&before, &now), [before[1].clone(), before[2].clone(), now[0].clone()]);
    }

    #[test]
    fn files_and_folders_are_stacks() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("shop")).expect("a folder");
        std::fs::create_dir_all(folder.path().join("empty")).expect("a folder");
        for file in ["web.yaml", "shop/a.yaml", "shop/b.yml", "notes.txt"] {
            fs::write(&folder.path().join(file), b"{}", Access::Public, machine::account()).expect("written");
        }
        let found = stacks(folder.path()).expect("readable");
        let counts: Vec<_> = found.iter().map(|(name, files)| (name.as_str(), files.len())).collect();
        assert_eq!(counts, [("shop", 2), ("web", 1)]);
        assert!(stacks(&folder.path().join("unmounted")).is_err(), "no folder is not an empty one");
    }

    proptest! {
        #[test]
        fn any_file_name_makes_a_name_that_kubernetes_takes(a in "\\PC{0,80}", b in "\\PC{0,80}") {
            let (first, second) = (StackName::of(&a), StackName::of(&b));
            let name = format!("sk8s-stack-{first}");
            prop_assert!(name.len() <= 63 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.')), "{name}");
            prop_assert!(name.ends_with(|c: char| c.is_ascii_alphanumeric()));
            prop_assert_eq!(first == second, a == b);
        }

        /// Nothing that was applied is forgotten.
        #[test]
        fn remembering_is_complete(before in "[a-f]{0,6}", now in "[a-f]{0,6}") {
            let refs = |text: &str| text.chars().map(|c| object("apps/v1", &c.to_string())).collect::<Vec<_>>();
            let (before, now) = (refs(&before), refs(&now));
            let remembered = all(&before, &now);
            prop_assert!(before.iter().chain(&now).all(|object| remembered.contains(object)));
        }
    }
}
