//! Which programs run.

use std::{collections::BTreeSet, path::Path};

use super::fs::{self, Identity, Result};

/// The files of all running programs that we may look at, in whatever mount namespace they are. Whom we may not look at has
/// other rights than we have, and so was not started by us or our like.
///
/// # Errors
/// If the list of processes cannot be read.
pub fn running() -> Result<BTreeSet<Identity>> {
    let mut programs = BTreeSet::new();
    for process in fs::list(Path::new("/proc"))? {
        let number = process.file_name().is_some_and(|name| name.to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
        // A thread of the kernel has no program, nor has a process that ended while we looked.
        if number && let Ok(Some(program)) = fs::identity(&process.join("exe")) {
            programs.insert(program);
        }
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::running;
    use crate::sys::fs;

    #[test]
    fn we_run() {
        let own = fs::identity(Path::new("/proc/self/exe")).expect("looked at").expect("there");
        assert!(running().expect("listed").contains(&own));
    }
}
