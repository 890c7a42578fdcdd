//! The `[Install]` section of a unit file, as `systemd.unit(5)` has it.

/// What starts a unit once it is enabled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Install {
    /// Units that want it.
    pub wanted_by: Vec<String>,
    /// Units that require it.
    pub required_by: Vec<String>,
    /// Units that it shall stay up with.
    pub upheld_by: Vec<String>,
    /// Other names.
    pub alias: Vec<String>,
    /// Units that are enabled with it.
    pub also: Vec<String>,
    /// Instance of a template that is enabled without one.
    pub default_instance: Option<String>,
}

impl Install {
    /// Reads the section; `None` if there is none or it says nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut install = Self::default();
        let mut inside = false;
        for line in text.replace("\\\n", " ").lines().map(str::trim) {
            if line.starts_with('[') {
                inside = line == "[Install]";
            } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
                install.set(key.trim_end(), value.trim());
            }
        }
        (install != Self::default()).then_some(install)
    }

    fn set(&mut self, key: &str, value: &str) {
        let list = match key {
            "WantedBy" => &mut self.wanted_by,
            "RequiredBy" => &mut self.required_by,
            "UpheldBy" => &mut self.upheld_by,
            "Alias" => &mut self.alias,
            "Also" => &mut self.also,
            "DefaultInstance" => {
                self.default_instance = Some(value.to_owned());
                return;
            }
            _ => return,
        };
        if value.is_empty() {
            list.clear();
        }
        list.extend(value.split_whitespace().map(str::to_owned));
    }
}
