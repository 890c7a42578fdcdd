//! Backups under load, their way back, and the move to etcd.

use std::{
    io::Write as _,
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::{
    controller::{Controller, alone, is_gone},
    server::{self, PASSWORD},
};

fn name(index: usize) -> String {
    format!("w-{index:05}")
}

/// Runs `work` while objects are written one after the other; returns how many were acknowledged before and after it.
fn while_writing<T>(controller: &Controller, work: impl FnOnce() -> T) -> (T, usize, usize) {
    let (done, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let client = controller.client();
            while !done.load(Ordering::SeqCst) {
                let index = count.load(Ordering::SeqCst);
                controller.write(&client, &name(index));
                count.store(index + 1, Ordering::SeqCst);
            }
        });
        while count.load(Ordering::SeqCst) < 20 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let before = count.load(Ordering::SeqCst);
        let worked = work();
        let after = count.load(Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(300));
        done.store(true, Ordering::SeqCst);
        writer.join().expect("every write was acknowledged");
        (worked, before, after)
    })
}

/// How many of the writer's objects there are; they must be the first ones, without a gap.
fn written(controller: &Controller) -> usize {
    let objects = controller.objects();
    let names: Vec<_> = objects.keys().filter(|name| name.contains("\"w-")).collect();
    for (index, found) in names.iter().enumerate() {
        assert!(found.contains(&name(index)), "{found} follows a gap");
    }
    names.len()
}

const KEYS: [&str; 6] = ["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.pub", "sa.key"];

fn assert_same_keys(old: &Controller, new: &Controller, more: &[&str]) {
    for file in KEYS.iter().chain(more) {
        let of = |controller: &Controller| std::fs::read(controller.path("data/pki").join(file)).expect("there");
        assert_eq!(of(old), of(new), "{file}");
    }
}

fn goes_and_comes_back(storage: &str, more: &[&str]) {
    let mut old = Controller::started(storage);
    std::fs::create_dir_all(old.path("data/manifests/web")).expect("made");
    std::fs::write(old.path("data/manifests/web/page.yaml"), "# nothing yet\n").expect("written");
    let first = old.write(&old.client(), "first");
    let objects = old.settled();
    let config = old.config();
    let out = old.path("out").display().to_string();
    let (file, before, after) = while_writing(&old, || old.done(&["backup", "--config", &config, "--save-path", &out]));
    assert!(file.starts_with(&format!("{out}/sk8s_backup_20")) && file.ends_with(".tar.zst"), "{file}");
    assert_eq!(std::fs::read_dir(&out).expect("made").count(), 1, "no draft stays");
    let seen = old.write(&old.client(), "later");

    let mut new = Controller::new(storage);
    old.stop();
    let said = new.done(&["restore", &file]);
    assert!(said.contains("cluster shed of node barn restored"), "{said}");
    assert_same_keys(&old, &new, more);
    let page = std::fs::read_to_string(new.path("data/manifests/web/page.yaml")).expect("restored");
    assert_eq!(page, "# nothing yet\n");
    let config = std::fs::read_to_string(new.path("data/sk8s.restored.yaml")).expect("restored");
    assert_eq!(config, std::fs::read_to_string(old.config()).expect("there"));

    new.start();
    let there = written(&new);
    assert!(before <= there && there <= after + 1, "{before} <= {there} <= {after} + 1");
    let client = new.client();
    assert_eq!(new.version(&client, "first"), Some(first));
    assert_eq!(new.version(&client, "later"), None, "written after the backup");
    let restored = new.objects();
    for (name, object) in &objects {
        assert_eq!(restored.get(name), Some(object), "{name}");
    }
    assert!(is_gone(&client, seen), "a revision seen after the backup is not given a second time");
    assert!(new.write(&client, "again") > seen + 1_000_000, "revisions go on above all that was seen");

    assert!(new.refused(&["restore", &file]).contains("sk8s runs here"));
    new.stop();
    assert!(new.refused(&["restore", &file]).contains("holds a cluster already"));
    new.start();
    assert!(new.version(&new.client(), "again").is_some(), "a refused restore changed nothing");
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn sqlite_is_saved_under_load_and_restored() {
    let _alone = alone();
    goes_and_comes_back("{type: kine}", &[]);
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn etcd_is_saved_under_load_and_restored() {
    let _alone = alone();
    goes_and_comes_back("{type: etcd}", &["etcd/ca.crt", "etcd/ca.key"]);
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn a_backup_goes_through_pipes_and_a_damaged_one_leaves_nothing() {
    let _alone = alone();
    let mut old = Controller::started("{type: kine}");
    old.write(&old.client(), "first");
    let out = old.run(&["backup", "--config", &old.config(), "--save-path", "-"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let archive = out.stdout;
    old.stop();

    let feed = |controller: &Controller, bytes: &[u8]| {
        let mut command = controller.sk8s(&["restore", "-"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        // One that is refused is not read to its end.
        let _ = child.stdin.take().expect("a pipe").write_all(bytes);
        let out = child.wait_with_output().expect("ends");
        (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let new = Controller::new("{type: kine}");
    for at in [10, archive.len() / 3, archive.len() / 2, archive.len() - 20] {
        let mut damaged = archive.clone();
        damaged[at] ^= 0x40;
        for bytes in [&damaged[..], &archive[..at]] {
            let (obeyed, said) = feed(&new, bytes);
            assert!(!obeyed, "{at}: {said}");
            let left = std::fs::read_dir(new.path("data")).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{at}: {said}");
        }
    }
    let (obeyed, said) = feed(&new, &archive);
    assert!(obeyed, "{said}");
    let mut new = new;
    new.start();
    assert!(new.version(&new.client(), "first").is_some());
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn a_restore_that_was_cut_off_is_repeated_and_nothing_starts_before() {
    let _alone = alone();
    let mut old = Controller::started("{type: kine}");
    old.write(&old.client(), "first");
    let file = old.done(&["backup", "--config", &old.config(), "--save-path", &old.path("out").display().to_string()]);
    old.stop();
    let mut new = Controller::new("{type: kine}");
    new.done(&["restore", &file]);
    // As after a power loss between two names.
    std::fs::create_dir(new.path("data/.restoring")).expect("made");
    std::fs::rename(new.path("data/pki"), new.path("data/.restoring/pki")).expect("moved");
    let said = new.refused(&["controller", "--config", &new.config()]);
    assert!(said.contains("a restore did not end here: repeat `sk8s restore`"), "{said}");
    assert!(!new.path("data/pki").exists(), "no new keys for an old database");
    new.done(&["restore", &file]);
    new.start();
    assert!(new.version(&new.client(), "first").is_some());
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn a_stopped_controller_is_saved_too() {
    let _alone = alone();
    for storage in ["{type: kine}", "{type: etcd}"] {
        let mut old = Controller::started(storage);
        let first = old.write(&old.client(), "first");
        old.stop();
        let out = old.path("out").display().to_string();
        let file = old.done(&["backup", "--config", &old.config(), "--save-path", &out]);
        let mut new = Controller::new(storage);
        new.done(&["restore", &file]);
        new.start();
        assert_eq!(new.version(&new.client(), "first"), Some(first));
    }
    let empty = Controller::new("{type: kine}");
    let out = empty.path("out").display().to_string();
    let said = empty.refused(&["backup", "--config", &empty.config(), "--save-path", &out]);
    assert!(said.contains("no cluster was made"), "{said}");
    assert!(!empty.path("data").exists());
}

#[test]
#[ignore = "needs root, a network namespace, upstream's programs and MariaDB"]
fn a_backup_of_a_cluster_on_mariadb_says_what_is_not_in_it() {
    let _alone = alone();
    let _server = server::mariadb();
    let storage = format!("{{kine: {{dataSource: 'mysql://kine:{PASSWORD}@tcp(127.0.0.1:13306)/shed'}}}}");
    let mut old = Controller::started(&storage);
    let version = old.write(&old.client(), "first");
    let out = old.run(&["backup", "--config", &old.config(), "--save-path", &old.path("out").display().to_string()]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && said.contains("save it by its own means"), "{said}");
    old.stop();
    let mut new = Controller::new(&storage);
    new.done(&["restore", String::from_utf8_lossy(&out.stdout).trim()]);
    assert_same_keys(&old, &new, &[]);
    new.start();
    assert_eq!(new.version(&new.client(), "first"), Some(version));
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn backups_at_intervals_are_made_and_let_go() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    for day in 1..=4 {
        let name = format!("sk8s_backup_2026-01-0{day}T00-00-00Z_barn.tar.zst");
        std::fs::write(folder.path().join(name), "old").expect("written");
    }
    let others =
        ["mine.tar.zst", "sk8s_backup_2026-01-01T00-00-00Z.tar.zst", "sk8s_backup_2026-01-01T00-00-00Z_mill.tar.zst"];
    for name in others {
        std::fs::write(folder.path().join(name), "another's").expect("written");
    }
    // Of a clock that was wrong once: it goes before the oldest of the others does.
    std::fs::write(folder.path().join("sk8s_backup_2099-01-01T00-00-00Z_barn.tar.zst"), "old").expect("written");
    let place = folder.path().display();
    let storage = format!("{{type: kine, snapshots: {{interval: 10m, keep: 2, folder: '{place}'}}}}");
    let _controller = Controller::started(&storage);
    let names = super::controller::eventually("a backup is made and four go", || {
        let mut names: Vec<String> = std::fs::read_dir(folder.path())
            .expect("there")
            .map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        (names.len() == 5).then_some(names)
    });
    assert_eq!(&names[..3], others);
    assert_eq!(names[3], "sk8s_backup_2026-01-04T00-00-00Z_barn.tar.zst");
    let size = std::fs::metadata(folder.path().join(&names[4])).expect("there").len();
    assert!(names[4].ends_with("Z_barn.tar.zst") && size > 10_000, "{}: {size} bytes", names[4]);
}

#[test]
#[ignore = "needs root, a network namespace and upstream's programs"]
fn objects_move_from_sqlite_to_etcd() {
    let _alone = alone();
    let mut controller = Controller::started("{type: kine}");
    let client = controller.client();
    let first = controller.write(&client, "first");
    let gone = controller.write(&client, "gone");
    let deleted = controller.run(&["kubectl", "delete", "configmap", "gone"]);
    assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    let said = controller.refused(&["storage", "migrate", "--config", &controller.config()]);
    assert!(said.contains("sk8s runs here"), "{said}");
    let before = controller.settled();
    let last = controller.write(&client, "last");
    controller.stop();

    let said = controller.refused(&["storage", "migrate", "--config", &controller.config()]);
    assert!(said.contains("set `spec.storage.type` to `etcd`"), "{said}");
    controller.configure("{type: etcd}");
    let said = controller.refused(&["controller", "--config", &controller.config()]);
    assert!(said.contains("move them with `sk8s storage migrate`"), "{said}");
    let said = controller.done(&["storage", "migrate", "--config", &controller.config()]);
    assert!(said.contains("all compared"), "{said}");
    assert!(controller.path("data/db.migrated/state.db").exists(), "the way back is kept");

    controller.start();
    let client = controller.client();
    let after = controller.objects();
    for (name, object) in &before {
        assert_eq!(after.get(name), Some(object), "{name}");
    }
    assert!(controller.version(&client, "first").expect("moved") > last, "no resource version goes back");
    assert_eq!(controller.version(&client, "gone"), None, "what was deleted stays so");
    assert!(is_gone(&client, first) && is_gone(&client, gone), "old revisions are told to be gone");
    assert!(controller.write(&client, "more") > last);
    controller.stop();
    let said = controller.refused(&["storage", "migrate", "--config", &controller.config()]);
    assert!(said.contains("nothing to move"), "{said}");
    controller.configure("{type: kine}");
    let said = controller.refused(&["controller", "--config", &controller.config()]);
    assert!(said.contains("set `spec.storage.type` to `etcd`"), "{said}");
}
