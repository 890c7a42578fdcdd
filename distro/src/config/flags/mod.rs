//! Flags that an owner gives to components: `extraArgs`.

mod owned;

use std::collections::BTreeMap;

use skerry_formats::hint;

use super::raw::Text;

/// A program that takes flags of the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `spec.api.extraArgs`.
    KubeApiserver,
    /// `spec.controllerManager.extraArgs`.
    KubeControllerManager,
    /// `spec.scheduler.extraArgs`.
    KubeScheduler,
    /// `spec.node.kubeletExtraArgs`.
    Kubelet,
    /// `spec.storage.etcd.extraArgs`.
    Etcd,
}

/// A flag that cannot be given.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadFlag {
    /// The program has none of that name.
    #[error("{target} has no flag `{name}`{}", .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Unknown {
        /// Which program.
        target: &'static str,
        /// What was written.
        name: String,
        /// The known one nearest to it.
        near: Option<&'static str>,
    },
    /// sk8s sets it.
    #[error("`{name}` is not yours to set: {reason}")]
    Owned {
        /// Which flag.
        name: String,
        /// Why, or what to set instead.
        reason: &'static str,
    },
    /// Written as on a command line.
    #[error("`{0}`: flags are written without dashes in front")]
    Dashes(String),
    /// No program can be given this.
    #[error("`{0}`: a value may hold no control characters")]
    Value(String),
}

/// Flags by name, without dashes in front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(BTreeMap<String, String>);

/// Flags that are lists of which ours must stay: the owner's are added.
const JOINED: [&str; 2] = ["authorization-mode", "enable-admission-plugins"];

impl Target {
    /// The program's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubelet => "kubelet",
            Self::Etcd => "etcd",
        }
    }

    /// The names of its flags, as its `--help` lists them, one a line.
    #[must_use]
    pub const fn known(self) -> &'static str {
        match self {
            Self::KubeApiserver => include_str!("kube-apiserver.txt"),
            Self::KubeControllerManager => include_str!("kube-controller-manager.txt"),
            Self::KubeScheduler => include_str!("kube-scheduler.txt"),
            Self::Kubelet => include_str!("kubelet.txt"),
            Self::Etcd => include_str!("etcd.txt"),
        }
    }
}

impl Flags {
    /// Checks flags as written.
    ///
    /// # Errors
    /// Every flag that the program does not know, that is ours, or whose value no program can be given.
    pub fn check(target: Target, raw: Option<&BTreeMap<String, Text>>) -> Result<Self, Vec<BadFlag>> {
        let raw = raw.into_iter().flatten();
        let (good, bad): (Vec<_>, Vec<_>) =
            raw.map(|(name, value)| one(target, name, value.as_str())).partition(Result::is_ok);
        let bad: Vec<BadFlag> = bad.into_iter().filter_map(Result::err).collect();
        if bad.is_empty() { Ok(Self(good.into_iter().flatten().collect())) } else { Err(bad) }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts these flags over a command line of `--name=value` words: a flag that is there is replaced, any other comes
    /// behind. Programs add up some flags that are given twice, so none is.
    pub fn put_over(&self, args: &mut Vec<String>) {
        for (name, value) in &self.0 {
            let head = format!("--{name}=");
            match args.iter_mut().find(|arg| arg.starts_with(&head)) {
                Some(arg) if JOINED.contains(&name.as_str()) => *arg = joined(arg, value),
                Some(arg) => *arg = format!("{head}{value}"),
                None => args.push(format!("{head}{value}")),
            }
        }
    }
}

fn one(target: Target, name: &str, value: &str) -> Result<(String, String), BadFlag> {
    if name.starts_with('-') {
        return Err(BadFlag::Dashes(name.to_owned()));
    }
    if let Some(reason) = owned::reason(target, name) {
        return Err(BadFlag::Owned { name: name.to_owned(), reason });
    }
    if !target.known().lines().any(|known| known == name) {
        let near = hint::nearest(name, target.known().lines());
        return Err(BadFlag::Unknown { target: target.as_str(), name: name.to_owned(), near });
    }
    if value.contains(char::is_control) {
        return Err(BadFlag::Value(name.to_owned()));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn joined(arg: &str, value: &str) -> String {
    let has = |word: &str| arg.split_once('=').is_some_and(|(_, words)| words.split(',').any(|w| w == word));
    let new: Vec<&str> = value.split(',').filter(|word| !word.is_empty() && !has(word)).collect();
    std::iter::once(arg).chain(new).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{BadFlag, Flags, Target};
    use crate::config::raw::Text;

    fn raw(pairs: &[(&str, &str)]) -> BTreeMap<String, Text> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Text::from(*value))).collect()
    }

    fn check(target: Target, name: &str) -> Vec<String> {
        let bad = Flags::check(target, Some(&raw(&[(name, "x")]))).err().unwrap_or_default();
        bad.iter().map(ToString::to_string).collect()
    }

    fn over(args: &[&str], pairs: &[(&str, &str)]) -> Vec<String> {
        let mut args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        Flags::check(Target::KubeApiserver, Some(&raw(pairs))).expect("good flags").put_over(&mut args);
        args
    }

    #[test]
    fn a_misspelt_flag_is_refused_with_the_nearest() {
        let text = "kube-apiserver has no flag `max-request-inflight`; did you mean `max-requests-inflight`?";
        assert_eq!(check(Target::KubeApiserver, "max-request-inflight"), [text]);
        assert_eq!(check(Target::KubeScheduler, "--v"), ["`--v`: flags are written without dashes in front"]);
    }

    #[test]
    fn flags_of_ours_are_refused_with_the_reason() {
        let text = "`etcd-servers` is not yours to set: set `spec.storage` instead";
        assert_eq!(check(Target::KubeApiserver, "etcd-servers"), [text]);
        let text = "`node-ip` is not yours to set: set `spec.node.address` instead";
        assert_eq!(check(Target::Kubelet, "node-ip"), [text]);
        let text = "`listen-peer-urls` is not yours to set: sk8s finds and keeps the members";
        assert_eq!(check(Target::Etcd, "listen-peer-urls"), [text]);
    }

    #[test]
    fn a_value_with_a_line_break_is_refused() {
        let bad = Flags::check(Target::Etcd, Some(&raw(&[("quota-backend-bytes", "1\n")])));
        assert_eq!(bad, Err(vec![BadFlag::Value("quota-backend-bytes".into())]));
    }

    #[test]
    fn the_owners_value_replaces_ours_and_a_new_flag_comes_last() {
        let args =
            over(&["kube-apiserver", "--event-ttl=30m", "--profiling=false"], &[("event-ttl", "1h"), ("v", "2")]);
        assert_eq!(args, ["kube-apiserver", "--event-ttl=1h", "--profiling=false", "--v=2"]);
    }

    #[test]
    fn lists_that_keep_a_cluster_safe_only_grow() {
        let args = over(&["--authorization-mode=Node,RBAC"], &[("authorization-mode", "RBAC,Webhook")]);
        assert_eq!(args, ["--authorization-mode=Node,RBAC,Webhook"]);
    }

    proptest! {
        #[test]
        fn no_flag_is_given_twice(names in prop::collection::vec(0_usize..150, 0..20)) {
            let known: Vec<&str> = Target::KubeApiserver.known().lines().collect();
            let free: Vec<&str> = known.into_iter().filter(|n| super::owned::reason(Target::KubeApiserver, n).is_none()).collect();
            let pairs: Vec<(&str, &str)> = names.iter().map(|i| (free[i % free.len()], "x")).collect();
            let args = over(&["--event-ttl=30m", "--profiling=false"], &pairs);
            let names: std::collections::BTreeSet<&str> = args.iter().filter_map(|a| a.split('=').next()).collect();
            prop_assert_eq!(names.len(), args.len());
        }
    }
}
