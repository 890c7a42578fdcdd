//! Seeds that are baked into an image are read when it is built, so that a misspelt one fails the build and not the node.

use std::path::{Path, PathBuf};

use sk8s::config::{self, Misfit};
use skerry_formats::{
    role::Role,
    seed::{self, Header, HostName, KeyPath, Layer, Problems, Seed, Source},
};

use super::{Failure, Usage};
use crate::{compose::BakedSeed, fsx};

/// The seed that says a role, and the files in the order given.
pub fn baked(role: Option<Role>, files: &[PathBuf]) -> Result<Vec<BakedSeed>, Failure> {
    let said = role.map(|role| (Path::new("--role").to_owned(), "10-role.yaml".to_owned(), text_of(role)));
    let read = |(at, path): (usize, &PathBuf)| {
        Ok::<_, Failure>((path.clone(), format!("{}-seed.yaml", 50 + at), fsx::read_to_string(path)?))
    };
    let read: Vec<_> = files.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let mut merged = Layer::default();
    let mut seeds = Vec::new();
    for (path, name, text) in said.into_iter().chain(read) {
        let source = Source::new(path.display().to_string());
        let layer = seed::read(&source, text.as_bytes(), Header::Required).map_err(|problems| wrong(&problems))?;
        merged = layer.over(merged);
        seeds.push(BakedSeed { name, text });
    }
    judge(&merged).map_err(|problems| wrong(&problems))?;
    Ok(seeds)
}

fn text_of(role: Role) -> String {
    format!("{}\nskerry:\n  role: {role}\n", seed::HEADER)
}

fn wrong(problems: &Problems) -> Usage {
    Usage::new(
        problems.to_string(),
        "docs/seed.md lists the keys of a seed, and docs/config.md those of `skerry.config`",
    )
}

/// Whether sk8s would take what the seeds say together. What another source may add on the node is not known.
fn judge(seeds: &Layer) -> Result<(), Problems> {
    let Some(Seed { skerry: section, .. }) = seeds.draft() else { return Ok(()) };
    let name = HostName::default();
    let mut wish = section.wish(&name);
    if section.token.is_some() || section.role.is_none_or(|role| role == Role::Worker) {
        // The profiles that it may follow are those of the cluster that it joins.
        wish.extra = wish.extra.without(["node.profile"]);
    }
    let at = KeyPath::default().key("skerry");
    let problem = |Misfit { keys, why }: Misfit| {
        let is_passed_on = keys.first().is_some_and(|first| section.config.has(first));
        let path =
            if is_passed_on { keys.iter().fold(at.key("config"), |path, key| path.key(key)) } else { at.clone() };
        seeds.problem(&path, why)
    };
    Problems::none_in(config::misfits(&wish).into_iter().map(problem).collect())
}

#[cfg(test)]
mod tests {
    use skerry_formats::seed::{self, Header, Source};

    use super::judge;

    fn said(text: &str) -> String {
        let text = format!("#cloud-config\nskerry:\n{text}");
        let layer = seed::read(&Source::new("seed.yaml"), text.as_bytes(), Header::Required).unwrap();
        judge(&layer).err().map(|problems| problems.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_sk8s_would_refuse_fails_the_build() {
        let misspelt = said("  role: single\n  config:\n    network:\n      provder: custom\n");
        let wanted = "seed.yaml, line 6: `skerry.config.network`: unknown field `provder`, expected one of";
        assert!(misspelt.starts_with(wanted) && misspelt.ends_with("did you mean `provider`?"), "{misspelt}");
        let overlapping = said("  role: single\n  pod-cidr: 10.96.0.0/16\n");
        assert_eq!(
            overlapping,
            "seed.yaml, line 4: `skerry`: podCIDR `10.96.0.0/16` and serviceCIDR `10.96.0.0/16` overlap"
        );
    }

    #[test]
    fn sk8s_takes_what_the_seeds_in_the_documentation_pass_on() {
        let doc = include_str!("../../../docs/seed.md");
        for text in doc.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()) {
            let layer = seed::read(&Source::new("documentation"), text.as_bytes(), Header::Required).unwrap();
            assert_eq!(judge(&layer).err().map(|problems| problems.to_string()), None);
        }
    }

    #[test]
    fn a_worker_may_follow_a_profile_that_its_controllers_have() {
        assert_eq!(said("  role: worker\n  config: {node: {profile: big}}\n"), "");
        let single = said("  role: single\n  config:\n    node:\n      profile: big\n");
        assert_eq!(
            single,
            "seed.yaml, line 6: `skerry.config.node.profile`: no such profile in spec.workerProfiles: `big`"
        );
    }
}
