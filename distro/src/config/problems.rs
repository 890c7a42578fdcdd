//! Everything that is wrong with a configuration's text, not only the first thing.

use super::{
    raw::{ConfigError, Raw},
    settings::Settings,
};
use crate::supervisor::chain;

/// Something that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Line of the mistake, from 1, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is wrong, with the key and, where there is one, what to do.
    pub message: String,
}

/// What is wrong with a configuration; nothing if a node could be made from it. `host_name` names the node where the text
/// does not.
///
/// A reader of YAML stops at the first mistake. So each entry with one is blanked out and the rest is read again, until
/// nothing is wrong or a mistake cannot be cut out; what then stands there is checked as a configuration.
#[must_use]
pub fn problems(text: &str, host_name: &str) -> Vec<Problem> {
    let whole: Vec<&str> = text.lines().collect();
    let mut lines: Vec<String> = whole.iter().map(|line| (*line).to_owned()).collect();
    let mut found = Vec::new();
    for _ in 0..=lines.len() {
        let error = match Raw::parse(&lines.join("\n")) {
            Ok(raw) => {
                found.extend(invalid(&raw, host_name));
                break;
            }
            Err(error) => error,
        };
        let mistake = Mistake::of(&error);
        let at = mistake.as_ref().map(|mistake| mistake.line - 1);
        // A mistake where an entry was cut out is one that the cut made.
        if at.is_some_and(|at| lines.get(at).map(String::as_str) != whole.get(at).copied()) {
            break;
        }
        found.push(problem(&error));
        if !mistake.is_some_and(|mistake| mistake.cut_out(&mut lines)) {
            break;
        }
    }
    found
}

fn problem(error: &ConfigError) -> Problem {
    match error {
        ConfigError::Text { line, message, near } => {
            let near = near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Problem { line: *line, message: format!("{}{near}", unnumbered(message)) }
        }
        ConfigError::Other { .. } => Problem { line: None, message: error.to_string() },
    }
}

/// A message without the numbers of items: where items were cut out before, they would be wrong. The line tells which.
fn unnumbered(message: &str) -> String {
    let (path, rest) = message.split_once(": ").unwrap_or((message, ""));
    let plain: String =
        path.split_inclusive('[').map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect();
    if rest.is_empty() { plain } else { format!("{plain}: {rest}") }
}

fn invalid(raw: &Raw, host_name: &str) -> Vec<Problem> {
    let invalid = Settings::check(raw, host_name).err().unwrap_or_default();
    invalid.iter().map(|invalid| Problem { line: None, message: chain(invalid) }).collect()
}

/// Where an entry with a mistake is.
struct Mistake {
    /// Its line, from 1.
    line: usize,
    extent: Extent,
}

/// What goes with a mistake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The key and what is below it.
    Entry,
    /// The whole item of a list: without the key, or with what it lacks, it would be wrong again.
    Item,
}

impl Mistake {
    /// A message begins with the path to what is wrong, which has a number for each item on the way.
    fn of(error: &ConfigError) -> Option<Self> {
        match error {
            ConfigError::Text { line: Some(line @ 1..), message, .. } => {
                let item = message.split(": ").next().is_some_and(|path| path.contains(']'));
                Some(Self { line: *line, extent: if item { Extent::Item } else { Extent::Entry } })
            }
            _ => None,
        }
    }

    /// Blanks the entry; false if it has no lines of its own.
    fn cut_out(&self, lines: &mut [String]) -> bool {
        let Some(line) = lines.get(self.line - 1) else { return false };
        let body = line.trim_start_matches([' ', '-']);
        let column = line.len() - body.len();
        let key = body.split(':').next().unwrap_or_default();
        if body.is_empty() || key.contains(['{', '[', '"', '\'', ' ', '#']) {
            return false;
        }
        match self.extent {
            Extent::Entry => {
                lines[self.line - 1] = line[..column].trim_end().to_owned();
                blank(&mut lines[self.line..], |indent, text| {
                    indent > column || (indent == column && text.starts_with('-'))
                });
                true
            }
            Extent::Item => {
                let begins = |line: &String| line.trim_start().starts_with('-') && indent(line) < column;
                let Some(first) = lines[..self.line].iter().rposition(begins) else { return false };
                let dash = indent(&lines[first]);
                lines[first].clear();
                blank(&mut lines[first + 1..], |indent, _| indent > dash);
                true
            }
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Blanks the lines from the first on that belong to an entry, by their indent and what follows it.
fn blank(lines: &mut [String], belongs: impl Fn(usize, &str) -> bool) {
    for line in lines {
        if !line.trim().is_empty() && !belongs(indent(line), line.trim_start()) {
            return;
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Problem, problems};
    use crate::config::Raw;

    fn told(text: &str) -> Vec<String> {
        let line = |problem: &Problem| problem.line.map(|line| format!("{line}: ")).unwrap_or_default();
        problems(text, "barn").iter().map(|problem| format!("{}{}", line(problem), problem.message)).collect()
    }

    fn starts(text: &str, wanted: &[&str]) {
        let told = told(text);
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
        for (told, wanted) in told.iter().zip(wanted) {
            assert!(told.starts_with(wanted), "{told}\n{wanted}");
        }
    }

    const TEXT: &str = "
apiVersion: sk8s.skerry.dev/v1
kind: ClusterConfig
spec:
  network:
    podCidr: 10.0.0.0/16
    flanel:
      backend: vxlan
      mtu: 1400
    provider: calico
  api:
    port: many
    sans:
      a: b
  featureGates:
  - nme: MemoryQoS
    enabled: true
  - name: MemoryQoS
    components: [kubelet]
  - name: WatchList
    enabled: yes please
  node:
    labels:
      kubernetes.io/x: y
";

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let wanted = [
            "6: spec.network: unknown field `podCidr`",
            "7: spec.network: unknown field `flanel`",
            "12: spec.api.port: invalid type",
            "14: spec.api.sans: invalid type",
            "16: spec.featureGates[]: unknown field `nme`",
            "18: spec.featureGates[]: missing field `enabled`",
            "21: spec.featureGates[].enabled: invalid type",
            "spec.network: provider: `calico`",
            "spec.node: label `kubernetes.io/x` is reserved",
        ];
        starts(TEXT, &wanted);
    }

    #[test]
    fn a_good_file_has_no_problems() {
        assert_eq!(told("apiVersion: sk8s.skerry.dev/v1\nkind: ClusterConfig\n"), Vec::<String>::new());
        assert_eq!(told(""), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_yaml_is_told_once() {
        starts("spec: api: sans\n", &["1: "]);
        starts("kind: Pod\n", &["configuration: `kind` is `Pod`"]);
        starts("spec: {api: {prot: 1}, nod: }\n", &["1: spec.api: unknown field `prot`"]);
    }

    proptest! {
        #[test]
        fn problems_are_there_if_and_only_if_the_text_is_refused(text in "([ ]{0,4}(- )?(spec|api|port|node|name|sans)?(:)?( \\{| [a1]| \\[)?\n){0,12}") {
            let refused = match Raw::parse(&text) {
                Ok(raw) => crate::config::Settings::check(&raw, "barn").is_err(),
                Err(_) => true,
            };
            prop_assert_eq!(!problems(&text, "barn").is_empty(), refused);
        }
    }
}
