//! The four account files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{AccountError, Declaration, FixedIds, nearest};
use crate::tree::{Content, Entry, Tree, TreeError, TreePath};

const SHADOW_GROUP: &str = "shadow";

/// Accounts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Database {
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, u32>,
    members: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    uid: u32,
    /// Primary group by name or number, until all groups are known.
    group: Option<String>,
    gid: u32,
    gecos: String,
    home: String,
    shell: String,
}

impl Database {
    /// The number of a user.
    #[must_use]
    pub fn uid(&self, name: &str) -> Option<u32> {
        self.users.get(name).map(|user| user.uid)
    }

    /// The number of a group.
    #[must_use]
    pub fn gid(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }

    pub(super) fn declare(
        &mut self,
        file: &TreePath,
        declaration: Declaration,
        ids: &FixedIds,
    ) -> Result<(), AccountError> {
        match declaration {
            Declaration::Group { name, gid } => {
                let known = ids.groups.get(&name).or_else(|| ids.users.get(&name));
                let gid = fixed(Wanted { file, what: "group", name: &name, id: gid }, known, &ids.groups)?;
                self.groups.insert(name, gid);
            }
            Declaration::Member { user, group } => {
                self.members.entry(group).or_default().insert(user);
            }
            Declaration::User { name, id, gecos, home, shell } => {
                let wanted = Wanted { file, what: "user", name: &name, id: id.uid };
                let uid = fixed(wanted, ids.users.get(&name), &ids.users)?;
                if id.group.is_none() {
                    self.groups.insert(name.clone(), uid);
                }
                self.users.insert(name, User { uid, group: id.group, gid: uid, gecos, home, shell });
            }
        }
        Ok(())
    }

    /// Finds primary groups and checks that no number is used twice.
    pub(super) fn settle(&mut self) -> Result<(), AccountError> {
        for user in self.users.values_mut() {
            if let Some(group) = &user.group {
                let named = self.groups.get(group).copied();
                user.gid = named.or_else(|| group.parse().ok()).unwrap_or(user.gid);
            }
        }
        unique("user", self.users.iter().map(|(name, user)| (name, user.uid)))?;
        unique("group", self.groups.iter().map(|(name, gid)| (name, *gid)))
    }

    /// Puts `etc/passwd`, `etc/group`, `etc/shadow` and `etc/gshadow` in the tree. Nobody has a password.
    pub(super) fn write(&self, tree: &mut Tree) -> Result<(), TreeError> {
        let shadow_gid = self.gid(SHADOW_GROUP).unwrap_or(0);
        let secret = |text: String| Entry { gid: shadow_gid, ..Entry::file(Content::from_bytes(text), 0o640) };
        let open = |text: String| Entry::file(Content::from_bytes(text), 0o644);
        let [passwd, shadow] = self.user_files();
        let [group, gshadow] = self.group_files();
        for (path, entry) in [
            (TreePath::fixed("etc/passwd"), open(passwd)),
            (TreePath::fixed("etc/group"), open(group)),
            (TreePath::fixed("etc/shadow"), secret(shadow)),
            (TreePath::fixed("etc/gshadow"), secret(gshadow)),
        ] {
            tree.insert(path, entry)?;
        }
        Ok(())
    }

    fn user_files(&self) -> [String; 2] {
        let mut users: Vec<_> = self.users.iter().collect();
        users.sort_by_key(|(_, user)| user.uid);
        let [mut passwd, mut shadow] = [String::new(), String::new()];
        for (name, user) in users {
            let User { uid, gid, gecos, home, shell, .. } = user;
            // `*` for root: no password fits, and sshd still lets a key in. `!*` locks the account itself.
            let lock = if *uid == 0 { "*" } else { "!*" };
            let _infallible = writeln!(passwd, "{name}:x:{uid}:{gid}:{gecos}:{home}:{shell}");
            let _infallible = writeln!(shadow, "{name}:{lock}:::::::");
        }
        [passwd, shadow]
    }

    fn group_files(&self) -> [String; 2] {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, gid)| **gid);
        let [mut group, mut gshadow] = [String::new(), String::new()];
        for (name, gid) in groups {
            let members: Vec<&str> = self.members.get(name).into_iter().flatten().map(String::as_str).collect();
            let members = members.join(",");
            let _infallible = writeln!(group, "{name}:x:{gid}:{members}");
            let _infallible = writeln!(gshadow, "{name}:!*::{members}");
        }
        [group, gshadow]
    }
}

struct Wanted<'a> {
    file: &'a TreePath,
    what: &'static str,
    name: &'a str,
    id: Option<u32>,
}

fn fixed(wanted: Wanted<'_>, known: Option<&u32>, all: &BTreeMap<String, u32>) -> Result<u32, AccountError> {
    let Wanted { file, what, name, id } = wanted;
    let Some(fixed) = known.copied() else {
        let near = nearest(name, all);
        return Err(AccountError::NoFixedId { file: file.clone(), what, name: name.to_owned(), near });
    };
    match id {
        Some(wanted) if wanted != fixed => {
            Err(AccountError::OtherId { file: file.clone(), what, name: name.to_owned(), wanted, fixed })
        }
        _ => Ok(fixed),
    }
}

fn unique<'a>(what: &'static str, all: impl Iterator<Item = (&'a String, u32)>) -> Result<(), AccountError> {
    let mut seen: BTreeMap<u32, &String> = BTreeMap::new();
    for (name, id) in all {
        if let Some(first) = seen.insert(id, name) {
            return Err(AccountError::SameId { what, first: first.clone(), second: name.clone(), id });
        }
    }
    Ok(())
}
