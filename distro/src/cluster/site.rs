//! Carries a plan out.

use std::time::Duration;

use serde::Deserialize;
use skerry_formats::{
    cluster::{Cluster, Host},
    role::Role,
    seed::HostName,
    status::{Phase, Status},
    token::{JoinToken, MOST_SERVERS, Server},
};

use super::{
    Account, CONFIG, ClusterError, HostError, Programs, TOKEN,
    connection::{Connection, last_words},
    fleet::{AT_ONCE, Fleet, tell},
    render, script,
    seen::Seen,
    step::{Act, Round, Step},
};
use crate::{
    parallel::each,
    service::ServiceRole,
    sys::{
        clock::{self, Stopwatch},
        process::Input,
    },
};

/// How long a node may take to become ready.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long is waited between questions.
const AGAIN: Duration = Duration::from_secs(1);

/// Where work is done.
#[derive(Debug)]
pub struct Site<'a> {
    /// What the cluster is to be.
    pub cluster: &'a Cluster,
    /// The hosts that were reached.
    pub fleet: &'a Fleet,
    /// What is uploaded.
    pub programs: &'a Programs,
    /// What is told.
    pub account: &'a Account,
}

impl Site<'_> {
    /// Carries a plan out, round by round. A host that fails ends the plan with its round; the others finish that.
    ///
    /// # Errors
    /// If a host failed: it was told of.
    pub fn carry_out(&self, steps: &[Step]) -> Result<(), ClusterError> {
        for round in rounds(steps) {
            let mut hosts: Vec<(&HostName, Vec<&Act>)> = Vec::new();
            for step in steps.iter().filter(|step| step.round == round) {
                match hosts.iter_mut().find(|(host, _)| *host == &step.host) {
                    Some((_, acts)) => acts.push(&step.act),
                    None => hosts.push((&step.host, vec![&step.act])),
                }
            }
            let failed: Vec<HostName> = if round.is_parallel() {
                each(AT_ONCE, &hosts, |(host, acts)| self.work(host, acts)).into_iter().flatten().collect()
            } else {
                hosts.iter().find_map(|(host, acts)| self.work(host, acts)).into_iter().collect()
            };
            if !failed.is_empty() {
                return Err(ClusterError::Failed(failed));
            }
        }
        Ok(())
    }

    /// Does all there is to do on a host, up to the first thing that fails, and ends the token that was made for it. The host
    /// comes back if it failed.
    fn work(&self, name: &HostName, acts: &[&Act]) -> Option<HostName> {
        let mut made = None;
        let mut results = vec![acts.iter().try_for_each(|act| self.act(name, act, &mut made))];
        if let Some((at, id)) = made {
            results.push(self.end_token(&at, &id));
            if results.iter().any(Result::is_err) {
                results.push(self.take_token_back(name));
            }
        }
        let errors: Vec<HostError> = results.into_iter().filter_map(Result::err).collect();
        errors.iter().for_each(|error| tell(self.account, name, error));
        (!errors.is_empty()).then(|| name.clone())
    }

    fn act(&self, name: &HostName, act: &Act, made: &mut Option<(HostName, String)>) -> Result<(), HostError> {
        let host = self.host(name)?;
        let (there, role) = (self.fleet.connection(name)?, render::role(host));
        self.account.say(name, &act.to_string());
        match act {
            Act::Upload(arch, digest) => {
                let program = self.programs.get(arch).ok_or_else(|| HostError::Absent(name.clone()))?;
                there.feed("upload sk8s", &script::upload(*digest), Input::File(&program.path)).map(drop)
            }
            Act::Place(digest) => there.run("put sk8s in its place", &script::place(*digest)).map(drop),
            Act::Check => check(there, host),
            Act::Configure => {
                let text = render::config(self.cluster, host);
                write(there, "write the configuration", (CONFIG, &text))
            }
            Act::Install => install(there, role, render::words(host)),
            Act::Join(at) => {
                let token = self.token(at, host)?;
                *made = Some((at.clone(), token.id.to_string()));
                write(there, "write the join token", (TOKEN, &token.to_string()))?;
                install(there, role, [render::words(host), vec![render::token_word()]].concat())?;
                let begin = if self.seen(name).is_some_and(Seen::runs) { script::restart() } else { script::start() };
                there.run("start the service", &begin).map(drop)
            }
            Act::Start => there.run("start the service", &script::start()).map(drop),
            Act::Restart => there.run("restart the service", &script::restart()).map(drop),
            Act::Await => self.wait(name, there, role),
            Act::Settle => {
                install(there, role, render::words(host))?;
                there.run("remove the join token", &script::forget_token()).map(drop)
            }
            Act::Leave(at) => {
                let asked = self.fleet.connection(at)?;
                asked.run("take it out of etcd", &script::leave(name.as_str())).map(drop)
            }
            Act::Wipe => there.run("remove sk8s", &script::wipe(render::MARK)).map(drop),
            Act::Forget(at) => {
                let asked = self.fleet.connection(at)?;
                asked.run("delete its node", &script::delete_node(name.as_str())).map(drop)
            }
        }
    }

    fn host(&self, name: &HostName) -> Result<&Host, HostError> {
        let mut hosts = self.cluster.spec.hosts.iter();
        hosts.find(|host| host.name == *name).ok_or_else(|| HostError::Absent(name.clone()))
    }

    fn seen(&self, name: &HostName) -> Option<&Seen> {
        self.fleet.hosts.get(name).map(|reached| &reached.seen)
    }

    /// A token for a host, made on a controller. It is looked for at that controller first.
    fn token(&self, at: &HostName, host: &Host) -> Result<JoinToken, HostError> {
        let role = if host.role.controls() { Role::Controller } else { Role::Worker };
        let mut servers: Vec<Server> = self.host(at)?.servers();
        servers.extend(self.cluster.servers().into_iter().filter(|server| !self.names(at, server)));
        servers.truncate(MOST_SERVERS);
        let said = self.fleet.connection(at)?.run("make a join token", &script::token(role, &servers))?;
        let answer = || HostError::Answer { purpose: "make a join token", answer: "no token".to_owned() };
        said.lines().last().and_then(|line| line.parse().ok()).ok_or_else(answer)
    }

    fn names(&self, at: &HostName, server: &Server) -> bool {
        self.host(at).is_ok_and(|host| host.servers().contains(server))
    }

    fn end_token(&self, at: &HostName, id: &str) -> Result<(), HostError> {
        self.fleet.connection(at)?.run("end the join token", &script::end_token(id)).map(drop)
    }

    fn take_token_back(&self, name: &HostName) -> Result<(), HostError> {
        self.fleet.connection(name)?.run("remove the join token", &script::take_token_back()).map(drop)
    }

    /// Waits until a node says that it is ready, and tells what it waits for whenever that is something else.
    fn wait(&self, name: &HostName, there: &Connection, role: ServiceRole) -> Result<(), HostError> {
        let (clock, mut told) = (Stopwatch::start(), String::new());
        loop {
            let said = there.run("ask for the status", &script::status(role))?;
            let log = || last_words(&there.run("read the log", &script::log(role)).unwrap_or_default());
            if said.trim() == "failed" {
                return Err(HostError::Ended(log()));
            }
            let status: Option<Status> = serde_json::from_str(&said).ok();
            if status.as_ref().is_some_and(|status| status.phase == Phase::Ready) {
                self.account.say(name, &format!("ready after {} s", clock.elapsed().as_secs()));
                return Ok(());
            }
            let waits = match status {
                Some(status) => status.waiting_for,
                None if said.trim() == "auto-restart" => format!("sk8s itself, which starts again after: {}", log()),
                None => "sk8s itself".to_owned(),
            };
            if clock.elapsed() > PATIENCE {
                return Err(HostError::Late { minutes: PATIENCE.as_secs() / 60, waits });
            }
            if !waits.is_empty() && waits != told {
                self.account.say(name, &format!("waits for: {waits}"));
                told = waits;
            }
            clock::sleep(AGAIN);
        }
    }
}

/// The rounds of a plan, in the order in which they first come.
fn rounds(steps: &[Step]) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    for step in steps {
        if !rounds.contains(&step.round) {
            rounds.push(step.round);
        }
    }
    rounds
}

fn write(there: &Connection, purpose: &'static str, (path, text): (&str, &str)) -> Result<(), HostError> {
    there.feed(purpose, &script::write(path, text), Input::Text(text)).map(drop)
}

fn install(there: &Connection, role: ServiceRole, words: Vec<String>) -> Result<(), HostError> {
    there.run("install the service", &script::install(role, &words)).map(drop)
}

/// A check of `sk8s sysinfo`, as far as it matters here.
#[derive(Deserialize)]
struct Found {
    name: String,
    verdict: String,
    found: String,
    #[serde(default)]
    advice: String,
}

fn check(there: &Connection, host: &Host) -> Result<(), HostError> {
    let purpose = "check the machine";
    let said = there.run(purpose, &script::check(host.role))?;
    let all: Vec<Found> = serde_json::from_str(&said)
        .map_err(|_| HostError::Answer { purpose, answer: said.chars().take(80).collect() })?;
    let failed: Vec<String> = all
        .iter()
        .filter(|check| check.verdict == "fail")
        .map(|check| format!("{}: {}: {}", check.name, check.found, check.advice))
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(HostError::Unfit(failed.join("; "))) }
}
