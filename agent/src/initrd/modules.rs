//! Kernel modules, in the order that the builder worked out.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::sync_channel,
    thread,
};

use super::{InitError, Log};
use crate::{
    chain,
    sys::{fs, module},
};

/// Paths of the modules, one a line.
const LIST: &str = "/etc/modules";
/// How many modules may lie unpacked in memory.
const AHEAD: usize = 4;

/// Loads all modules; a second thread unpacks ahead. One that is refused (its hardware may not be there) is told, and the
/// boot goes on: what is really missing shows itself soon enough, with a better name.
pub fn load_all(log: &mut Log) -> Result<(), InitError> {
    let list = fs::read_text(Path::new(LIST)).map_err(InitError::Files)?;
    let paths = parse(&list);
    let (sender, unpacked) = sync_channel(AHEAD);
    thread::scope(|scope| {
        scope.spawn(move || {
            for path in paths {
                let plain = module::unpacked(&path);
                if sender.send((path, plain)).is_err() {
                    break;
                }
            }
        });
        for (path, plain) in unpacked {
            if let Err(error) = plain.and_then(|plain| module::load(&path, &plain)) {
                log.say(chain::one_line(&error));
            }
        }
    });
    Ok(())
}

fn parse(list: &str) -> Vec<PathBuf> {
    let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| Path::new("/").join(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_at_the_root() {
        let list = "usr/lib/modules/6/a.ko.xz\n\n# none\n/usr/lib/modules/6/b.ko\n";
        assert_eq!(parse(list), [Path::new("/usr/lib/modules/6/a.ko.xz"), Path::new("/usr/lib/modules/6/b.ko")]);
    }
}
