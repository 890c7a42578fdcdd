//! Kubernetes' own end-to-end suite against a controller and a worker on this machine: builds the suite, has the images composed that
//! its pods run, and says of each test that did not pass why.

mod images;
mod report;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{files, native, process};

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only tests whose names match this regular expression
    #[arg(long, default_value = r"\[Conformance\]")]
    focus: String,
    /// How many tests run at a time
    #[arg(long, default_value_t = 4)]
    procs: u8,
}

/// The components whose images the suite's pods run, besides those that every node has.
const IMAGES: [&str; 3] = ["agnhost", "nginx", "sample-apiserver"];
/// The module that pins the suite.
const MODULE: &str = "recipes/components/agnhost";

/// Builds, runs, reports.
pub fn run(args: &Args) -> Result<ExitCode, String> {
    let work = std::path::absolute("target/conformance").map_err(|error| format!("no current folder: {error}"))?;
    let file = native::build(&work, &IMAGES)?;
    let folder = native::components(&file, &work)?;
    let suite = Suite::build(&work)?;
    images::alias(&folder.join("images"), &suite.names()?, &work.join("images"))?;
    let kubectl = work.join("kubectl");
    files::remove(&kubectl);
    files::symlink(&folder.join("bin/kube"), &kubectl)?;
    let report = work.join("report.json");
    files::remove(&report);
    let mut env = native::variables(&folder);
    env.extend([
        ("SK8S_E2E", work.display().to_string()),
        ("SK8S_E2E_FOCUS", args.focus.clone()),
        ("SK8S_E2E_PROCS", args.procs.to_string()),
    ]);
    let words = ["test", "--release", "--locked", "--package", "sk8s", "--test", "conformance", "--", "--ignored"];
    let ran = process::show("cargo", &words, &env);
    // A test that fails is in the report; without one, the run itself failed.
    match files::read(&report) {
        Ok(text) => report::show(&text),
        Err(missing) => Err(ran.err().unwrap_or(missing)),
    }
}

/// The suite's programs.
struct Suite {
    tests: PathBuf,
    registries: PathBuf,
}

impl Suite {
    fn build(work: &Path) -> Result<Self, String> {
        let (tests, runner) = (work.join("e2e.test"), work.join("ginkgo"));
        let go = |words: &[&OsStr]| process::run("go", &[&["-C", MODULE].map(OsStr::new)[..], words].concat());
        let tests_of = |package: &'static str| [OsStr::new("-o"), tests.as_os_str(), OsStr::new(package)];
        let runner_of = |package: &'static str| [OsStr::new("-o"), runner.as_os_str(), OsStr::new(package)];
        go(&[&["test", "-c", "-vet=off"].map(OsStr::new)[..], &tests_of("k8s.io/kubernetes/test/e2e")].concat())?;
        go(&[&["build"].map(OsStr::new)[..], &runner_of("github.com/onsi/ginkgo/v2/ginkgo")].concat())?;
        let registries = work.join("registries.yaml");
        files::write(&registries, &images::registries())?;
        Ok(Self { tests, registries })
    }

    /// Full names of all images that the suite knows.
    fn names(&self) -> Result<Vec<String>, String> {
        let list = format!("KUBE_TEST_REPO_LIST={}", self.registries.display());
        let words = [OsStr::new(&list), self.tests.as_os_str(), OsStr::new("--list-images")];
        Ok(process::run("env", &words)?.stdout.lines().map(|line| line.trim().to_owned()).collect())
    }
}
