//! Files that maintainer scripts would have made, and ours that say what is in the image.

use std::fmt::Write as _;

use skerry_formats::layout::Part;

use super::{
    ComposeError,
    deb::{Unpacked, relative},
    inputs::{Inputs, Package, Release},
    tables::Alternatives,
};
use crate::tree::{Content, Entry, Kind, Tree, TreePath};

/// `update-ca-certificates`: all certificates in one file, sorted by name. The single files go.
pub fn certificates(tree: &mut Tree) -> Result<(), ComposeError> {
    let folder = TreePath::fixed("usr/share/ca-certificates");
    let mut bundle = Vec::new();
    for (path, entry) in tree.under(&folder) {
        if let (true, Kind::File(Content::Bytes(bytes))) = (path.as_str().ends_with(".crt"), &entry.kind) {
            bundle.extend_from_slice(bytes);
            if !bytes.ends_with(b"\n") {
                bundle.push(b'\n');
            }
        }
    }
    tree.remove(&folder);
    if !bundle.is_empty() {
        let path = TreePath::fixed("etc/ssl/certs/ca-certificates.crt");
        tree.insert(path, Entry::file(Content::from_bytes(bundle), 0o644))?;
    }
    Ok(())
}

/// `update-alternatives`: links whose target is there, made directly, not by way of `/etc/alternatives`.
pub fn alternatives(tree: &mut Tree, table: &Alternatives) -> Result<(), ComposeError> {
    for (link, target) in &table.links {
        let (link, target): (TreePath, TreePath) = (link.parse()?, target.parse()?);
        if tree.get(&target).is_some() && tree.get(&link).is_none() {
            let target = relative(&link, &target);
            tree.insert(link, Entry::symlink(target))?;
        }
    }
    Ok(())
}

/// `os-release(5)`. `ID_LIKE` keeps programs working that look for a Debian.
pub fn os_release(tree: &mut Tree, release: &Release) -> Result<(), ComposeError> {
    let Release { title, id, version, build_id, board, profile } = release;
    let text = format!(
        "NAME=\"{title}\"\nPRETTY_NAME=\"{title} {version}\"\nID={id}\nID_LIKE=debian\nVERSION=\"{version}\"\n\
         VERSION_ID=\"{version}\"\nBUILD_ID=\"{build_id}\"\nVARIANT_ID={profile}\nIMAGE_ID={id}-{board}\n\
         IMAGE_VERSION=\"{version}\"\nDEBIAN_CODENAME=trixie\n"
    );
    tree.insert(TreePath::fixed("usr/lib/os-release"), Entry::file(Content::from_bytes(text), 0o644))?;
    Ok(tree.insert(TreePath::fixed("etc/os-release"), Entry::symlink("../usr/lib/os-release"))?)
}

/// What is in the image, for people (`usr/lib/skerry/packages`: name, version, digest) and for scanners (a folder of
/// dpkg stanzas, found by way of `var/lib/dpkg/status.d`).
pub fn package_list(tree: &mut Tree, packages: &[Package], unpacked: &[Unpacked]) -> Result<(), ComposeError> {
    let mut rows: Vec<(&Package, &str)> =
        packages.iter().zip(unpacked.iter().map(|unpacked| unpacked.control.as_str())).collect();
    rows.sort_by_key(|(package, _)| &package.name);
    let folder = TreePath::fixed("usr/lib/skerry");
    let mut list = String::new();
    for (package, control) in rows {
        let Package { name, version, digest, .. } = package;
        let _infallible = writeln!(list, "{name} {version} {digest}");
        let stanza = format!("{}\nStatus: install ok installed\n", control.trim_end());
        let path = folder.join("status.d")?.join(name)?;
        tree.insert(path, Entry::file(Content::from_bytes(stanza), 0o644))?;
    }
    tree.insert(folder.join("packages")?, Entry::file(Content::from_bytes(list), 0o644))?;
    let link = TreePath::fixed("var/lib/dpkg/status.d");
    Ok(tree.insert(link, Entry::symlink("../../../usr/lib/skerry/status.d"))?)
}

/// Definitions for `systemd-repart`, which makes ROOT-B and DATA on first boot. ROOT-A stands here too, because existing
/// partitions of one type are matched in order; DATA asks for more than the gap before the first partition has.
pub fn partitions(tree: &mut Tree) -> Result<(), ComposeError> {
    for (number, part) in (1..).zip(Part::ALL) {
        let [kind, guid, label] = [part.type_guid().to_string(), part.guid().to_string(), part.label().to_owned()];
        let size = part
            .size()
            .map_or("SizeMinBytes=512M\n".to_owned(), |size| format!("SizeMinBytes={size}\nSizeMaxBytes={size}\n"));
        let text = format!("[Partition]\nType={kind}\nUUID={guid}\nLabel={label}\n{size}");
        let path = TreePath::fixed("usr/lib/repart.d").join(&format!("{number}0-{}.conf", label.to_lowercase()))?;
        tree.insert(path, Entry::file(Content::from_bytes(text), 0o644))?;
    }
    Ok(())
}

/// Keeps the firmware that the board asks for.
pub fn firmware(tree: &mut Tree, wanted: &[String]) -> Result<(), ComposeError> {
    let folder = TreePath::fixed("usr/lib/firmware");
    for word in wanted {
        let path = folder.join(word)?;
        if tree.get(&path).is_none() {
            return Err(ComposeError::NoFirmware { path: word.clone() });
        }
    }
    let below = |path: &TreePath, wanted: &str| {
        let rest = path.as_str().strip_prefix("usr/lib/firmware/").unwrap_or_default();
        rest == wanted || (wanted.ends_with('/') && rest.starts_with(wanted))
    };
    tree.retain(|path, entry| {
        !path.is_under(&folder) || entry.is_dir() || wanted.iter().any(|wanted| below(path, wanted))
    });
    prune_empty(tree, &folder);
    Ok(())
}

/// Takes away folders below `top` that hold nothing, `top` included.
pub fn prune_empty(tree: &mut Tree, top: &TreePath) {
    let folders: Vec<TreePath> = tree
        .iter()
        .filter(|(path, entry)| entry.is_dir() && (*path == top || path.is_under(top)))
        .map(|(path, _)| path.clone())
        .collect();
    for folder in folders.iter().rev() {
        if tree.under(folder).next().is_none() {
            tree.remove(folder);
        }
    }
}

/// Puts built programs in their places.
pub fn install(tree: &mut Tree, inputs: &Inputs) -> Result<(), ComposeError> {
    for file in &inputs.files {
        let content = Content::Stored { path: file.path.clone(), size: file.size, digest: file.digest };
        if tree.get(&file.install).is_some() {
            return Err(ComposeError::Occupied { path: file.install.clone() });
        }
        tree.insert(file.install.clone(), Entry::file(content, file.mode))?;
    }
    Ok(())
}
