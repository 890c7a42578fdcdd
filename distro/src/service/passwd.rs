//! The texts of passwd(5), group(5), shadow(5) and gshadow(5) with an account more or less. Pure.

use std::collections::BTreeSet;

use super::accounts::{HOME, SHELL, owner};

/// All four files; the shadow files are not everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// `/etc/group`.
    pub group: String,
    /// `/etc/gshadow`.
    pub gshadow: Option<String>,
    /// `/etc/passwd`.
    pub passwd: String,
    /// `/etc/shadow`.
    pub shadow: Option<String>,
}

/// Every number for system accounts is taken.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("100 to 999 are all taken in `/etc/passwd` and `/etc/group`")]
pub struct Full;

impl Books {
    /// Adds an account, and its group where there is none of that name. The number is the highest below 1000 that neither a
    /// user nor a group has, as `useradd --system` counts.
    ///
    /// # Errors
    /// If none is left.
    pub fn add(&mut self, name: &str, comment: &str) -> Result<(), Full> {
        let taken = numbers(&self.passwd).chain(numbers(&self.group)).collect::<BTreeSet<u32>>();
        let free = (100..1000).rev().find(|number| !taken.contains(number)).ok_or(Full)?;
        let there = self.group.lines().find(|line| owner(line) == name).and_then(number);
        let gid = there.unwrap_or(free);
        if there.is_none() {
            append(&mut self.group, &format!("{name}:x:{gid}:"));
            append_if_there(self.gshadow.as_mut(), &format!("{name}:!::"));
        }
        append_if_there(self.shadow.as_mut(), &format!("{name}:!:::::::"));
        append(&mut self.passwd, &format!("{name}:x:{free}:{gid}:{comment}:{HOME}:{SHELL}"));
        Ok(())
    }

    /// Removes an account and the group of its name.
    pub fn remove(&mut self, name: &str) {
        let books = [Some(&mut self.group), self.gshadow.as_mut(), Some(&mut self.passwd), self.shadow.as_mut()];
        for text in books.into_iter().flatten() {
            text.retain_lines(|line| owner(line) != name);
        }
    }
}

trait RetainLines {
    fn retain_lines(&mut self, keep: impl Fn(&str) -> bool);
}

impl RetainLines for String {
    fn retain_lines(&mut self, keep: impl Fn(&str) -> bool) {
        *self = self.split_inclusive('\n').filter(|line| keep(line)).collect();
    }
}

/// The third field of all lines.
fn numbers(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.lines().filter_map(number)
}

fn number(line: &str) -> Option<u32> {
    line.split(':').nth(2)?.parse().ok()
}

fn append_if_there(text: Option<&mut String>, line: &str) {
    if let Some(text) = text {
        append(text, line);
    }
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::accounts::ours, *};
    use crate::sys::accounts::Account;

    fn books() -> Books {
        Books {
            group: "root:x:0:\nlog:x:999:\n".into(),
            gshadow: None,
            passwd: "root:x:0:0:root:/root:/bin/ash\nguest:x:405:100:guest:/dev/null:/sbin/nologin".into(),
            shadow: Some("root:*::0:::::\n".into()),
        }
    }

    #[test]
    fn an_account_gets_a_number_that_neither_file_has() {
        let mut books = books();
        books.add("kine", "datastore on SQL (sk8s)").expect("room");
        assert_eq!(Account::find(&books.passwd, "kine"), Some(Account { uid: 998, gid: 998 }));
        assert_eq!(books.group, "root:x:0:\nlog:x:999:\nkine:x:998:\n");
        assert_eq!(books.shadow.as_deref(), Some("root:*::0:::::\nkine:!:::::::\n"));
        assert!(
            books.passwd.contains("sbin/nologin\nkine:x:998:998:datastore on SQL (sk8s):/nonexistent:/sbin/nologin\n")
        );
        assert_eq!(ours(&books.passwd), ["kine"]);
    }

    #[test]
    fn a_group_of_that_name_is_used() {
        let mut books = books();
        append(&mut books.group, "etcd:x:77:admin");
        books.add("etcd", "datastore (sk8s)").expect("room");
        assert_eq!(Account::find(&books.passwd, "etcd"), Some(Account { uid: 998, gid: 77 }));
    }

    #[test]
    fn an_account_that_somebody_else_made_is_not_ours() {
        assert!(ours("etcd:x:120:120:etcd (sk8s) user:/var/lib/etcd:/bin/false\n").is_empty());
        assert!(ours("other:x:1:1:(sk8s):/:/bin/false\n").is_empty());
    }

    #[test]
    fn when_no_number_is_left_nothing_changes() {
        let mut books = books();
        books.group = (0..1000).map(|number| format!("g{number}:x:{number}:\n")).collect();
        let before = books.clone();
        assert_eq!(books.add("kine", "(sk8s)"), Err(Full));
        assert_eq!(books, before);
    }

    proptest! {
        #[test]
        fn removing_gives_back_what_was_there(users in proptest::collection::btree_map("[a-j]{2}", 90_u32..1100, 0..20)) {
            let line = |(name, number): (&String, &u32)| format!("{name}:x:{number}:{number}:x:/:/bin/sh\n");
            let passwd: String = users.iter().map(line).collect();
            let before = Books { group: passwd.clone(), passwd, ..books() };
            let mut after = before.clone();
            after.add("kube-scheduler", "Kubernetes scheduler (sk8s)").expect("room");
            prop_assert_ne!(&after, &before);
            after.remove("kube-scheduler");
            prop_assert_eq!(after, before);
        }
    }
}
