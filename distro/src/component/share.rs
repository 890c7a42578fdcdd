//! How much of the machine each component may plan with: memory and processors, from how much there is.

use super::spec::ComponentId;
use crate::sys::{cgroup::Limits, machine::Machine};

/// What a component needs on the smallest machine, in MiB, and its part of a larger one in percent.
const fn share(component: ComponentId) -> (u64, u64) {
    match component {
        ComponentId::KubeApiserver => (220, 20),
        ComponentId::KubeControllerManager | ComponentId::Etcd => (64, 5),
        ComponentId::Kubelet => (72, 5),
        ComponentId::Kine | ComponentId::Containerd => (48, 4),
        ComponentId::KubeScheduler | ComponentId::MetricsServer | ComponentId::KubeProxy | ComponentId::Flannel => {
            (40, 3)
        }
    }
}

fn budget_mib(component: ComponentId, machine: &Machine) -> u64 {
    let (least, percent) = share(component);
    least.max(machine.memory_mib * percent / 100)
}

/// Within what time a component may allocate, between two runs of the garbage collector, as much as it keeps in spare: with
/// less the collector would cost an idle node more of its processor than the memory is worth (`recipes/go/pace`).
const SPAN: &str = "10s";

/// The variables that tell a Go program how hard to save. A component keeps in spare what it allocates within a while: little
/// when idle, at most as much as it lives on, and less than that on a small machine and as it nears its budget. On two
/// processors everyone but kube-apiserver keeps to one: threads that wake each other to share next to no work cost the whole
/// machine a seventh of its start, and a fifth of what it does idle.
pub(super) fn environment(component: ComponentId, machine: &Machine) -> Vec<(&'static str, String)> {
    let percent = if machine.memory_mib < 4096 { 40 } else { 100 };
    let limit = format!("{}MiB", budget_mib(component, machine));
    let mut variables = vec![("GOGC", percent.to_string()), ("GOMEMLIMIT", limit), ("SK8S_GC_SPAN", SPAN.to_owned())];
    if machine.processors <= 2 && component != ComponentId::KubeApiserver {
        variables.push(("GOMAXPROCS", "1".to_owned()));
    }
    variables
}

/// The component's control group. Memory: it is slowed, not ended, at twice its budget. Processor: everybody waits for the
/// API and calls it again when it does not answer. A server that starts anew beside all its callers, on a busy machine, must
/// come first, and its datastore with it: it ends itself if its start takes more than a minute, and would for ever.
pub(super) fn limits(component: ComponentId, machine: &Machine) -> Limits {
    let (cpu_weight, cpu_weight_at_start) = match component {
        ComponentId::KubeApiserver => (1000, 5000),
        ComponentId::Kine | ComponentId::Etcd => (2500, 2500),
        ComponentId::Containerd | ComponentId::Kubelet => (200, 200),
        ComponentId::KubeControllerManager
        | ComponentId::KubeScheduler
        | ComponentId::MetricsServer
        | ComponentId::KubeProxy
        | ComponentId::Flannel => (100, 100),
    };
    Limits { memory_high_mib: budget_mib(component, machine) * 2 + 64, cpu_weight, cpu_weight_at_start }
}
