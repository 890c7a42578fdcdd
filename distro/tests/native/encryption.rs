//! Secrets where they are stored.

use super::{
    controllers::{several, voters},
    eventually,
    join::token,
    lan::Lan,
    machine::Machine,
    node::Node,
};

const VALUE: &str = "the-harbour-masters-password";

impl Node {
    /// Whether the database's files hold a text.
    fn stores(&self, text: &str) -> bool {
        let found = self.machine.run(&["sh", "-c", &format!("grep -q -a -e '{text}' /var/lib/sk8s/db/state.db*")]);
        found.status.success()
    }

    fn secret(&self) -> String {
        self.said(&["get", "secret", "door", "-o", "go-template={{.data.word | base64decode}}"])
    }
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn secrets_are_encrypted_where_they_are_stored_and_their_key_can_be_changed() {
    let mut node = Node::start(Machine::boot_alone("barn"), &["controller", "--single"]);
    node.wait_ready();
    node.said(&["create", "secret", "generic", "door", &format!("--from-literal=word={VALUE}")]);
    node.said(&["create", "configmap", "door", "--from-literal=word=for-all-to-read"]);
    assert_eq!(node.secret(), VALUE);
    assert!(node.stores("for-all-to-read"), "the search finds what is stored");
    assert!(!node.stores(VALUE), "a Secret lies in the database as it is");
    assert!(node.stores("k8s:enc:secretbox:v1:key1"));

    eventually("the controller has said what it works with", || {
        let said = node.sk8s(&["encryption", "status"]);
        String::from_utf8_lossy(&said.stdout).contains("barn: works with these keys").then_some(())
    });
    let said = node.sk8s(&["encryption", "rotate"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("key 2 encrypts from now on"), "{text}");
    assert!(
        text.ends_with("Secrets are encrypted with key 2 (XSalsa20-Poly1305)\nbarn: works with these keys\n"),
        "{text}"
    );
    assert_eq!(node.secret(), VALUE);
    assert!(node.stores("k8s:enc:secretbox:v1:key2"));

    // A restart finds the new key, without which nothing could be read.
    node.kill_and_start();
    node.wait_ready();
    assert_eq!(node.secret(), VALUE);
}

#[test]
#[ignore = "needs root, systemd and upstream's programs"]
fn controllers_share_the_keys_of_secrets_also_when_they_change() {
    let lan = Lan::new();
    let nodes = several(&lan, &["tower", "mill"]);
    nodes[1].said(&["create", "secret", "generic", "door", &format!("--from-literal=word={VALUE}")]);
    nodes.iter().for_each(|node| assert_eq!(node.secret(), VALUE));
    let both = "mill: works with these keys\ntower: works with these keys\n";
    eventually("both have said what they work with", || {
        let said = nodes[0].sk8s(&["encryption", "status"]);
        String::from_utf8_lossy(&said.stdout).ends_with(both).then_some(())
    });
    let said = nodes[1].sk8s(&["encryption", "rotate"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("with key 2 (XSalsa20-Poly1305)") && text.ends_with(both), "{text}");
    nodes.iter().for_each(|node| assert_eq!(node.secret(), VALUE));

    // None of the others has started again since: what they began with is not what a newcomer is to have.
    let good = token(&nodes[0], &["--role=controller"]);
    let barn = Node::start(lan.boot("barn", [192, 168, 99, 3].into()), &["controller", &good]);
    eventually("it has a vote", || (voters(&nodes[0]) == 3).then_some(()));
    barn.wait_ready();
    assert_eq!(barn.secret(), VALUE, "it reads what the new key encrypted");
    barn.said(&["create", "secret", "generic", "gate", "--from-literal=word=open"]);
    let gate = ["get", "secret", "gate", "-o", "go-template={{.data.word | base64decode}}"];
    nodes.iter().for_each(|node| assert_eq!(node.said(&gate), "open", "what it encrypts, the others read"));
    eventually("it is one of those that a change waits for", || {
        let said = nodes[0].sk8s(&["encryption", "status"]);
        String::from_utf8_lossy(&said.stdout).contains("barn: works with these keys").then_some(())
    });
}
