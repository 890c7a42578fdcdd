//! What is wrong with a configuration that is made of a seed or of a file of hosts.

use skerry_formats::cluster_config::Wish;

use super::problems::problems;

/// Something that sk8s would refuse.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misfit {
    /// Keys below `spec` on the way to it, as far as they are known; an item of a list is not told apart.
    pub keys: Vec<String>,
    /// What is wrong there.
    pub why: String,
}

/// What sk8s would refuse of a configuration.
#[must_use]
pub fn misfits(wish: &Wish<'_>) -> Vec<Misfit> {
    let name = wish.node.name.map_or("host", |name| name.as_str());
    let found = problems(&wish.to_yaml(), name);
    found.into_iter().map(|problem| placed(&problem.message)).collect()
}

/// A message begins with the path to what is wrong.
fn placed(message: &str) -> Misfit {
    let is_key = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_[]".contains(c));
    let known = message.split_once(": ").and_then(|(path, why)| Some((path.strip_prefix("spec.")?, why)));
    let known = known.filter(|(path, _)| path.split('.').all(is_key));
    let Some((path, why)) = known else { return Misfit { keys: Vec::new(), why: message.to_owned() } };
    let plain = |key: &str| key.split('[').next().unwrap_or_default().to_owned();
    Misfit { keys: path.split('.').map(plain).collect(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use skerry_formats::cluster_config::Wish;

    use super::misfits;

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let extra = "{network: {podCidr: x}, featureGates: [{name: WatchList, enabled: maybe}], images: {pause: {}}, \
                     node: {profile: big}}";
        let wish = Wish { extra: serde_yaml_ng::from_str(extra).expect("keys"), ..Wish::default() };
        let found: Vec<String> =
            misfits(&wish).iter().map(|misfit| format!("{:?} {}", misfit.keys, misfit.why)).collect();
        assert!(found[0].starts_with("[\"network\"] unknown field `podCidr`"), "{found:#?}");
        assert!(found[1].starts_with("[\"featureGates\", \"enabled\"]"), "{found:#?}");
        assert!(found.iter().any(|line| line.starts_with("[\"node\", \"profile\"] no such profile")), "{found:#?}");
        assert_eq!(misfits(&Wish::default()), []);
    }
}
