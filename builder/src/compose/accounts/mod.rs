//! Accounts with fixed ids: what `systemd-sysusers` would write, written by us.
//!
//! The packages' own `sysusers.d` files say who is needed; `recipes/accounts.toml` says with which number. A number never
//! depends on which packages are in the set, because files on the data partition outlive an update.

mod database;
mod sysusers;

use std::collections::BTreeMap;

use serde::Deserialize;
use skerry_formats::hint;

use crate::tree::{Content, Kind, Tree, TreeError, TreePath};

pub use database::Database;
pub use sysusers::{Declaration, Id, parse};

/// Numeric ids by name: `recipes/accounts.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedIds {
    /// Users; each has a group of the same name and number unless it declares another.
    pub users: BTreeMap<String, u32>,
    /// Groups without a user.
    pub groups: BTreeMap<String, u32>,
}

/// An account that cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AccountError {
    /// A line of a `sysusers.d` file has another form than `sysusers.d(5)` says.
    #[error("{file}:{line}: {why}")]
    Line {
        /// The file in the tree.
        file: TreePath,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// Nobody gave it a number.
    #[error("{file} asks for {what} `{name}`, which has no fixed id in `recipes/accounts.toml`")]
    NoFixedId {
        /// The file in the tree.
        file: TreePath,
        /// `user` or `group`.
        what: &'static str,
        /// The account.
        name: String,
        /// The nearest known one.
        near: Option<String>,
    },
    /// Its package wants another number.
    #[error("{file} wants id {wanted} for {what} `{name}`, `recipes/accounts.toml` says {fixed}")]
    OtherId {
        /// The file in the tree.
        file: TreePath,
        /// `user` or `group`.
        what: &'static str,
        /// The account.
        name: String,
        /// The number in the package.
        wanted: u32,
        /// The number in our table.
        fixed: u32,
    },
    /// Two accounts share a number.
    #[error("{what}s `{first}` and `{second}` have the same id {id}")]
    SameId {
        /// `user` or `group`.
        what: &'static str,
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// The number.
        id: u32,
    },
    /// The tree did not take the files.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl AccountError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFixedId { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::NoFixedId { what, name, .. } => {
                Some(format!("add `{name} = NUMBER` to `[{what}s]` in `recipes/accounts.toml`"))
            }
            _ => None,
        }
    }
}

/// Writes `passwd`, `group`, `shadow` and `gshadow` for all accounts that the tree's `sysusers.d` files ask for.
///
/// # Errors
/// If a declaration is malformed, or has no fixed id, or another than its package wants.
pub fn apply(tree: &mut Tree, ids: &FixedIds) -> Result<Database, AccountError> {
    let mut database = Database::default();
    for (file, text) in declaration_files(tree) {
        for declaration in parse(&file, &text)? {
            database.declare(&file, declaration, ids)?;
        }
    }
    database.settle()?;
    database.write(tree)?;
    Ok(database)
}

/// By file name across both folders, as systemd reads them; a file in `etc` hides one of the same name.
fn declaration_files(tree: &Tree) -> Vec<(TreePath, String)> {
    let mut files = BTreeMap::new();
    for (path, entry) in tree.iter() {
        let below = path.as_str().strip_prefix("usr/lib/sysusers.d/").or(path.as_str().strip_prefix("etc/sysusers.d/"));
        let named = below.is_some_and(|name| name.ends_with(".conf") && !name.contains('/'));
        if let (true, Kind::File(Content::Bytes(bytes))) = (named, &entry.kind) {
            let text = String::from_utf8_lossy(bytes).into_owned();
            files.entry(path.file_name().to_owned()).or_insert((path.clone(), text));
        }
    }
    files.into_values().collect()
}

fn nearest(name: &str, known: &BTreeMap<String, u32>) -> Option<String> {
    hint::nearest(name, known.keys().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Entry;

    fn tree(conf: &str) -> Tree {
        let mut tree = Tree::default();
        let file = Entry::file(Content::from_bytes(conf), 0o644);
        tree.insert("usr/lib/sysusers.d/x.conf".parse().unwrap(), file).unwrap();
        tree
    }

    fn ids() -> FixedIds {
        FixedIds {
            users: [("root".to_owned(), 0), ("kine".to_owned(), 303), ("sshd".to_owned(), 990)].into(),
            groups: [("nogroup".to_owned(), 65534), ("adm".to_owned(), 4), ("shadow".to_owned(), 42)].into(),
        }
    }

    fn text(tree: &Tree, path: &str) -> String {
        match &tree.get(&path.parse().unwrap()).unwrap().kind {
            Kind::File(Content::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        }
    }

    #[test]
    fn declared_accounts_are_written_with_their_fixed_ids() {
        let conf = "u root 0 - /root /bin/bash\ng nogroup 65534 -\ng shadow 42\nu sshd -:nogroup \"sshd user\" /run/sshd\n\
                    u! kine - \"kine\"\ng adm 4 -\nm kine adm\n";
        let mut tree = tree(conf);
        apply(&mut tree, &ids()).unwrap();
        assert_eq!(
            text(&tree, "etc/passwd"),
            "root:x:0:0::/root:/bin/bash\nkine:x:303:303:kine:/:/usr/sbin/nologin\n\
             sshd:x:990:65534:sshd user:/run/sshd:/usr/sbin/nologin\n"
        );
        assert_eq!(text(&tree, "etc/group"), "root:x:0:\nadm:x:4:kine\nshadow:x:42:\nkine:x:303:\nnogroup:x:65534:\n");
        assert_eq!(text(&tree, "etc/shadow"), "root:*:::::::\nkine:!*:::::::\nsshd:!*:::::::\n");
        let shadow = tree.get(&"etc/shadow".parse().unwrap()).unwrap();
        assert_eq!((shadow.mode, shadow.gid), (0o640, 42));
    }

    #[test]
    fn an_account_without_a_fixed_id_is_named_with_its_file() {
        let error = apply(&mut tree("u chrony - \"time\"\n"), &ids()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/usr/lib/sysusers.d/x.conf asks for user `chrony`, which has no fixed id in `recipes/accounts.toml`"
        );
        assert_eq!(error.hint().as_deref(), Some("add `chrony = NUMBER` to `[users]` in `recipes/accounts.toml`"));
    }

    #[test]
    fn a_package_that_wants_another_id_is_an_error() {
        let error = apply(&mut tree("u kine 777\n"), &ids()).unwrap_err();
        assert!(matches!(error, AccountError::OtherId { wanted: 777, fixed: 303, .. }), "{error}");
    }

    #[test]
    fn a_malformed_line_is_named() {
        let error = apply(&mut tree("g adm 4\nx y\n"), &ids()).unwrap_err();
        assert_eq!(error.to_string(), "/usr/lib/sysusers.d/x.conf:2: neither `u`, `u!`, `g`, `m` nor `r`");
    }
}
