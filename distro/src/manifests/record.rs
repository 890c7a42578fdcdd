//! What a stack has put into the cluster, remembered in the cluster: a ConfigMap of `kube-system`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stack::{ObjectRef, StackName};
use crate::config::NodeName;

/// All records.
pub const RECORDS: &str = "/api/v1/namespaces/kube-system/configmaps?labelSelector=sk8s.skerry.dev%2Frecord%3Dstack";

/// What is remembered of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackRecord {
    /// The stack.
    pub stack: String,
    /// Whose folder it lies in: that controller alone removes a stack whose files are gone.
    pub node: NodeName,
    /// What was applied.
    pub objects: Vec<ObjectRef>,
}

/// A record that cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the record of stack `{0}` is damaged: what it applied before is not removed")]
pub struct BadStack(String);

/// Path of a stack's record.
#[must_use]
pub fn path(stack: &StackName) -> String {
    format!("/api/v1/namespaces/kube-system/configmaps/{}", name(stack.as_str()))
}

/// What the names of records begin with.
const HEAD: &str = "sk8s-stack-";

fn name(stack: &str) -> String {
    format!("{HEAD}{stack}")
}

impl StackRecord {
    /// The ConfigMap.
    #[must_use]
    pub fn object(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name(&self.stack),
                "namespace": "kube-system",
                "labels": { "sk8s.skerry.dev/record": "stack" },
            },
            "data": {
                "stack": self.stack,
                "node": self.node.as_str(),
                "objects": json!(self.objects).to_string(),
            },
        })
    }

    /// Reads a ConfigMap back.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn read(object: &Value) -> Result<Self, BadStack> {
        let data = &object["data"];
        let text = |key: &str| data[key].as_str().map(ToOwned::to_owned);
        let read = || {
            Some(Self {
                stack: text("stack")?,
                node: text("node")?.parse().ok()?,
                objects: serde_json::from_str(&text("objects")?).ok()?,
            })
        };
        read().ok_or_else(|| BadStack(object["metadata"]["name"].as_str().unwrap_or_default().to_owned()))
    }
}

/// What is remembered of every stack, as far as it can be read.
pub type Records = BTreeMap<StackName, Result<StackRecord, BadStack>>;

/// Reads a list of such ConfigMaps.
#[must_use]
pub fn read_all(list: &Value) -> Records {
    let read = |object: &Value| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let record = StackRecord::read(object);
        let stack = record.as_ref().map_or(name.strip_prefix(HEAD).unwrap_or(name), |record| &record.stack);
        (StackName::of(stack), record)
    };
    list["items"].as_array().into_iter().flatten().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::{StackRecord, read_all};
    use crate::manifests::ObjectRef;

    #[test]
    fn a_record_survives_the_cluster() {
        let object = ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: None,
            name: "key".to_owned(),
        };
        let record =
            StackRecord { stack: "web".to_owned(), node: "barn".parse().expect("a name"), objects: vec![object] };
        assert_eq!(StackRecord::read(&record.object()).as_ref(), Ok(&record));
        assert!(StackRecord::read(&serde_json::json!({"data": {"stack": "web"}})).is_err());
        let damaged = serde_json::json!({"metadata": {"name": "sk8s-stack-shop"}});
        let all = read_all(&serde_json::json!({"items": [record.object(), damaged]}));
        let stacks: Vec<_> = all.iter().map(|(stack, record)| (stack.as_str(), record.is_ok())).collect();
        assert_eq!(stacks, [("shop", false), ("web", true)]);
    }
}
