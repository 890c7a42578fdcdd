//! What the owner asks for, put over what sk8s would do by itself: flags, features, accounts.

use std::collections::BTreeMap;

use super::{
    Plan, kubelet,
    spec::{ComponentId, ComponentSpec},
};
use crate::{
    config::{Flags, Provider, Settings},
    sys::{accounts::Account, machine::Machine},
};

/// Components as their owner wants them: without those that are not wanted, with flags and features, under the accounts
/// that the owner names.
pub(super) fn adjust(plan: &Plan<'_>, specs: Vec<ComponentSpec>) -> Vec<ComponentSpec> {
    let wanted = |spec: &ComponentSpec| match spec.id {
        ComponentId::KubeProxy => plan.settings.proxy.is_some(),
        ComponentId::Flannel => matches!(plan.settings.provider, Provider::Flannel(_)),
        _ => true,
    };
    specs.into_iter().filter(wanted).map(|spec| one(plan, spec)).collect()
}

fn one(plan: &Plan<'_>, mut spec: ComponentSpec) -> ComponentSpec {
    let settings = plan.settings;
    if let Some(flags) = flags(settings, spec.id) {
        let gates = settings.gates.of(spec.id.as_str()).filter(|_| spec.id != ComponentId::Kubelet);
        spec.args.extend(gates.map(gates_flag));
        flags.put_over(&mut spec.args);
    }
    if !is_profiled(plan, &spec) {
        spec.env.push(("GODEBUG", "memprofilerate=0".to_owned()));
    }
    spec.account = account(settings, plan.machine, spec.id);
    if let Some(handover) = spec.handover.as_mut().filter(|_| spec.id == ComponentId::Kine) {
        handover.to = account(settings, plan.machine, ComponentId::KubeApiserver);
    }
    spec
}

/// Whether anybody can ask for a profile of its heap, which only the owner turns on. Without, the samples that Go takes of what is
/// allocated are for nobody.
fn is_profiled(plan: &Plan<'_>, spec: &ComponentSpec) -> bool {
    match spec.id {
        ComponentId::Kubelet => kubelet::is_profiled(plan),
        _ => spec.args.iter().any(|arg| arg == "--profiling=true"),
    }
}

fn gates_flag(gates: &BTreeMap<String, bool>) -> String {
    let gates: Vec<_> = gates.iter().map(|(name, on)| format!("{name}={on}")).collect();
    format!("--feature-gates={}", gates.join(","))
}

/// The owner's flags of a component that takes some. kube-proxy's are keys of its file, and so are the kubelet's features.
const fn flags(settings: &Settings, component: ComponentId) -> Option<&Flags> {
    match component {
        ComponentId::KubeApiserver => Some(&settings.api.extra_args),
        ComponentId::KubeControllerManager => Some(&settings.controller_manager),
        ComponentId::KubeScheduler => Some(&settings.scheduler),
        ComponentId::Kubelet => Some(&settings.kubelet_flags),
        _ => None,
    }
}

/// The features that are turned on or off in a component that reads them from a file.
pub(super) fn gates(plan: &Plan<'_>, component: ComponentId) -> Option<serde_json::Value> {
    let gates = plan.settings.gates.of(component.as_str())?;
    Some(gates.iter().map(|(name, on)| (name.clone(), serde_json::Value::Bool(*on))).collect())
}

/// Who a component runs as: the account that the owner names, or else one of its own name.
#[must_use]
pub fn account(settings: &Settings, machine: &Machine, component: ComponentId) -> Account {
    let named = settings.users.of(component.as_str()).and_then(|name| Account::find(&machine.passwd, name));
    named.unwrap_or_else(|| component.account(machine))
}

#[cfg(test)]
mod tests;
