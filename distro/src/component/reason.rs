//! What a line of a component's output says about the component's end, for whoever reads that one line.

use super::{ComponentId, etcd};

/// A line, read as a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It may be one, as long as nothing comes after it.
    Perhaps(String),
    /// It is one, and this is what to do; what comes after it does not matter.
    Surely(&'static str),
}

impl Reason {
    /// Reads a line. One of zap's JSON, as etcd writes it, is cut down to its message and error.
    #[must_use]
    pub fn of(id: ComponentId, line: &str) -> Self {
        match id {
            ComponentId::Etcd if line.contains(etcd::REMOVED) => Self::Surely(etcd::WHEN_REMOVED),
            _ => Self::Perhaps(short(line).unwrap_or_else(|| line.to_owned())),
        }
    }
}

fn short(line: &str) -> Option<String> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    let message = entry["msg"].as_str()?;
    Some(match entry["error"].as_str() {
        Some(error) => format!("{message}: {error}"),
        None => message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::Reason;
    use crate::component::ComponentId;

    #[test]
    fn json_is_cut_down_to_what_happened() {
        let line =
            r#"{"level":"fatal","ts":"…","msg":"listener failed","error":"address already in use","stacktrace":"…"}"#;
        let reason = Reason::Perhaps("listener failed: address already in use".to_owned());
        assert_eq!(Reason::of(ComponentId::Etcd, line), reason);
        let plain = "panic: no memory";
        assert_eq!(Reason::of(ComponentId::Etcd, plain), Reason::Perhaps(plain.to_owned()));
    }

    #[test]
    fn a_member_that_was_taken_out_says_what_to_do() {
        let line = r#"{"level":"warn","msg":"server error","error":"the member has been permanently removed from the cluster"}"#;
        assert!(matches!(Reason::of(ComponentId::Etcd, line), Reason::Surely(next) if next.contains("sk8s reset")));
        assert_eq!(Reason::of(ComponentId::Kubelet, "x"), Reason::Perhaps("x".to_owned()));
    }
}
