//! Rust source with everything that is not code blanked out, so that braces and words can be counted.

/// The text with comments, strings and character literals replaced by blanks; lines stay where they are.
pub fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        let skip = not_code(&bytes[at..], before);
        match skip {
            0 => {
                code.push(bytes[at]);
                at += 1;
            }
            count => {
                let blank = |byte: &u8| if *byte == b'\n' { b'\n' } else { b' ' };
                code.extend(bytes[at..at + count].iter().map(blank));
                at += count;
            }
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes from here on are a comment or a literal; 0 if this is code.
fn not_code(rest: &[u8], before: u8) -> usize {
    let in_word = is_word(before);
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => string(rest),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string(rest, 1),
        [b'b', b'r', b'"' | b'#', ..] if !in_word => raw_string(rest, 2),
        [b'\'', b'\\', _, more @ ..] => 3 + more.iter().position(|byte| *byte == b'\'').map_or(0, |at| at + 1),
        [b'\'', ..] => character(rest),
        _ => 0,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') if depth == 1 => return at + 2,
            (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0; // a raw identifier
    }
    let mut end = vec![b'"'];
    end.extend(std::iter::repeat_n(b'#', hashes));
    let body = prefix + hashes + 1;
    let close = rest[body..].windows(end.len()).position(|window| window == end);
    close.map_or(rest.len(), |at| body + at + end.len())
}

/// A character literal, or 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]).into_owned();
    let first = text.chars().next().map_or(0, char::len_utf8);
    if rest.get(1 + first) == Some(&b'\'') { first + 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_become_blanks() {
        let code = code_only("a(\"}\\\"{\", '{', r#\"\"}\"#) // {\n/* { /* { */ } */ &'a str; '\\''; b\"{\"");
        assert!(!code.contains(['{', '}', '"']), "{code}");
        assert!(code.contains("&'a str;"), "{code}");
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn words_that_end_in_r_start_no_raw_string() {
        assert_eq!(code_only("for \"x\" r#type"), "for     r#type");
    }
}
