//! What is wrong with the input or the surroundings is named at once, before anything is fetched or built.

#![expect(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::path::Path;

use skerry_tests::{
    cli::{Cli, golden, host_tool, source},
    elsewhere::{Elsewhere, names, set_mode},
    process::Program,
};

const EXPLAIN: [&str; 4] = ["build", "--board", "qemu-x86_64", "--explain"];
/// A data file, a word in it, its misspelling, and the verb that must find it.
type Typo = (&'static str, [&'static str; 2], &'static [&'static str]);

const TYPOS: [Typo; 12] = [
    ("boards/qemu-x86_64/board.toml", ["backend", "bakend"], &EXPLAIN),
    ("recipes/base.toml", ["overlays", "overlay"], &EXPLAIN),
    ("recipes/base.toml", ["\"kubernetes\"]", "\"kubernets\"]"], &EXPLAIN),
    (
        "recipes/profiles/debug.toml",
        ["packages", "pakages"],
        &["build", "--board", "qemu-x86_64", "--profile", "debug", "--explain"],
    ),
    ("recipes/sets.toml", ["for = \"host\"", "for = \"hst\""], &EXPLAIN),
    ("recipes/components/kine/component.toml", ["install", "instal"], &EXPLAIN),
    ("recipes/accounts.toml", ["[users]", "[user]"], &EXPLAIN),
    ("recipes/alternatives.toml", ["[links]", "[lnks]"], &EXPLAIN),
    ("recipes/drop.toml", ["[paths]", "[pahts]"], &EXPLAIN),
    ("overlays/base/overlay.toml", ["title", "titel"], &EXPLAIN),
    ("recipes/scripts.toml", ["handled-by =", "handled-bye ="], &["lock", "--mirror", "nowhere"]),
    ("skerry.lock", ["inrelease", "inrelaese"], &["build", "--board", "qemu-x86_64", "--mirror", "nowhere"]),
];

/// A catalogue of its own in the home.
fn catalog(cli: &Cli) {
    let parts = ["boards", "overlays", "recipes", "skerry.lock"].map(|name| source().join(name));
    let copy = Program::new("cp").arg("-r").args(parts).arg(cli.home());
    copy.finish().unwrap().success().unwrap();
}

fn replace(path: &Path, [word, wrong]: [&str; 2]) -> String {
    let right = skerry_qemu::files::read_text(path).unwrap();
    assert!(right.contains(word), "no `{word}` in {}", path.display());
    skerry_qemu::files::write(path, right.replacen(word, wrong, 1).as_bytes()).unwrap();
    right
}

#[test]
fn a_typing_error_in_any_data_file_is_named_with_line_and_nearest_word() {
    let cli = Cli::new().unwrap();
    catalog(&cli);
    let mut text = String::new();
    for (file, words, verb) in TYPOS {
        let path = cli.home().join(file);
        let right = replace(&path, words);
        let said = cli.program(verb).finish().unwrap();
        text.push_str(&format!("# {file}: {} for {}\n{}\n", words[1], words[0], cli.transcript(&said)));
        skerry_qemu::files::write(&path, right.as_bytes()).unwrap();
        assert_eq!(said.code, Some(2), "{file}: {}", said.stderr);
    }
    golden("typing-errors.txt", &text).unwrap();
}

#[test]
fn a_seed_is_checked_before_anything_else() {
    let cli = Cli::new().unwrap();
    let seed = cli.home().join("seed.yaml");
    skerry_qemu::files::write(&seed, b"#cloud-config\nhostname: a\nskerry:\n  rol: single\n").unwrap();
    let words = ["build", "--board", "qemu-x86_64", "--seed", "seed.yaml", "--mirror", "nowhere"];
    golden("seed-typing-error.txt", &cli.transcript(&cli.run(&words).unwrap())).unwrap();
    let passing = b"#cloud-config\nskerry:\n  role: single\n  config:\n    network:\n      provider: calicoo\n";
    skerry_qemu::files::write(&seed, passing).unwrap();
    golden("seed-config-error.txt", &cli.transcript(&cli.run(&words).unwrap())).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_the_build() {
    let elsewhere = Elsewhere::new(&host_tool().unwrap()).unwrap();
    let out = elsewhere.path("home");
    set_mode(&out, 0o555).unwrap();
    let tool = elsewhere.path("skerry").display().to_string();
    let words = [&tool, "build", "--board", "qemu-x86_64", "--mirror", "nowhere", "--out"];
    let mut text = String::new();
    for folder in [out.clone(), out.join("deeper")] {
        let folder = folder.display().to_string();
        let said = elsewhere.program(&[&words[..], &[&folder]].concat()).finish().unwrap();
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        for line in said.stderr.replace(&elsewhere.path("").display().to_string(), "ELSEWHERE/").lines() {
            // A temporary file's name is another each time.
            text.push_str(&format!("{}\n", line.split_once(" at path ").map_or(line, |(cause, _)| cause)));
        }
    }
    golden("read-only-output.txt", &text).unwrap();
    assert_eq!(names(&out).unwrap(), Vec::<String>::new());
    assert_eq!(names(&elsewhere.path("store")).unwrap(), Vec::<String>::new());
}
