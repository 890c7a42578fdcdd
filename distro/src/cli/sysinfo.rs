//! `sk8s sysinfo`.

use super::CliError;
use crate::{
    paths::Paths,
    sysinfo::{self, Purpose, Verdict},
};

/// Judges this machine.
pub(super) fn sysinfo(paths: &Paths, purpose: Purpose, output: &str) -> Result<(), CliError> {
    let checks = sysinfo::judge(&sysinfo::observe(paths), purpose);
    let text = match output {
        "json" => sysinfo::json(&checks).map_err(|source| CliError::System("write the checks", source.into()))?,
        _ => sysinfo::text(&checks),
    };
    super::verbs::print(&text)?;
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Fail).count();
    if failed == 0 { Ok(()) } else { Err(CliError::Unfit(failed)) }
}
