//! A tree as text: one line an entry, canonical, for golden files and for people who compare two builds.

use std::fmt::Write as _;

use super::{Entry, Kind, Tree};

/// Whether a dump shows what is in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Sizes and the first 12 digits of each digest.
    Digests,
    /// Names, owners, modes and links only: for what must not change when a package is rebuilt.
    Shape,
}

/// The dump: type, mode, owner, path, then content, link target and extended attributes.
///
/// ```text
/// d 0755 0:0 /usr
/// f 4755 0:0 /usr/bin/su 64400 0f343b093112
/// l 0777 0:0 /bin -> usr/bin
/// f 0755 0:0 /usr/bin/ping 3 d04b98f48e8f security.capability=01000002
/// ```
#[must_use]
pub fn dump(tree: &Tree, detail: Detail) -> String {
    let mut text = String::new();
    for (path, entry) in tree.iter() {
        let Entry { mode, uid, gid, .. } = entry;
        let letter = match entry.kind {
            Kind::Dir => 'd',
            Kind::File(_) => 'f',
            Kind::Symlink(_) => 'l',
        };
        let _infallible = write!(text, "{letter} {mode:04o} {uid}:{gid} {path}");
        push_rest(&mut text, entry, detail);
        text.push('\n');
    }
    text
}

fn push_rest(text: &mut String, entry: &Entry, detail: Detail) {
    match &entry.kind {
        Kind::File(content) if detail == Detail::Digests => {
            let _infallible = write!(text, " {} {}", content.len(), content.digest().short());
        }
        Kind::Symlink(target) => {
            let _infallible = write!(text, " -> {target}");
        }
        Kind::Dir | Kind::File(_) => {}
    }
    for (name, value) in &entry.xattrs {
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        let _infallible = write!(text, " {name}={hex}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    #[test]
    fn a_dump_shows_type_mode_owner_content_link_and_attributes() {
        let mut tree = Tree::default();
        let mut ping = Entry::file(Content::from_bytes(*b"elf"), 0o4755);
        ping.xattrs.insert("security.capability".to_owned(), vec![1, 0xff]);
        tree.insert("usr/bin/ping".parse().unwrap(), ping).unwrap();
        tree.insert("bin".parse().unwrap(), Entry::symlink("usr/bin")).unwrap();
        let digest = Content::from_bytes(*b"elf").digest().short();
        assert_eq!(
            dump(&tree, Detail::Digests),
            format!(
                "l 0777 0:0 /bin -> usr/bin\nd 0755 0:0 /usr\nd 0755 0:0 /usr/bin\n\
                 f 4755 0:0 /usr/bin/ping 3 {digest} security.capability=01ff\n"
            )
        );
        assert!(dump(&tree, Detail::Shape).contains("/usr/bin/ping security.capability=01ff\n"));
    }
}
