//! What is mounted: proc_pid_mountinfo(5).

use std::path::{Path, PathBuf};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: PathBuf,
    /// Which file system: `major:minor`.
    pub device: String,
    /// The part of it that is shown.
    pub root: PathBuf,
    /// What kind of file system.
    pub kind: String,
    /// The file system's own options.
    pub options: String,
}

impl Mount {
    /// The folder that takes the changes, if this is an overlay.
    fn upper(&self) -> Option<&Path> {
        let upper = self.options.split(',').find_map(|option| option.strip_prefix("upperdir="));
        upper.map(Path::new).filter(|_| self.kind == "overlay")
    }
}

/// The mounts of a `mountinfo` text, in the order in which they were made; a line that is none is left out.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    let (place, rest) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(2);
    let device = place.next()?.to_owned();
    let root = unescape(place.next()?).into();
    let point = unescape(place.next()?).into();
    let mut rest = rest.split(' ');
    let kind = rest.next()?.to_owned();
    let options = rest.nth(1).unwrap_or_default().to_owned();
    Some(Mount { point, device, root, kind, options })
}

/// Blanks and the like are written as `\` and three octal digits.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[3..]);
            }
            None => {
                bytes.push(b'\\');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The mounts below folders, and those that show a folder in its own place: each before what it lies in, and of two at one
/// place the later first.
pub fn below<'a>(mounts: &'a [Mount], folders: &[&Path]) -> Vec<&'a Path> {
    let inside = |point: &Path| folders.iter().any(|folder| point != *folder && point.starts_with(folder));
    let gone =
        |mount: &&Mount| inside(&mount.point) || (folders.contains(&mount.point.as_path()) && is_own(mounts, mount));
    let mut found: Vec<&Path> = mounts.iter().rev().filter(gone).map(|mount| mount.point.as_path()).collect();
    found.sort_by_key(|point| std::cmp::Reverse(point.components().count()));
    found
}

/// Whether a file system of its own, or a part of another, is mounted at a folder: somebody's disk.
pub fn is_disk(mounts: &[Mount], folder: &Path) -> bool {
    mounts.iter().any(|mount| mount.point == folder && !is_own(mounts, mount))
}

/// Whether a mount shows the very folder that it hides. A kubelet makes one where the root is not shared between
/// namespaces.
fn is_own(mounts: &[Mount], mount: &Mount) -> bool {
    let around = mounts.iter().filter(|other| other.point != mount.point && mount.point.starts_with(&other.point));
    let Some(around) = around.max_by_key(|other| other.point.components().count()) else { return false };
    let part = mount.point.strip_prefix(&around.point).map(|rest| around.root.join(rest));
    around.device == mount.device && part.is_ok_and(|part| part == mount.root)
}

/// The layer that a process's root takes its changes to, from its own mounts: which runtime made the container it is in.
pub fn root_layer(mounts: &[Mount]) -> Option<PathBuf> {
    mounts.iter().rev().find(|mount| mount.point == Path::new("/"))?.upper().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
        22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        not a mount\n\
        60 22 0:50 / /run/sk8s/with\\040blank rw - tmpfs tmpfs rw\n\
        61 60 0:51 / /run/sk8s/with\\040blank/deep rw master:3 - overlay overlay rw,lowerdir=/a,upperdir=/data/u/fs,workdir=/w\n\
        62 22 0:52 / /run/sk8score rw - tmpfs tmpfs rw\n\
        63 22 0:53 / /run/sk8s rw - tmpfs tmpfs rw\n";

    #[test]
    fn only_what_lies_inside_is_found_and_the_deepest_first() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 5);
        let points = below(&mounts, &[Path::new("/run/sk8s"), Path::new("/var/lib/sk8s")]);
        assert_eq!(points, [Path::new("/run/sk8s/with blank/deep"), Path::new("/run/sk8s/with blank")]);
    }

    #[test]
    fn a_containers_layer_tells_whose_it_is() {
        let root = "1 0 0:51 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/data/u/fs,workdir=/w\n";
        assert_eq!(root_layer(&parse(root)), Some("/data/u/fs".into()));
        assert_eq!(root_layer(&parse(TEXT)), None);
    }

    #[test]
    fn a_folder_mounted_upon_itself_is_no_disk() {
        let text = "22 1 254:0 /sub / rw - ext4 /dev/vda rw\n\
            23 22 254:0 /sub/var/lib/kubelet /var/lib/kubelet rw - ext4 /dev/vda rw\n\
            24 22 254:0 /other /run/sk8s rw - ext4 /dev/vda rw\n\
            25 22 254:1 / /var/lib/sk8s rw - ext4 /dev/vdb rw\n";
        let mounts = parse(text);
        let folders = ["/var/lib/kubelet", "/run/sk8s", "/var/lib/sk8s"].map(Path::new);
        assert_eq!(folders.map(|folder| is_disk(&mounts, folder)), [false, true, true]);
        assert_eq!(below(&mounts, &folders), [folders[0]]);
    }

    #[test]
    fn a_stray_backslash_stays() {
        assert_eq!(unescape("a\\b\\134c\\0"), "a\\b\\c\\0");
    }
}
