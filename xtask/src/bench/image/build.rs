//! Build times and sizes.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::{
    super::table::{Table, Unit},
    Args, peer,
};
use crate::{files, process};

/// What `skerry build --json` prints.
#[derive(Debug, Deserialize)]
pub struct Built {
    artefacts: Vec<Artefact>,
    root_bytes: u64,
    uki_bytes: u64,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Artefact {
    kind: String,
    path: PathBuf,
    size: u64,
}

#[derive(Debug, Deserialize)]
struct Step {
    title: String,
    ms: u64,
    outcome: String,
}

impl Built {
    /// The raw image.
    pub fn image(&self) -> Result<&Path, String> {
        self.artefact("image").map(|artefact| artefact.path.as_path())
    }

    fn artefact(&self, kind: &str) -> Result<&Artefact, String> {
        self.artefacts.iter().find(|artefact| artefact.kind == kind).ok_or_else(|| format!("no artefact `{kind}`"))
    }

    fn steps(&self, table: &Table) {
        for step in self.steps.iter().filter(|step| step.outcome == "made") {
            table.note(&format!("  {}", step.title), step.ms as f64 / 1000.0, Unit::Seconds);
        }
    }
}

/// Measures builds from the dearest to the cheapest; returns the last.
pub fn measure(args: &Args, table: &mut Table) -> Result<Built, String> {
    table.section("build");
    if !args.warm {
        let cache = args.out.join("cold-cache");
        let (built, took) = build(args, &[OsStr::new("--cache"), cache.as_os_str()])?;
        table.note("everything, with an empty cache", took.as_secs_f64(), Unit::Seconds);
        built.steps(table);
    }
    let (built, _) = build(args, &[])?;
    let (_, noop) = build(args, &[])?;
    table.goal("nothing to do", (noop.as_secs_f64(), 1.0), Unit::Seconds);
    let seeded = edited_seed(args)?;
    table.goal("after an edit of the seed", (seeded.as_secs_f64(), 5.0), Unit::Seconds);
    let mut edits = [edited_overlay(args)?, edited_overlay(args)?, edited_overlay(args)?];
    edits.sort_by_key(|(_, took)| *took);
    let [_, (composed, overlaid), _] = edits;
    table.goal("after an edit of an overlay, median of three", (overlaid.as_secs_f64(), 5.0), Unit::Seconds);
    composed.steps(table);
    let peer = peer::measure(args)?;
    table.note("mmdebstrap, unpacked only", peer.unpacked.as_secs_f64(), Unit::Seconds);
    table.note("mmdebstrap, a root that works, packages cached", peer.configured.as_secs_f64(), Unit::Seconds);
    let ratio = overlaid.as_secs_f64() / peer.configured.as_secs_f64();
    table.goal("whole image / mmdebstrap's working root", (ratio, 0.2), Unit::Ratio);
    sizes(&built, table)?;
    Ok(built)
}

fn sizes(built: &Built, table: &mut Table) -> Result<(), String> {
    table.section("size");
    let mega = |bytes: u64| bytes as f64 / 1e6;
    table.note("image, raw", mega(built.artefact("image")?.size), Unit::Megabytes);
    table.goal("image, zstd", (mega(built.artefact("image-zst")?.size), 190.0), Unit::Megabytes);
    table.note("root", mega(built.root_bytes), Unit::Megabytes);
    table.goal("unified kernel image", (mega(built.uki_bytes), 40.0), Unit::Megabytes);
    Ok(())
}

/// A build with another seed: the root stays, the unified kernel image changes.
fn edited_seed(args: &Args) -> Result<Duration, String> {
    let seed = args.out.join("seed.yaml");
    let mark = process::mark();
    files::write(&seed, &format!("#cloud-config\nhostname: bench-{mark}\nskerry:\n  role: single\n"))?;
    build(args, &[OsStr::new("--seed"), seed.as_os_str()]).map(|(_, took)| took)
}

/// A build with another file in an overlay: the root is composed anew from cached packages and components.
fn edited_overlay(args: &Args) -> Result<(Built, Duration), String> {
    let file = Edit::make(Path::new("overlays/base/usr/share/skerry-bench"))?;
    // What earlier builds wrote is not this one's to wait for.
    process::run("sync", &[])?;
    let done = build(args, &[]);
    drop(file);
    done
}

/// A file in the source tree that goes when the measurement is over.
struct Edit<'a> {
    path: &'a Path,
}

impl<'a> Edit<'a> {
    fn make(path: &'a Path) -> Result<Self, String> {
        files::write(path, &format!("{}\n", process::mark()))?;
        Ok(Self { path })
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        files::remove(self.path);
    }
}

/// Builds for the board, role `single`, into the run's own folder.
fn build(args: &Args, more: &[&OsStr]) -> Result<(Built, Duration), String> {
    let out = args.out.join("images");
    files::create_dir_all(&out)?;
    let mut words: Vec<OsString> = ["build", "--json", "--role", "single", "--board"].map(OsString::from).into();
    words.extend([args.board.clone().into(), "--out".into(), out.into_os_string()]);
    words.extend(more.iter().map(|word| word.to_os_string()));
    let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
    let ran = process::run("./skerry", &words)?;
    let built = serde_json::from_str(&ran.stdout).map_err(|error| format!("`skerry build --json`: {error}"))?;
    Ok((built, ran.took))
}
