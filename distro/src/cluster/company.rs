//! Who is in a cluster, as one of its controllers knows.

use std::collections::BTreeSet;

use skerry_formats::seed::HostName;

use super::{Fleet, HostError, script};

/// The names of its nodes, and of the members of its own etcd; none of these where it has none.
///
/// # Errors
/// If the controller was not reached, or its API or its etcd does not answer.
pub fn company(fleet: &Fleet, controller: &HostName) -> Result<(BTreeSet<String>, BTreeSet<String>), HostError> {
    let unknown = |error| HostError::Company(Box::new(error));
    let said = fleet.connection(controller)?.run("ask it", &script::company()).map_err(unknown)?;
    Ok(read(&said))
}

fn read(said: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let nodes = said.lines().filter_map(|line| line.strip_prefix("node ")).map(str::to_owned).collect();
    let json: String = said.lines().filter(|line| !line.starts_with("node ")).collect();
    let members: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    let names = members.as_array().into_iter().flatten().filter_map(|member| member["name"].as_str());
    (nodes, names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn nodes_and_members_are_told_apart() {
        let said = "node tower\nnode barn\n[\n  {\"name\": \"tower\"},\n  {\"name\": \"\"}\n]\n";
        let (nodes, members) = read(said);
        assert_eq!(nodes.into_iter().collect::<Vec<_>>(), ["barn", "tower"]);
        assert_eq!(members.into_iter().collect::<Vec<_>>(), ["tower"]);
        assert_eq!(read(""), Default::default());
    }
}
