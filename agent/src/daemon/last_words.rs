//! What sk8s said when it ended.

use crate::sys::process::Program;

/// sk8s' unit.
const UNIT: &str = "sk8s.service";

/// The last error that sk8s ended with, on one line; `None` where it has not ended since the system started, or has said none.
pub fn last_words() -> Option<String> {
    let ended =
        Program::new("/usr/bin/systemctl").args(["show", "--property=NRestarts", "--value", UNIT]).run().ok()?;
    if ended.trim() == "0" {
        return None;
    }
    let log = ["--unit", UNIT, "--lines", "60", "--no-pager", "--output", "cat"];
    words(&Program::new("/usr/bin/journalctl").args(log).run().ok()?)
}

/// The last error in a log: sk8s prints it with its causes and a hint, a line each.
fn words(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().collect();
    let begin = lines.iter().rposition(|line| line.starts_with("error: "))?;
    let error = lines[begin].trim_start_matches("error: ").to_owned();
    let more = lines[begin + 1..].iter().map_while(|line| line.strip_prefix("  "));
    let words = more.fold(error, |text, line| match (line.strip_prefix("caused by: "), line.strip_prefix("hint: ")) {
        (Some(cause), _) => format!("{text}: {cause}"),
        (None, Some(hint)) => format!("{text}; {hint}"),
        (None, None) => text,
    });
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_last_error_is_told_with_its_causes_and_its_hint() {
        let log = "error: an older one\n  caused by: something\n INFO started\nerror: spec.network\n  caused by: provider: unknown\n  \
                   hint: see docs\nsk8s.service: Main process exited\n";
        assert_eq!(words(log).as_deref(), Some("spec.network: provider: unknown; see docs"));
        assert_eq!(words(" INFO started\n"), None);
    }
}
