//! Stanzas of `Field: value` lines: deb822(5). Fields are visited in place; nothing is copied.

/// One field of a stanza. Continuation lines stay in the value with their leading space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// As written; names are compared without regard to case.
    pub name: &'a str,
    /// Everything behind the colon, trimmed at both ends.
    pub value: &'a str,
}

/// A line that belongs to no stanza.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a `Field: value` line: `{0}`")]
pub struct BadStanza(String);

/// The fields of one stanza, in order.
///
/// # Errors
/// If a line is neither field nor continuation.
pub fn fields(stanza: &str) -> Result<Vec<Field<'_>>, BadStanza> {
    let mut fields = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in stanza.split_inclusive('\n') {
        let end = at;
        at += line.len();
        if line.starts_with([' ', '\t']) || line.trim().is_empty() {
            continue;
        }
        if let Some(start) = start.replace(end) {
            fields.push(field(&stanza[start..end])?);
        }
    }
    if let Some(start) = start {
        fields.push(field(&stanza[start..])?);
    }
    Ok(fields)
}

/// The value of a field.
#[must_use]
pub fn value<'a>(fields: &[Field<'a>], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// The stanzas of a text, separated by empty lines.
pub fn stanzas(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['\n', '\r']);
        if rest.is_empty() {
            return None;
        }
        let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
        let (stanza, tail) = rest.split_at(end);
        rest = tail;
        Some(stanza)
    })
}

fn field(text: &str) -> Result<Field<'_>, BadStanza> {
    let bad = || BadStanza(text.lines().next().unwrap_or_default().chars().take(80).collect());
    let (name, value) = text.split_once(':').ok_or_else(bad)?;
    let plain = |byte: u8| byte.is_ascii_graphic();
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(bad());
    }
    Ok(Field { name, value: value.trim() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn continuation_lines_belong_to_their_field() {
        let text = "A: 1\nB:\n two\n three\n\nC: x\n";
        let all: Vec<&str> = stanzas(text).collect();
        assert_eq!(all, ["A: 1\nB:\n two\n three\n", "C: x\n"]);
        let fields = fields(all[0]).unwrap();
        assert_eq!(value(&fields, "a"), Some("1"));
        assert_eq!(value(&fields, "B"), Some("two\n three"));
    }

    #[test]
    fn a_line_without_a_colon_is_rejected() {
        assert_eq!(fields("A: 1\nnonsense\n").unwrap_err().to_string(), "not a `Field: value` line: `nonsense`");
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in "[A-C:# \n\tä]{0,60}") {
            for stanza in stanzas(&text) {
                let _either = fields(stanza);
            }
        }
    }
}
