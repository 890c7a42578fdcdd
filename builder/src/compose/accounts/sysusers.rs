//! The `sysusers.d(5)` format.

use super::AccountError;
use crate::tree::TreePath;

/// One line of a `sysusers.d` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declaration {
    /// `u NAME ID GECOS HOME SHELL`.
    User {
        /// Name.
        name: String,
        /// Number and group.
        id: Id,
        /// Full name.
        gecos: String,
        /// Home folder.
        home: String,
        /// Shell.
        shell: String,
    },
    /// `g NAME ID`.
    Group {
        /// Name.
        name: String,
        /// Number.
        gid: Option<u32>,
    },
    /// `m USER GROUP`.
    Member {
        /// User.
        user: String,
        /// Group.
        group: String,
    },
}

/// The third field of a user: `-`, `UID`, `UID:GID`, `UID:GROUP`, `-:GROUP`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Id {
    /// User number, if the file wants one.
    pub uid: Option<u32>,
    /// Primary group by name or number, if it is not the user's own.
    pub group: Option<String>,
}

/// Reads a file; `r` lines (ranges) mean nothing where every id is fixed.
///
/// # Errors
/// If a line has another form.
pub fn parse(file: &TreePath, text: &str) -> Result<Vec<Declaration>, AccountError> {
    let mut declarations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bad = |why| AccountError::Line { file: file.clone(), line: index + 1, why };
        declarations.extend(parse_line(&words(line)).map_err(bad)?);
    }
    Ok(declarations)
}

fn parse_line(words: &[String]) -> Result<Option<Declaration>, &'static str> {
    let field = |at: usize| words.get(at).filter(|word| *word != "-").cloned();
    let kind = words.first().map(String::as_str).unwrap_or_default();
    if kind == "r" {
        return Ok(None);
    }
    if !matches!(kind, "u" | "u!" | "g" | "m") {
        return Err("neither `u`, `u!`, `g`, `m` nor `r`");
    }
    let name = field(1).ok_or("no name")?;
    Ok(Some(match kind {
        "g" => Declaration::Group { name, gid: field(2).map(|id| number(&id)).transpose()? },
        "m" => Declaration::Member { user: name, group: field(2).ok_or("no group")? },
        _ => Declaration::User {
            name,
            id: field(2).map_or(Ok(Id::default()), |id| parse_id(&id))?,
            gecos: field(3).unwrap_or_default(),
            home: field(4).unwrap_or_else(|| "/".to_owned()),
            shell: field(5).unwrap_or_else(|| "/usr/sbin/nologin".to_owned()),
        },
    }))
}

fn parse_id(text: &str) -> Result<Id, &'static str> {
    let (uid, group) = text.split_once(':').map_or((text, None), |(uid, group)| (uid, Some(group.to_owned())));
    Ok(Id { uid: if uid == "-" { None } else { Some(number(uid)?) }, group })
}

fn number(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "an id that is no number")
}

/// Words, some of them in double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = tail.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_and_ranges_are_read() {
        let file: TreePath = "x.conf".parse().unwrap();
        let read = parse(&file, "# c\nr - 500-900\nu sshd -:nogroup \"sshd user\" /run/sshd\n").unwrap();
        let id = Id { uid: None, group: Some("nogroup".to_owned()) };
        let [gecos, home, shell] = ["sshd user", "/run/sshd", "/usr/sbin/nologin"].map(str::to_owned);
        assert_eq!(read, [Declaration::User { name: "sshd".to_owned(), id, gecos, home, shell }]);
    }
}
