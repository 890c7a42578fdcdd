//! Kubernetes' own end-to-end suite: builds it from the module that `sk8s` is built from, runs it, and says of each test that did
//! not pass why. Against a controller and a worker on this machine, with the images composed that its pods run; or, of the
//! tests that run no pods, against a cluster that is there.

mod images;
mod report;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{files, go, native, process};

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only tests whose names match this regular expression [default: all of conformance; with a cluster, what needs no pods]
    #[arg(long)]
    focus: Option<String>,
    /// How many tests run at a time
    #[arg(long, default_value_t = 4)]
    procs: u8,
    /// A cluster that is there, by its file of access
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Only build the suite
    #[arg(long)]
    build: bool,
}

/// The components whose images the suite's pods run, besides those that every node has.
const IMAGES: [&str; 6] = ["agnhost", "nautilus", "nginx", "nonewprivs", "sample-apiserver", "shell"];
/// The module that pins the suite, and its tags: the components', so that what both need is compiled once.
const MODULE: &str = "recipes/components/kubernetes";
const TAGS: &str = "-tags=grpcnotrace,selinux";
/// Everything that a certified distribution passes.
const ALL: &str = r"\[Conformance\]";

/// Of these, what makes no pods and takes seconds: it says of any cluster, without a further image, that its API is Kubernetes'.
const WITHOUT_PODS: [&str; 12] = [
    "ConfigMap should run through a ConfigMap lifecycle",
    r"\] Discovery should",
    "EndpointSlice should support creating",
    "Events API",
    "Ingress API",
    r"Namespaces \[Serial\] should (apply|patch)",
    "PodTemplates",
    "Secrets should patch a secret",
    "ServiceAccounts should (create a serviceAccountToken|run through)",
    "Servers with support for Table transformation",
    "ValidatingAdmissionPolicy",
    "Watchers should be able",
];

/// Builds, runs, reports.
pub fn run(args: &Args) -> Result<ExitCode, String> {
    let work = std::path::absolute("target/conformance").map_err(|error| format!("no current folder: {error}"))?;
    files::create_dir_all(&work)?;
    if args.build {
        return Suite::build(&work).map(|_| ExitCode::SUCCESS);
    }
    let report = work.join("report.json");
    files::remove(&report);
    let ran = match &args.kubeconfig {
        Some(config) => there(&work, config, args),
        None => own(&work, args),
    };
    // A test that fails is in the report; without one, the run itself failed.
    match files::read(&report) {
        Ok(text) => report::show(&text),
        Err(missing) => Err(ran.err().unwrap_or(missing)),
    }
}

/// Against a cluster that is there.
fn there(work: &Path, config: &Path, args: &Args) -> Result<(), String> {
    let config = std::path::absolute(config).map_err(|error| format!("no current folder: {error}"))?;
    let suite = Suite::build(work)?;
    let focus = args.focus.clone().unwrap_or_else(|| format!("({}).*{ALL}", WITHOUT_PODS.join("|")));
    let own = |name: &str, value: &Path| format!("--{name}={}", value.display());
    let mut words = vec![format!("--procs={}", args.procs), format!("--focus={focus}"), "--no-color".to_owned()];
    words.extend(["--json-report=report.json".to_owned(), own("output-dir", work), suite.tests.display().to_string()]);
    words.extend(["--".to_owned(), own("kubeconfig", &config)]);
    words.extend(["--provider=skeleton", "--disable-log-dump", "--allowed-not-ready-nodes=-1"].map(str::to_owned));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    process::show(&work.join("ginkgo").display().to_string(), &words, &[])
}

/// Against a controller that runs pods and a worker, each on a machine of its own made of namespaces.
fn own(work: &Path, args: &Args) -> Result<(), String> {
    native::check_needs()?;
    let file = native::build(work, &IMAGES)?;
    let folder = native::components(&file, work)?;
    let suite = Suite::build(work)?;
    images::alias(&folder.join("images"), &suite.names()?, &work.join("images"))?;
    let kubectl = work.join("kubectl");
    files::remove(&kubectl);
    files::symlink(&folder.join("bin/clients"), &kubectl)?;
    let mut env = native::variables(&folder);
    env.extend([
        ("SK8S_E2E", work.display().to_string()),
        ("SK8S_E2E_FOCUS", args.focus.clone().unwrap_or_else(|| ALL.to_owned())),
        ("SK8S_E2E_PROCS", args.procs.to_string()),
    ]);
    let words = ["test", "--release", "--locked", "--workspace", "--test", "conformance", "--", "--ignored"];
    process::show("cargo", &words, &env)
}

/// The suite's programs.
struct Suite {
    tests: PathBuf,
    registries: PathBuf,
}

impl Suite {
    fn build(work: &Path) -> Result<Self, String> {
        let (tests, runner) = (work.join("e2e.test"), work.join("ginkgo"));
        let to = |file: &Path| format!("-o={}", file.display());
        go::go(MODULE, &["test", "-c", "-vet=off", "-ldflags=-s -w", TAGS, &to(&tests), "k8s.io/kubernetes/test/e2e"])?;
        go::go(MODULE, &["build", &to(&runner), "github.com/onsi/ginkgo/v2/ginkgo"])?;
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
