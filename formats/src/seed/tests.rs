//! What a seed accepts, refuses and says about it.

use proptest::prelude::*;
use serde_yaml_ng::Value;

use super::*;

fn user_data(text: &str) -> Result<Layer, Problems> {
    read(&Source::new("user-data"), text.as_bytes(), Header::Required)
}

fn section(text: &str) -> Result<Seed, Problems> {
    user_data(&format!("#cloud-config\nskerry:\n{text}")).and_then(|layer| layer.validate())
}

fn refusals(text: &str) -> String {
    match user_data(text).and_then(|layer| layer.validate()) {
        Ok(seed) => format!("accepted: {seed:?}"),
        Err(problems) => problems.to_string(),
    }
}

/// Each case of the golden file: a seed, a line `=>`, and what is said of it.
#[test]
fn refusals_are_golden() {
    let golden = include_str!("../../golden/seed-refusals.txt");
    let said: Vec<String> = golden
        .split("\n\n")
        .map(|case| {
            let seed = case.split("\n=>\n").next().unwrap_or_default();
            format!("{seed}\n=>\n{}", refusals(seed))
        })
        .collect();
    let said = said.join("\n\n") + "\n";
    assert!(said == golden, "golden/seed-refusals.txt should be:\n{said}");
}

#[test]
fn a_full_seed_survives_being_written() {
    let text = include_str!("../../golden/seed-full.yaml");
    let layer = user_data(text).unwrap();
    let seed = layer.validate().unwrap();
    let written = seed.to_cloud_config().unwrap();
    assert_eq!(user_data(&written).unwrap().validate().unwrap(), seed);
    assert_eq!(seed.skerry.role, Some(crate::role::Role::Single));
    assert_eq!(seed.write_files[1].bytes().as_deref(), Some(&b"hello\n"[..]));
    assert_eq!(seed.node_name().map(String::from).as_deref(), Some("edge-1"));
}

#[test]
fn secrets_are_not_explained() {
    let layer = user_data(include_str!("../../golden/seed-full.yaml")).unwrap();
    let explained = layer.explain();
    let of = |key: &str| explained.iter().find(|line| line.key == key).map(|line| line.value.as_str());
    assert_eq!(of("skerry.cluster.ca-key"), Some("[redacted]"));
    assert_eq!(of("skerry.token"), Some("[redacted]"));
    assert_eq!(of("skerry.cluster.ca-cert"), Some("-----BEGIN CERTIFICATE-----…"));
    assert_eq!(of("skerry.labels.example.org/rack"), Some("r1"));
    assert_eq!(of("skerry.config.storage.kine.dataSource"), Some("[redacted]"));
    assert!(!explained.iter().any(|line| line.value.contains("secret@")));
}

/// A controller's seed with a token that was made before.
const CONTROLLER: &str = "  role: controller\n  workloads: tolerating\n  tokens:\n  - {id: abc123, secret: \
                          0123456789abcdef, role: worker, expires: 2027-01-15T08:00:00Z, description: barn}\n";

#[test]
fn tokens_made_before_are_a_controllers_and_are_not_explained() {
    let layer = user_data(&format!("#cloud-config\nskerry:\n{CONTROLLER}")).unwrap();
    let seed = layer.validate().unwrap();
    assert_eq!((seed.skerry.tokens[0].id.as_str(), seed.skerry.workloads), ("abc123", Some(Workloads::Tolerating)));
    let explained = layer.explain();
    let tokens = explained.iter().find(|line| line.key == "skerry.tokens").map(|line| line.value.as_str());
    assert_eq!(tokens, Some("[redacted]"));
    let again = user_data(&seed.to_cloud_config().unwrap()).unwrap().validate().unwrap();
    assert_eq!(again, seed);
    let said = section(&CONTROLLER.replace("role: controller", "role: single")).unwrap_err().to_string();
    assert_eq!(
        said,
        "user-data, line 4: `skerry.workloads`: only a controller has the choice; the other roles run all workloads\n\
         user-data, line 5: `skerry.tokens`: only a controller lets nodes join; `token` is what a worker joins with"
    );
    let twice = format!("{CONTROLLER}  - {{id: abc123, secret: 0123456789abcdef, role: worker}}\n");
    assert!(section(&twice).unwrap_err().to_string().contains("`skerry.tokens[1].id`: `abc123` twice"));
}

#[test]
fn a_bad_secret_is_not_shown() {
    let said = section("  cluster: {ca-key: hunter2}\n").unwrap_err().to_string();
    assert!(said.contains("`skerry.cluster.ca-key`: not PEM") && !said.contains("hunter2"), "{said}");
}

#[test]
fn the_later_source_wins_per_key() {
    let image = read(&Source::new("image"), b"skerry:\n  role: worker\n  labels: {a: x, b: y}\n", Header::Optional);
    let medium = user_data("#cloud-config\nhostname: n\nskerry:\n  role: single\n  labels: {b: z}\n").unwrap();
    let merged = medium.over(image.unwrap());
    let seed = merged.validate().unwrap();
    let labels: Vec<String> = seed.skerry.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!((seed.skerry.role, labels), (Some(crate::role::Role::Single), vec!["a=x".to_owned(), "b=z".to_owned()]));
    let origin: Vec<String> = merged
        .explain()
        .iter()
        .map(|line| format!("{} {}:{}", line.key, line.source, line.line.unwrap_or(0)))
        .collect();
    assert_eq!(
        origin,
        ["hostname user-data:2", "skerry.labels.a image:3", "skerry.labels.b user-data:5", "skerry.role user-data:4"]
    );
}

#[test]
fn the_empty_seed_is_fine() {
    for text in ["#cloud-config", "#cloud-config\r\n", "#cloud-config\n---\nskerry:\nhostname:\n"] {
        assert_eq!(user_data(text).unwrap().validate().unwrap(), Seed::default(), "{text}");
    }
}

#[test]
fn meta_data_gives_only_a_host_name() {
    let source = Source::new("meta-data");
    let layer = read_meta_data(&source, b"instance-id: i-1\nlocal-hostname: late\n").unwrap();
    assert_eq!(layer.validate().unwrap().node_name().map(String::from).as_deref(), Some("late"));
    assert!(read_meta_data(&source, b"").unwrap().is_empty());
    assert!(read_meta_data(&source, b"local_hostname: a\n").is_err());
}

#[test]
fn deep_and_large_seeds_are_refused() {
    assert!(user_data(&format!("#cloud-config\n{}", "[".repeat(5000))).is_err());
    assert!(user_data(&format!("#cloud-config\n{}", "a: {".repeat(5000))).is_err());
    assert!(user_data(&format!("#cloud-config\n#{}", "x".repeat(SIZE_LIMIT))).is_err());
    let bomb = "#cloud-config\na: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\n\
                g: [*f,*f,*f,*f,*f,*f,*f,*f]\n";
    assert!(user_data(bomb).is_err());
}

fn known() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("hostname: a1"),
        Just("fqdn: a.b.c"),
        Just("ntp: {servers: [10.0.0.1]}"),
        Just("timezone: UTC"),
        Just("write_files: [{path: /etc/x, content: y, append: true}]"),
        Just("write_files: []"),
        Just("skerry: {role: single, labels: {a: b}}"),
        Just(
            "skerry: {role: worker, token: sk8s1.eyJyb2xlIjoid29ya2VyIiwiaWQiOiJhYmMxMjMiLCJzZWNyZXQiOiIwMTIzNDU2Nzg5YWJjZGVmIiwiY2EiOiI1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1Iiwic2VydmVycyI6WyIxOTIuMC4yLjEiXX0, taints: ['a=b:NoSchedule']}"
        ),
        Just("skerry: {network: [{name: e0, addresses: [10.0.0.2/24], gateway: 10.0.0.1}]}"),
        Just("skerry: {labels: {c: d}, api: {sans: [x.y]}, pod-cidr: 10.1.0.0/16}"),
        Just("skerry: {admin-kubeconfig: {to: medium}, cluster: {name: home}}"),
        Just("skerry:"),
    ];
    prop::collection::btree_map("[a-z]{1}", line, 0..4).prop_map(|lines| {
        let mut seen = std::collections::BTreeSet::new();
        let kept =
            lines.into_values().filter(|line| seen.insert(line.split(':').next().unwrap_or_default().to_owned()));
        kept.fold("#cloud-config\n".to_owned(), |text, line| text + line + "\n")
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for header in [Header::Required, Header::Optional] {
            let _any = read(&Source::new("s"), &bytes, header).and_then(|layer| layer.validate());
        }
    }

    #[test]
    fn arbitrary_yaml_never_panics(text in "(hostname|skerry|role|network|- |  |: |[a-z]{1,3}|\n|[0-9.:/]{1,5}|\\{|\\}|\\[|\\]|,){0,40}") {
        let _any = user_data(&format!("#cloud-config\n{text}")).and_then(|layer| layer.validate());
    }

    #[test]
    fn merging_is_associative(a in known(), b in known(), c in known()) {
        let [a, b, c] = [a, b, c].map(|text| user_data(&text).unwrap());
        let left = c.clone().over(b.clone().over(a.clone()));
        let right = c.over(b).over(a);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn what_was_read_can_be_written_and_read(text in known()) {
        let seed = user_data(&text).unwrap().validate().unwrap();
        let again = user_data(&seed.to_cloud_config().unwrap()).unwrap().validate().unwrap();
        prop_assert_eq!(again, seed);
    }

    #[test]
    fn the_empty_layer_changes_nothing(text in known()) {
        let layer = user_data(&text).unwrap();
        prop_assert_eq!(&layer.clone().over(Layer::default()), &layer);
        prop_assert_eq!(&Layer::default().over(layer.clone()), &layer);
        prop_assert!(matches!(layer.value(), Value::Mapping(_)));
    }
}

const DOC: &str = include_str!("../../../docs/seed.md");

#[test]
fn the_seeds_in_the_documentation_are_good() {
    let blocks: Vec<&str> =
        DOC.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    let seeds: Vec<Seed> = blocks.iter().map(|text| user_data(text).unwrap().validate().unwrap()).collect();
    let roles: Vec<&str> = seeds.iter().filter_map(|seed| seed.skerry.role).map(crate::role::Role::as_str).collect();
    assert_eq!(roles, ["single", "controller", "worker", "single"]);
}

#[test]
fn the_documentation_has_every_key() {
    let mut keys: Vec<String> = foreign::KEYS.iter().map(|(key, _)| (*key).to_owned()).collect();
    keys_of(&schema::SEED, "", &mut keys);
    let missing: Vec<&String> = keys.iter().filter(|key| !DOC.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "not in docs/seed.md: {missing:?}");
    let advice = |(_, instead): &&(&str, &str)| !DOC.contains(&format!("| {instead} |"));
    assert_eq!(foreign::KEYS.iter().find(advice), None);
}

/// Paths of all keys that have no keys below them, an item of a list being `[]`.
fn keys_of(shape: &shape::Shape, at: &str, keys: &mut Vec<String>) {
    match shape {
        shape::Shape::Map(known) | shape::Shape::Record(_, known) => {
            let dot = if at.is_empty() { "" } else { "." };
            known.iter().for_each(|(key, below)| keys_of(below, &format!("{at}{dot}{key}"), keys));
        }
        shape::Shape::List(shape::Shape::Text(_)) => keys.push(at.to_owned()),
        shape::Shape::List(item) => keys_of(item, &format!("{at}[]"), keys),
        _ => keys.push(at.to_owned()),
    }
}
