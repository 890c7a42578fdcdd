//! The configuration that holds where nobody wrote one, as a file to begin with.

/// A whole file, with comments: what `sk8s config create` prints.
pub const DEFAULT: &str = include_str!("default.yaml");

#[cfg(test)]
mod tests {
    use serde_yaml_ng::Value;

    use super::DEFAULT;
    use crate::config::{Raw, Settings};

    /// The paths of all keys in a document.
    fn keys(value: &Value, path: &str, all: &mut Vec<String>) {
        for (key, value) in value.as_mapping().into_iter().flatten() {
            let path = format!("{path}.{}", key.as_str().expect("a word"));
            all.push(path.clone());
            keys(value, &path, all);
        }
    }

    /// The file with every key that it shows behind a `#` given.
    fn everything() -> String {
        let given = |line: &str| match line.trim_start().strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => {
                format!("{}{rest}\n", &line[..line.len() - line.trim_start().len()])
            }
            _ => format!("{line}\n"),
        };
        DEFAULT.lines().map(given).collect()
    }

    #[test]
    fn it_says_what_holds_without_it() {
        let given = Settings::validate(&Raw::parse(DEFAULT).expect("well-formed"), "barn").expect("valid");
        assert_eq!(given, Settings::validate(&Raw::default(), "barn").expect("valid"));
    }

    #[test]
    fn it_shows_every_key_and_none_that_is_not() {
        let text = everything();
        Raw::parse(&text).expect("every key is known");
        let (mut shown, mut known) = (Vec::new(), Vec::new());
        keys(&serde_yaml_ng::from_str(&text).expect("YAML"), "", &mut shown);
        keys(&serde_yaml_ng::to_value(Raw::default()).expect("a value"), "", &mut known);
        assert!(known.len() > 60, "{known:?}");
        for key in known {
            assert!(shown.contains(&key), "{key} is not shown");
        }
    }

    #[test]
    fn the_documentation_has_every_key() {
        let text = include_str!("../../../docs/config.md");
        let mut known = Vec::new();
        keys(&serde_yaml_ng::from_str(&everything()).expect("YAML"), "", &mut known);
        for key in known.iter().map(|key| key.trim_start_matches('.')).filter(|key| !key.contains("extraArgs.")) {
            let leaf = known.iter().all(|other| !other.starts_with(&format!(".{key}.")));
            assert!(!leaf || text.contains(&format!("`{key}`")), "{key} is not in docs/config.md");
        }
    }
}
