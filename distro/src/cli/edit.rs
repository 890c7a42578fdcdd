//! `sk8s config edit` and `sk8s config status`: the file that a node reads.

use std::path::{Path, PathBuf};

use serde::Serialize;
use skerry_formats::digest::Digest;

use super::{
    config::{ConfigVerbError, Format, json, print, told},
    own_node::{OwnNode, USUAL},
};
use crate::{
    cluster::MARK,
    config::{self, DEFAULT, Problem},
    quote, status,
    sys::{
        accounts::Account,
        fs::{self, Access},
        machine, process,
    },
};

/// The editor where none is set.
const EDITOR: &str = "vi";

/// Lets its owner edit a copy of a file, which takes the file's place only if it is a good configuration. A bad one is
/// kept, and edited further the next time.
///
/// # Errors
/// If the editor fails, or what it left is not good.
pub(super) fn edit(path: &Path) -> Result<(), ConfigVerbError> {
    let before = fs::read_if_there(path)?;
    let copy = beside(path);
    if !fs::exists(&copy) {
        if let Some(folder) = path.parent().filter(|_| path == Path::new(USUAL)) {
            fs::create_shared_folder(folder)?;
        }
        let text = before.as_deref().unwrap_or(DEFAULT);
        fs::write(&copy, text.as_bytes(), Access::Private, machine::account())?;
    }
    let editor = std::env::var("EDITOR").ok().filter(|editor| !editor.trim().is_empty());
    let script = format!("{} {}", editor.as_deref().unwrap_or(EDITOR), quote::shell_word(&copy.display().to_string()));
    process::interact(&["sh".to_owned(), "-c".to_owned(), script])?;
    let text = fs::read_to_string(&copy)?;
    if before.as_ref() == Some(&text) {
        fs::remove_file(&copy)?;
        return print(&format!("`{}`: nothing was changed\n", path.display()));
    }
    let problems = config::problems(&text, &machine::host_name());
    if !problems.is_empty() {
        eprint!("{}", told(&problems));
        return Err(ConfigVerbError::Kept { copy, count: problems.len() });
    }
    match before {
        Some(_) => fs::replace(path, text.as_bytes())?,
        None => fs::write(path, text.as_bytes(), Access::Private, Account::ROOT)?,
    }
    fs::remove_file(&copy)?;
    let mut said = format!("`{}`: written; all of it is read at start: `sk8s stop`, `sk8s start`\n", path.display());
    if text.starts_with(MARK) {
        said.push_str("`sk8s cluster apply` writes it again unless its first line is removed\n");
    }
    print(&said)
}

fn beside(path: &Path) -> PathBuf {
    let mut copy = path.as_os_str().to_owned();
    copy.push(".edited");
    copy.into()
}

/// How the running node stands to its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    /// It was started with what the file says.
    Same,
    /// It was started with something else.
    Other,
    /// It does not run.
    Stopped,
}

#[derive(Serialize)]
struct Answer<'a> {
    file: &'a Path,
    exists: bool,
    problems: Vec<Problem>,
    node: Standing,
}

/// Says which file a node reads, whether it is good, and whether the running node was started with it.
///
/// # Errors
/// If it cannot be read.
pub(super) fn standing(own: &OwnNode, output: Format) -> Result<(), ConfigVerbError> {
    let (path, paths) = (own.file(), own.paths());
    let text = fs::read_if_there(path)?;
    let started = fs::read_if_there(&paths.started_with())?;
    let node = match status::pid(&paths.status_socket()) {
        None => Standing::Stopped,
        Some(_) => compare(text.as_deref(), started.as_deref()),
    };
    let problems = text.as_deref().map(|text| config::problems(text, &machine::host_name())).unwrap_or_default();
    let answer = Answer { file: path, exists: text.is_some(), problems, node };
    match output {
        Format::Json => print(&json(&answer)),
        Format::Text => print(&in_words(&answer)),
    }
}

fn compare(text: Option<&str>, started: Option<&str>) -> Standing {
    let now = text.map(|text| Digest::of(text.as_bytes()));
    let then: Option<Digest> = started.and_then(|line| line.split(' ').next()?.parse().ok());
    if now == then { Standing::Same } else { Standing::Other }
}

fn in_words(answer: &Answer<'_>) -> String {
    let file = answer.file.display();
    let content = match (answer.exists, answer.problems.len()) {
        (false, _) => "not there: every key has its default".to_owned(),
        (true, 0) => "valid".to_owned(),
        (true, count) => format!("not valid ({count}):\n{}", told(&answer.problems).trim_end()),
    };
    let node = match answer.node {
        Standing::Same => "was started with it",
        Standing::Other => "was started with another: `sk8s stop` and `sk8s start` apply it",
        Standing::Stopped => "does not run",
    };
    format!("file: {file}\ncontent: {content}\nnode: {node}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_compared_with_its_file_by_digest() {
        let line = format!("{}  /etc/sk8s/sk8s.yaml\n", Digest::of(b"text"));
        assert_eq!(compare(Some("text"), Some(&line)), Standing::Same);
        assert_eq!(compare(Some("other"), Some(&line)), Standing::Other);
        assert_eq!(compare(None, Some(&line)), Standing::Other);
        assert_eq!(compare(None, None), Standing::Same);
    }

    #[test]
    fn the_answer_is_three_lines() {
        let file = Path::new("/etc/sk8s/sk8s.yaml");
        let answer = Answer { file, exists: true, problems: Vec::new(), node: Standing::Other };
        assert_eq!(
            in_words(&answer),
            "file: /etc/sk8s/sk8s.yaml\ncontent: valid\nnode: was started with another: `sk8s stop` and `sk8s start` apply it\n"
        );
        let problems = config::problems("spec:\n  api:\n    port: 80\n", "barn");
        let bad = Answer { problems, node: Standing::Stopped, ..answer };
        assert!(in_words(&bad).contains("content: not valid (1):\nspec.api: port: `80`"), "{}", in_words(&bad));
    }
}
