//! Helm charts of the configuration, from files and from a repository.

use skerry_formats::status::{ChartState, ChartStatus};

use super::{
    eventually,
    lan::Lan,
    machine::Machine,
    node::{Node, images},
    shop::{Shop, head},
};

const CONFIG: &str = "/etc/trial.yaml";
const CHARTS: &str = "/var/charts";

/// An object that says what a chart was given.
const WORD: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: '{{ .Release.Name }}-word'}
data: {word: '{{ .Values.word | default \"none\" }}'}
";

/// A pod that starts once there is an object named in the values.
const SLOW: &str = "
apiVersion: v1
kind: Pod
metadata: {name: 'slow-{{ .Values.after }}'}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: slow
    image: BUSYBOX
    command: [/bin/busybox, sleep, '100000']
    envFrom: [{configMapRef: {name: '{{ .Values.after }}'}}]
";

fn write(machine: &Machine, path: &str, text: &str) {
    machine.shell(&format!("mkdir -p $(dirname {path}) && cat > {path} <<'END'\n{text}\nEND"));
}

fn chart(machine: &Machine, name: &str, template: &str) {
    write(machine, &format!("{CHARTS}/{name}/Chart.yaml"), &head(name, "0.1.0"));
    write(machine, &format!("{CHARTS}/{name}/templates/all.yaml"), &template.replace("BUSYBOX", &images()["busybox"]));
}

fn configure(machine: &Machine, helm: &str) {
    write(machine, CONFIG, &format!("spec: {{extensions: {{helm: {{{helm}}}}}}}"));
}

impl Node {
    fn chart(&self, release: &str) -> Option<ChartStatus> {
        self.status()?.charts.into_iter().find(|chart| chart.release == release)
    }

    fn chart_is(&self, release: &str, state: ChartState) -> ChartStatus {
        eventually(&format!("{release} is {state:?}"), || self.chart(release).filter(|chart| chart.state == state))
    }

    fn word(&self, namespace: &str, release: &str) -> String {
        self.said(&["get", "configmap", &format!("{release}-word"), "-n", namespace, "-o", "jsonpath={.data.word}"])
    }

    /// The states of a release's revisions, as helm says.
    fn history(&self, release: &str) -> Vec<String> {
        let out = self.sk8s(&["helm", "history", release, "-o", "json"]).stdout;
        let all: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap_or_default();
        all.iter().map(|one| one["status"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Ends it, writes another configuration and starts it with that.
    fn configured_anew(&mut self, helm: &str) {
        self.stop();
        configure(&self.machine, helm);
        self.start_again();
        self.wait_ready();
    }

    /// Kills the supervisor once helm is at a release, and starts it again.
    fn killed_while(&mut self, release: &str, state: &str) {
        eventually("helm is at it", || (self.history(release).last()? == state).then_some(()));
        self.kill("sk8s");
        eventually("helm went along", || {
            (!self.machine.run(&["pgrep", "-f", "kube helm upgrade"]).status.success()).then_some(())
        });
        self.start_again();
        self.wait_ready();
    }
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn charts_are_as_the_configuration_says() {
    let lan = Lan::new();
    let shop = Shop::open(&lan.0, [192, 168, 99, 254], ("shop", "1.2.3"), WORD);
    let machine = lan.boot("barn", [192, 168, 99, 2].into());
    chart(&machine, "web", WORD);
    chart(&machine, "broken", "{{ fail \"it is broken\" }}");
    let store = format!("repositories: [{{name: store, url: '{}', username: ada, password: tulip-9}}]", shop.url);
    let shop = r#"{name: shop, chartname: store/shop, version: ~1.2, namespace: mall, values: "word: sold\n"}"#;
    let broken = format!("{{name: broken, chartname: {CHARTS}/broken}}");
    let web = |word: &str| format!("{{name: web, chartname: {CHARTS}/web, values: {{word: {word}}}, order: 1}}");
    configure(&machine, &format!("{store}, charts: [{broken}, {}, {shop}]", web("one")));
    let mut node = Node::start(machine, &["controller", "--single", "--config", CONFIG]);
    node.wait_ready();

    node.chart_is("default/web", ChartState::Deployed);
    node.chart_is("mall/shop", ChartState::Deployed);
    assert_eq!((node.word("default", "web"), node.word("mall", "shop")), ("one".to_owned(), "sold".to_owned()));
    let why = node.chart_is("default/broken", ChartState::Failed).why.expect("a reason");
    assert!(why.contains("it is broken"), "{why}");
    let told = String::from_utf8(node.sk8s(&["status"]).stdout).expect("text");
    assert!(told.contains("chart default/broken"), "{told}");
    let kept = node.machine.shell("stat -c %a /run/sk8s/helm /run/sk8s/helm/repositories.yaml");
    assert_eq!(kept, "700\n600");

    // Somebody else's, which has the name of a chart that comes later.
    let made = node.sk8s(&["helm", "install", "theirs", &format!("{CHARTS}/web"), "--set", "word=theirs"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let theirs = format!("{{name: theirs, chartname: {CHARTS}/web}}");
    node.configured_anew(&format!("charts: [{}, {theirs}]", web("two")));
    eventually("a change of values arrives", || (node.word("default", "web") == "two").then_some(()));
    eventually("what left is gone", || node.word("mall", "shop").is_empty().then_some(()));
    let why = node.chart_is("default/theirs", ChartState::Failed).why.expect("a reason");
    assert!(why.contains("sk8s did not make"), "{why}");
    assert_eq!((node.word("default", "theirs").as_str(), node.history("theirs").len()), ("theirs", 1));
    node.chart_is("default/web", ChartState::Deployed);

    chart(&node.machine, "web", &WORD.replace("\ndata: {", "\ndata: {more: here, "));
    eventually("a changed file arrives", || {
        let more = node.said(&["get", "configmap", "web-word", "-o", "jsonpath={.data.more}"]);
        (more == "here").then_some(())
    });
    node.chart_is("default/web", ChartState::Deployed);
    let before = node.history("web");
    node.configured_anew("charts: []");
    eventually("all that was brought in is gone", || node.history("web").is_empty().then_some(()));
    assert_eq!(before.last().map(String::as_str), Some("deployed"));
    assert_eq!(node.word("default", "theirs"), "theirs");
    eventually("nothing is left to look after", || {
        (!node.machine.run(&["test", "-e", "/var/lib/sk8s/helm"]).status.success()).then_some(())
    });
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn a_chart_that_was_cut_short_needs_no_hand() {
    let machine = Machine::boot_alone("barn");
    chart(&machine, "slow", SLOW);
    let slow = |after: &str| format!("charts: [{{name: slow, chartname: {CHARTS}/slow, values: {{after: {after}}}}}]");
    configure(&machine, &slow("first"));
    let mut node = Node::start(machine, &["controller", "--single", "--config", CONFIG]);
    node.wait_ready();
    node.killed_while("slow", "pending-install");
    assert!(node.writes("first"));
    node.chart_is("default/slow", ChartState::Deployed);
    assert_eq!(node.history("slow"), ["deployed"]);

    node.configured_anew(&slow("second"));
    node.killed_while("slow", "pending-upgrade");
    assert!(node.writes("second"));
    node.chart_is("default/slow", ChartState::Deployed);
    assert_eq!(node.said(&["get", "pod", "slow-second", "-o", "jsonpath={.status.phase}"]), "Running");
    assert!(node.said(&["get", "pod", "slow-first", "--ignore-not-found"]).is_empty());
}
