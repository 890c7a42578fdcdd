//! Raw seeds become one layer. Pure.

use skerry_formats::seed::{Header, Layer, Problems, Seed, read, read_meta_data, refuse_network_config};

use super::{Kind, RawSeed};

/// What all seeds add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// Every key with its source.
    pub layer: Layer,
    /// The same, validated.
    pub seed: Seed,
}

/// Reads all seeds and merges them, the later winning per key. One bad seed spoils all: half of what was asked for may be
/// worse than nothing.
///
/// # Errors
/// All that is wrong with any of them.
pub fn merge(seeds: &[RawSeed]) -> Result<Merged, Problems> {
    let mut layer = Layer::default();
    let mut problems: Option<Problems> = None;
    for RawSeed { source, kind, bytes } in seeds {
        let read = match kind {
            Kind::Own => read(source, bytes, Header::Optional),
            Kind::UserData => read(source, bytes, Header::Required),
            Kind::MetaData => read_meta_data(source, bytes),
            Kind::NetworkConfig => refuse_network_config(source, bytes),
        };
        match read {
            Ok(later) => layer = later.over(layer),
            Err(more) => {
                problems = Some(match problems {
                    Some(problems) => problems.and(more),
                    None => more,
                });
            }
        }
    }
    match problems {
        Some(problems) => Err(problems),
        None => layer.validate().map(|seed| Merged { layer, seed }),
    }
}

#[cfg(test)]
mod tests {
    use skerry_formats::{role::Role, seed::Source};

    use super::*;

    fn raw(name: &str, kind: Kind, text: &str) -> RawSeed {
        RawSeed { source: Source::new(name), kind, bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn the_medium_wins_over_the_image_per_key() {
        let merged = merge(&[
            raw("image", Kind::Own, "skerry: {role: worker, labels: {a: b}}\n"),
            raw("meta-data", Kind::MetaData, "local-hostname: meta\n"),
            raw("user-data", Kind::UserData, "#cloud-config\nhostname: user\nskerry: {role: single}\n"),
        ])
        .unwrap();
        assert_eq!(merged.seed.skerry.role, Some(Role::Single));
        assert_eq!(merged.seed.node_name().map(String::from).as_deref(), Some("user"));
        assert_eq!(merged.seed.skerry.labels.len(), 1);
    }

    #[test]
    fn all_bad_seeds_are_told_together() {
        let said = merge(&[
            raw("image", Kind::Own, "rolle: single\n"),
            raw("network-config", Kind::NetworkConfig, "version: 2\n"),
            raw("user-data", Kind::UserData, "hostname: x\n"),
        ])
        .unwrap_err()
        .to_string();
        assert_eq!(
            said,
            "image, line 1: unknown key `rolle`; known there: hostname, fqdn, ssh_authorized_keys, write_files, ntp, \
             timezone, skerry\nnetwork-config: `network-config` is not carried out by Skerry: describe the interfaces in \
             user-data under `skerry.network`, and leave this file out or empty\nuser-data, line 1: the first line must be \
             `#cloud-config`"
        );
    }

    #[test]
    fn an_empty_network_config_is_no_matter() {
        let seeds = [raw("network-config", Kind::NetworkConfig, "# nothing\n\n")];
        assert!(merge(&seeds).unwrap().layer.is_empty());
    }
}
