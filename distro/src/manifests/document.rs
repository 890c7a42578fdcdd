//! Manifest files as objects.

use serde_json::Value;

use super::yaml;

/// A text that is no manifest.
#[derive(Debug, thiserror::Error)]
pub enum BadManifest {
    /// No YAML.
    #[error("document {number}")]
    Yaml {
        /// Which document of the file, from 1.
        number: usize,
        /// What is wrong, and where.
        #[source]
        source: serde_yaml_ng::Error,
    },
    /// No object.
    #[error("document {number}: `{key}` is missing")]
    Key {
        /// Which document of the file, from 1.
        number: usize,
        /// What is missing.
        key: &'static str,
    },
}

/// An object to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, where one is given.
    pub namespace: Option<String>,
    /// The whole.
    pub value: Value,
}

/// The objects of a file with one or more documents; a `List` counts as its items, an empty document as none.
///
/// # Errors
/// At the first document that is no object.
pub fn objects(text: &str) -> Result<Vec<Object>, BadManifest> {
    let mut found = Vec::new();
    for (index, document) in serde_yaml_ng::Deserializer::from_str(text).enumerate() {
        let number = index + 1;
        let value = yaml::value(document, text).map_err(|source| BadManifest::Yaml { number, source })?;
        if value.is_null() {
            continue;
        }
        match value["items"].as_array() {
            Some(items) if value["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => {
                for item in items {
                    found.push(object(item.clone(), number)?);
                }
            }
            _ => found.push(object(value, number)?),
        }
    }
    Ok(found)
}

fn object(value: Value, number: usize) -> Result<Object, BadManifest> {
    let text = |value: &Value, key| value.as_str().map(ToOwned::to_owned).ok_or(BadManifest::Key { number, key });
    Ok(Object {
        api_version: text(&value["apiVersion"], "apiVersion")?,
        kind: text(&value["kind"], "kind")?,
        name: text(&value["metadata"]["name"], "metadata.name")?,
        namespace: value["metadata"]["namespace"].as_str().filter(|name| !name.is_empty()).map(ToOwned::to_owned),
        value,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::objects;

    #[test]
    fn documents_and_lists_are_flattened_in_order() {
        let text = "# head\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: List\n\
                    items:\n- {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: a}}\n";
        let names: Vec<_> = objects(text).expect("valid").into_iter().map(|o| (o.kind, o.name, o.namespace)).collect();
        let owned = |kind: &str, name: &str, namespace: Option<&str>| {
            (kind.to_owned(), name.to_owned(), namespace.map(ToOwned::to_owned))
        };
        assert_eq!(names, [owned("Namespace", "a", None), owned("Secret", "b", Some("a"))]);
    }

    #[test]
    fn an_object_without_a_name_says_which() {
        let error = objects("apiVersion: v1\nkind: Pod\n").expect_err("no name").to_string();
        assert_eq!(error, "document 1: `metadata.name` is missing");
    }

    #[test]
    fn modes_and_merged_maps_are_sent_as_kubectl_sends_them() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nbase: &base {defaultMode: 0400}\n\
                    spec: {volumes: [{name: key, secret: {<<: *base, optional: true}}]}\n";
        let secret = &objects(text).expect("valid")[0].value["spec"]["volumes"][0]["secret"];
        assert_eq!(*secret, serde_json::json!({"defaultMode": 256, "optional": true}));
    }

    proptest! {
        #[test]
        fn any_text_is_objects_or_refused(text in "\\PC{0,200}") {
            let _ = objects(&text);
        }
    }
}
