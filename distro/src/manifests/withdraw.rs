//! Takes built-in objects out of the cluster that are not wanted any more.

use serde_json::Value;

use super::{
    apply::{Applier, ApplyError},
    document::Object,
    stack::ObjectRef,
};

/// The label of built-in objects that may be taken out again.
const MARK: (&str, &str) = ("app.kubernetes.io/managed-by", "sk8s");

/// Removes objects in order, if the last of them is there and is ours: what somebody else put there under such a name stays, with
/// what it needs. How many were removed. Cut short, it is taken up again, as the last goes last.
///
/// # Errors
/// At the first object that cannot be looked at or removed.
pub fn withdraw(applier: &mut Applier, objects: &[Object]) -> Result<usize, ApplyError> {
    let Some(last) = objects.last() else { return Ok(0) };
    if !applier.get(&last.into())?.as_ref().is_some_and(is_ours) {
        return Ok(0);
    }
    let mut count = 0;
    for object in objects {
        count += usize::from(applier.remove(&ObjectRef::from(object))?);
    }
    Ok(count)
}

fn is_ours(object: &Value) -> bool {
    let (label, value) = MARK;
    object["metadata"]["labels"][label] == value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_ours;

    #[test]
    fn what_helm_put_there_is_not_ours() {
        let labelled = |value: &str| json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": value}}});
        assert!(is_ours(&labelled("sk8s")));
        assert!(!is_ours(&labelled("Helm")) && !is_ours(&json!({"metadata": {}})));
    }
}
