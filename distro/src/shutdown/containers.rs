//! Ends all containers of pods.

use std::{collections::BTreeMap, time::Duration};

use nix::sys::signal::Signal;

use crate::{
    component::KillScope,
    images::Ctr,
    paths::Paths,
    supervisor::chain,
    sys::{
        clock::{self, Stopwatch},
        process::{self, ProcessError},
    },
};

/// How long containers may take. systemd waits for sk8s as a whole for a minute, on some machines a minute and a half.
const GRACE: Duration = Duration::from_secs(25);
const LOOK: Duration = Duration::from_millis(200);

/// Signals by which images ask to be ended (`STOPSIGNAL`), beside the usual one.
const OTHERS: [Signal; 4] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGWINCH, Signal::SIGHUP];
const LABEL: &str = "io.containerd.image.config.stop-signal";
const CONTAINER: &str = r#"labels."io.cri-containerd.kind"==container"#;

/// Asks every container to end, waits until all have, and kills those that do not in time.
pub fn end(paths: &Paths) {
    let clock = Stopwatch::start();
    let tasks = match tasks(&Ctr::own(paths)) {
        Ok(tasks) => tasks,
        Err(error) => {
            tracing::warn!(error = %chain(&error), "containers are not asked to end");
            return;
        }
    };
    tasks.iter().for_each(|(pid, signal)| process::signal(*pid, KillScope::Process, *signal));
    while tasks.keys().any(|pid| process::is_alive(*pid)) && clock.elapsed() < GRACE {
        clock::sleep(LOOK);
    }
    let left: Vec<&u32> = tasks.keys().filter(|pid| process::is_alive(**pid)).collect();
    left.iter().for_each(|pid| process::signal(**pid, KillScope::Process, Signal::SIGKILL));
    tracing::info!(
        ended = tasks.len() - left.len(),
        killed = left.len(),
        "containers ended in {:.1} s",
        clock.elapsed().as_secs_f64()
    );
}

/// The first processes of all containers, each with the signal that asks it to end.
fn tasks(ctr: &Ctr) -> Result<BTreeMap<u32, Signal>, ProcessError> {
    let mut signals: BTreeMap<String, Signal> = of(&ctr.containers(CONTAINER)?, Signal::SIGTERM).collect();
    for signal in OTHERS {
        signals.extend(of(&ctr.containers(&format!("{CONTAINER},labels.{LABEL:?}=={signal}"))?, signal));
    }
    Ok(running(&ctr.tasks()?).filter_map(|(id, pid)| Some((pid, *signals.get(id)?))).collect())
}

fn of(list: &str, signal: Signal) -> impl Iterator<Item = (String, Signal)> + '_ {
    list.lines().map(move |id| (id.trim().to_owned(), signal))
}

/// Containers and their first processes in a list of tasks: a heading, then a line each of name, process and state.
fn running(list: &str) -> impl Iterator<Item = (&str, u32)> {
    list.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let (id, pid, state) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        // 0 and 1 would be everybody and the machine's own first process.
        (state == "RUNNING" && pid > 1).then_some((id, pid))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::running;

    #[test]
    fn what_runs_has_a_process() {
        let list = "TASK    PID     STATUS    \nab12    4711    RUNNING\ncd34    0    STOPPED\nef56    1    RUNNING\n";
        assert_eq!(running(list).collect::<Vec<_>>(), [("ab12", 4711)]);
    }

    proptest! {
        #[test]
        fn nobody_but_a_task_is_ever_signalled(text in "TASK\n(\\PC{0,20}\n){0,5}") {
            prop_assert!(running(&text).all(|(_, pid)| pid > 1));
        }
    }
}
