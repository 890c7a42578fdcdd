//! `sk8s` as processes of this machine, beside the same components started by a shell script. Needs root, `unshare`, `nsenter`,
//! `ip`, `openssl` and `curl`.

mod contender;
mod load;
mod sample;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use contender::Contender;
use serde_json::Value;

use super::table::{Table, Unit};
use crate::{files, native, process};

const BASELINE: &str = include_str!("baseline.sh");
/// How long a cluster rests before its memory is read.
const REST: Duration = Duration::from_secs(30);
/// Kubelet's threshold for the disk of images, in percent.
const FREE: u64 = 15;

/// What there is to start.
struct Kit {
    file: PathBuf,
    folder: PathBuf,
    images: BTreeMap<String, String>,
}

impl Kit {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn image(&self, name: &str) -> &str {
        self.images.get(name).map_or("", String::as_str)
    }

    /// The words that run `sk8s` with everything in a folder.
    fn sk8s(&self, work: &Path, words: &[&str]) -> Vec<String> {
        let at = |name: &str| work.join(name).display().to_string();
        let mut all = vec![self.file.display().to_string()];
        all.extend(words.iter().map(ToString::to_string));
        all.extend([format!("--data-dir={}", at("data")), format!("--run-dir={}", at("state"))]);
        all.extend([format!("--components={}", self.path("bin")), format!("--cni={}", self.path("cni"))]);
        all.extend([format!("--images={}", self.path("images")), format!("--kubelet-dir={}", at("kubelet"))]);
        all
    }
}

/// What is compared keeps its images below a folder of this machine's disk.
fn check_disk(folder: &Path) -> Result<(), String> {
    let disk = process::run("df", &["--output=avail,size".as_ref(), folder.as_os_str()])?.stdout;
    let blocks: Vec<u64> = disk.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match blocks[..] {
        [free, size] if free * 100 < size * FREE => {
            Err(format!("kubelet evicts pods where less than {FREE} % of the disk is free: make room"))
        }
        _ => Ok(()),
    }
}

/// Measures all of it.
pub fn measure(out: &Path, table: &mut Table) -> Result<(), String> {
    native::check_needs()?;
    let out = std::path::absolute(out).map_err(|error| format!("no current folder: {error}"))?;
    files::create_dir_all(&out)?;
    check_disk(&out)?;
    let file = native::build(&out, &[])?;
    let folder = native::components(&file, &out)?;
    let list = files::read(&folder.join("images.json"))?;
    let images = serde_json::from_str(&list).map_err(|error| format!("images.json: {error}"))?;
    let kit = Kit { file, folder, images };
    let peer = baseline(&kit, &out.join("peer"), table)?;
    let own = single(&kit, &out.join("single"), ("one node, SQLite", ""), table)?;
    table.section("beside the peer");
    table.note("start to /readyz: ratio", own.api / peer.api, Unit::Ratio);
    table.note("start to node Ready: ratio", own.ready / peer.ready, Unit::Ratio);
    table.note("idle memory: ratio", own.memory / peer.memory, Unit::Ratio);
    let etcd = "spec: {storage: {type: etcd}}";
    single(&kit, &out.join("etcd"), ("one node, etcd", etcd), table)?;
    pair(&kit, &out, table)
}

/// What is compared.
struct Figures {
    api: f64,
    ready: f64,
    memory: f64,
}

fn baseline(kit: &Kit, work: &Path, table: &mut Table) -> Result<Figures, String> {
    table.section("the peer: the same components, started in series by a shell script");
    let archive = kit.folder.join("images").join("pause.tar");
    let words = [
        "sh",
        "-c",
        BASELINE,
        "baseline",
        &work.display().to_string(),
        &kit.path("bin"),
        &kit.path("cni"),
        kit.image("pause"),
        &archive.display().to_string(),
    ];
    let contender = Contender::start(work, ("alone", "barn"), &words)?;
    let at = |name: &str| files::written_at(&work.join(name));
    process::until("the peer is ready", || at("ready"))?;
    let since = |name: &str| at(name).zip(at("begun")).map_or(f64::NAN, |(end, start)| end - start);
    let (api, ready) = (since("readyz"), since("ready"));
    table.note("start to /readyz", api, Unit::Seconds);
    table.note("start to node Ready", ready, Unit::Seconds);
    let memory = total(&rest(&contender, table));
    Ok(Figures { api, ready, memory })
}

fn single(kit: &Kit, work: &Path, (title, config): (&str, &str), table: &mut Table) -> Result<Figures, String> {
    table.section(title);
    let file = work.with_extension("yaml");
    files::write(&file, config)?;
    let words = kit.sk8s(work, &["controller", "--single", &format!("--config={}", file.display())]);
    let contender = Contender::start(work, ("alone", "barn"), &words.iter().map(String::as_str).collect::<Vec<_>>())?;
    let (_, ready) = process::until("the node's condition is Ready", || is_ready(&contender).then_some(()))?;
    let (timeline, _) = process::until("all components are ready", || timeline(kit, work))?;
    let ready = ready.as_secs_f64();
    let api = timeline.get("kube-apiserver ready").copied().unwrap_or(f64::NAN);
    let all = timeline.get("node ready").copied().unwrap_or(f64::NAN);
    table.note("start to /readyz", api, Unit::Seconds);
    table.note("start to all components ready", all, Unit::Seconds);
    let sqlite = config.is_empty();
    if sqlite {
        table.goal("start to node Ready", (ready, 6.0), Unit::Seconds);
    } else {
        table.note("start to node Ready", ready, Unit::Seconds);
    }
    let used = rest(&contender, table);
    let memory = total(&used);
    if sqlite {
        table.goal("idle memory without pods", (without_pods(&used), 400.0), Unit::Mebibytes);
        let own = used.get("sk8s").copied().unwrap_or(f64::NAN);
        table.goal("idle memory, the supervisor", (own, 20.0), Unit::Mebibytes);
    }
    under_load(kit, &contender, table)?;
    Ok(Figures { api, ready, memory })
}

/// Whether the API says of the only node that its condition is `Ready`.
fn is_ready(contender: &Contender) -> bool {
    let key = |name: &str| contender.work.join("state/admin").join(name).display().to_string();
    let (certificate, key) = (key("client.crt"), key("client.key"));
    let url = "https://127.0.0.1:6443/api/v1/nodes/barn";
    let said = contender.said(&["curl", "--silent", "--insecure", "--cert", &certificate, "--key", &key, url]);
    let Ok(node) = serde_json::from_str::<Value>(&said) else { return false };
    let mut conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn under_load(kit: &Kit, contender: &Contender, table: &mut Table) -> Result<(), String> {
    let state = contender.work.join("state");
    let keys = contender.work.join("keys");
    files::create_dir_all(&keys)?;
    for (from, to) in
        [("admin/client.crt", "client.crt"), ("admin/client.key", "client.key"), ("kubelet/ca.crt", "ca.crt")]
    {
        files::write(&keys.join(to), &files::read(&state.join(from))?)?;
    }
    let keys = keys.display().to_string();
    let writes = load::writes(contender, &keys, (8, 250))?;
    table.goal("2000 writes of 8 clients: refused", (writes.failed as f64, 0.0), Unit::Ratio);
    table.note("  half of them within", writes.median, Unit::Seconds);
    table.note("  99 in 100 within", writes.slow, Unit::Seconds);
    for count in [8, 40] {
        let pods = load::pods(contender, &keys, (count, kit.image("pause")))?;
        table.note(&format!("{count} pods at once: half of them Ready within"), pods.median, Unit::Seconds);
        table.note("  the last within", pods.last, Unit::Seconds);
        table.note("  pods per minute", count as f64 * 60.0 / pods.last.max(1.0), Unit::Ratio);
    }
    Ok(())
}

/// A controller and a worker.
fn pair(kit: &Kit, out: &Path, table: &mut Table) -> Result<(), String> {
    let tower = out.join("controller");
    let words = kit.sk8s(&tower, &["controller"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let controller = Contender::start(&tower, ("192.0.2.10/24", "tower"), &words)?;
    let shed = out.join("worker");
    let token = shed.join("token").display().to_string();
    let wait = "until [ -s \"$0\" ]; do sleep 0.02; done; exec \"$@\"";
    let join = kit.sk8s(&shed, &["worker", &format!("--token-file={token}")]);
    let words: Vec<&str> = ["sh", "-c", wait, &token].into_iter().chain(join.iter().map(String::as_str)).collect();
    let worker = Contender::start(&shed, ("192.0.2.20/24", "shed"), &words)?;
    controller.wire(&worker);
    table.section("a controller and a worker");
    process::until("the controller is ready", || timeline(kit, &tower))?;
    let data = format!("--data-dir={}", tower.join("data").display());
    let file = kit.file.display().to_string();
    let made = controller.said(&[&file, &data, "token", "create", "--role=worker", "--wait"]);
    files::write(Path::new(&token), &made)?;
    let (_, took) = process::until("the worker is ready", || timeline(kit, &shed))?;
    table.note("worker's start to Ready", took.as_secs_f64(), Unit::Seconds);
    process::sleep(REST);
    for (name, contender, goal) in [("controller", &controller, 330.0), ("worker", &worker, 130.0)] {
        let memory = without_pods(&listed(contender, table));
        table.goal(&format!("idle memory of the {name} without pods"), (memory, goal), Unit::Mebibytes);
    }
    Ok(())
}

/// When what happened, in seconds since its start; `None` while the node is not ready.
fn timeline(kit: &Kit, work: &Path) -> Option<BTreeMap<String, f64>> {
    let state = format!("--run-dir={}", work.join("state").display());
    let said = process::said(&kit.file.display().to_string(), &[&state, "status", "-o", "json"]);
    let status: Value = serde_json::from_str(&said).ok()?;
    let moment = |moment: &Value| Some((moment["event"].as_str()?.to_owned(), moment["at-ms"].as_f64()? / 1000.0));
    let all = status["timeline"].as_array()?.iter().filter_map(moment).collect();
    (status["phase"] == "ready").then_some(all)
}

/// Memory of each component after a rest, in MiB.
fn rest(contender: &Contender, table: &Table) -> BTreeMap<String, f64> {
    process::sleep(REST);
    listed(contender, table)
}

fn listed(contender: &Contender, table: &Table) -> BTreeMap<String, f64> {
    let all = sample::memory(contender);
    for (name, size) in &all {
        table.note(&format!("  {name}"), *size, Unit::Mebibytes);
    }
    table.note("idle memory", total(&all), Unit::Mebibytes);
    all
}

/// What the processes of the node itself use: there is one shim for each pod.
fn without_pods(used: &BTreeMap<String, f64>) -> f64 {
    total(used) - used.get(sample::SHIM).copied().unwrap_or(0.0)
}

fn total(used: &BTreeMap<String, f64>) -> f64 {
    used.values().sum()
}
