//! The same inputs give the same bytes, and a plain user can make them.

use std::{ffi::OsString, path::Path, time::Duration};

use crate::{
    Broken, Check,
    elsewhere::{Elsewhere, own_store},
    image,
    lab::Lab,
    process::Program,
    report::Report,
};

/// The build that is done twice.
pub const BUILD: [&str; 5] = ["build", "--board", "qemu-x86_64", "--role", "single"];
/// How much later the second build believes to be: another day everywhere, and signed lists are still fresh.
const LATER: [&str; 3] = ["faketime", "-f", "+29h"];
const LIMIT: Duration = Duration::from_secs(900);

pub fn run(lab: &Lab, report: &mut Report) {
    let name = "the same inputs give the same bytes for another user, folder, umask, locale, time zone and day";
    report.promise(name, || same_bytes(lab));
}

fn same_bytes(lab: &Lab) -> Check {
    let first = lab.scratch("first");
    let here = Program::new(lab.skerry()).args(BUILD).args([OsString::from("--out"), first.clone().into()]);
    here.limit(LIMIT).finish()?.success()?;
    let elsewhere = Elsewhere::new(lab.skerry())?;
    elsewhere.stock(&own_store())?;
    another_day(&elsewhere)?;
    let tool = elsewhere.path("skerry").display().to_string();
    let words: Vec<&str> =
        LATER.into_iter().chain([tool.as_str()]).chain(BUILD).chain(["--out", "here and there"]).collect();
    let said = elsewhere.program(&words).limit(LIMIT).finish()?;
    let steps = said.stderr.clone();
    said.success()?;
    made_anew(&steps)?;
    let (one, other) =
        (image::find(&first, &["single"])?, image::find(&elsewhere.path("here and there"), &["single"])?);
    for ending in ["", ".sha256", ".bmap", ".zst"] {
        equal(&with_ending(&one, ending), &with_ending(&other, ending))?;
    }
    Ok(())
}

/// The clock that programs see elsewhere is not ours.
fn another_day(elsewhere: &Elsewhere) -> Check {
    let seconds = |words: &[&str]| -> Check<i64> {
        let said = elsewhere.program(words).finish()?.success()?;
        said.trim().parse().map_err(Broken::when("`date` printed no number"))
    };
    let date = ["date", "+%s"];
    let ahead = seconds(&[&LATER[..], &date].concat())? - seconds(&date)?;
    if ahead > 28 * 3600 { Ok(()) } else { Err(Broken(format!("the other clock is {ahead} s ahead"))) }
}

/// What the components become was made there, not taken over.
fn made_anew(steps: &str) -> Check {
    for step in ["unpack packages", "compose root", "pack root", "hash root"] {
        let done = steps.lines().find(|line| line.contains(&format!("✓ {step} ")));
        if done.is_none_or(|line| line.contains("from the store")) {
            return Err(Broken(format!("`{step}` was not done anew:\n{steps}")));
        }
    }
    Ok(())
}

fn equal(one: &Path, other: &Path) -> Check {
    let compared = Program::new("cmp").args([one, other]).limit(LIMIT).finish()?;
    match compared.code {
        Some(0) => Ok(()),
        _ => Err(Broken(format!("{}{}", compared.stdout, compared.stderr).trim_end().to_owned())),
    }
}

fn with_ending(image: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = image.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
