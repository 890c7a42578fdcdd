//! A service's environment, in a form that systemd and a shell read alike.

use std::{fmt, str::FromStr};

/// One variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    name: String,
    value: String,
}

/// No variable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a variable: `{0}`; wanted: `NAME=value` on one line")]
pub struct BadVariable(String);

impl FromStr for Variable {
    type Err = BadVariable;

    fn from_str(text: &str) -> Result<Self, BadVariable> {
        let bad = || BadVariable(text.split('=').next().unwrap_or_default().to_owned());
        let (name, value) = text.split_once('=').ok_or_else(bad)?;
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let known = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !first || !known || value.chars().any(char::is_control) {
            return Err(bad());
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

impl fmt::Display for Variable {
    /// A line of a file that both read: in double quotes, where a backslash takes their meaning from `"`, `\`, `` ` ``
    /// and `$` in either (systemd.exec(5), `EnvironmentFile=`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=\"", self.name)?;
        for c in self.value.chars() {
            if "\"\\`$".contains(c) {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

/// The text of a file of variables.
pub(super) fn text(variables: &[Variable]) -> String {
    variables.iter().map(|variable| format!("{variable}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_either_reader_would_expand_is_escaped() {
        let variable: Variable = "HTTPS_PROXY=http://a:p\"$`\\@b".parse().expect("a variable");
        assert_eq!(text(&[variable]), "HTTPS_PROXY=\"http://a:p\\\"\\$\\`\\\\@b\"\n");
    }

    #[test]
    fn a_refusal_does_not_show_the_value() {
        let error = "9PROXY=secret".parse::<Variable>().expect_err("no name").to_string();
        assert_eq!(error, "not a variable: `9PROXY`; wanted: `NAME=value` on one line");
        assert!("A=b\nc".parse::<Variable>().is_err());
        assert!("A".parse::<Variable>().is_err());
    }
}
