//! `skerryd run`: one loop that looks, plans, acts and says so. It never ends by itself, and nothing that goes wrong with
//! seeds, media or Kubernetes ends it.

mod admin;
mod button;
mod kubernetes;
mod last_words;
mod machine;
mod notify;
mod seeds;

use std::{path::Path, time::Duration};

use crate::{
    boot_report,
    bringup::{self, Step},
    chain,
    disk::boot::{self, BootDisk},
    intent::Intent,
    report::{self, Machine, Phase, Snapshot},
    sys::{
        block, clock,
        console::Console,
        fs::{self, FsError},
        host,
    },
};
use admin::Admin;
use button::Button;
use kubernetes::Kubernetes;
use seeds::{Seeds, Verdict};

/// How often is looked.
const POLL: Duration = Duration::from_secs(2);
/// How often is looked while a boot waits for it.
const POLL_SOON: Duration = Duration::from_millis(250);

/// The daemon's memory.
struct Daemon {
    console: Console,
    machine: Machine,
    boot: Option<BootDisk>,
    seeds: Seeds,
    kubernetes: Kubernetes,
    admin: Admin,
    button: Button,
    timeline: Vec<boot_report::Phase>,
    tried: Vec<Step>,
    said: Option<Snapshot>,
}

/// What one look gave.
#[derive(Default)]
struct Outlook {
    phase: Option<Phase>,
    waiting: String,
    seed_errors: Vec<String>,
    errors: Vec<String>,
}

/// Runs for as long as the system does.
pub fn run() -> ! {
    let mut daemon = Daemon::start();
    loop {
        let pause = daemon.turn();
        clock::pause(pause);
    }
}

impl Daemon {
    fn start() -> Self {
        let mut console = Console::open();
        let boot_report = machine::boot_report();
        let machine = machine::machine(boot_report.as_ref());
        console.line(format!("skerryd: up, {} s after the kernel", clock::since_boot().as_secs()));
        let mut timeline = boot_report.as_ref().map(|report| report.phases.clone()).unwrap_or_default();
        timeline.push(boot_report::Phase { name: "skerryd".into(), at_ms: clock::boot_ms() });
        let disk = boot_report.as_ref().map(|report| report.boot_disk.as_str());
        let boot = boot::candidates().into_iter().find(|found| disk.is_none_or(|name| found.disk.name == name));
        if let Err(error) = notify::ready() {
            console.line(format!("skerry: error: {}", chain::one_line(&error)));
        }
        Self {
            console,
            machine,
            boot,
            seeds: Seeds::default(),
            kubernetes: Kubernetes::default(),
            admin: Admin::default(),
            button: Button::default(),
            timeline,
            tried: Vec::new(),
            said: None,
        }
    }

    /// Looks once, acts, says what has changed, and tells how long to wait.
    fn turn(&mut self) -> Duration {
        self.button.look(&mut self.console);
        let devices = block::devices();
        let fallback = machine::fallback_name();
        let verdict = self.seeds.look(self.boot.as_ref(), &devices, &fallback);
        let (intent, mut outlook) = match verdict {
            Verdict::Settling => return POLL_SOON,
            Verdict::Wrong { seed_errors, errors } => {
                let waiting = "a corrected seed: change the medium or plug in another one".to_owned();
                let phase = Some(Phase::SeedError);
                (None, Outlook { phase, waiting, seed_errors, errors })
            }
            Verdict::Good { intent, errors } => {
                let mut outlook = Outlook { errors, ..Outlook::default() };
                self.bring_up(&intent, &mut outlook);
                (Some(intent), outlook)
            }
        };
        if let Some(intent) = intent.as_deref().filter(|_| self.kubernetes.is_ready()) {
            outlook.errors.extend(self.admin.offer(intent, &devices, &mut self.console));
        }
        let snapshot = self.snapshot(intent.as_deref(), outlook);
        self.say(snapshot);
        match self.said.as_ref().map(|said| said.phase) {
            Some(Phase::NoAddress) => POLL_SOON,
            _ => POLL,
        }
    }

    /// Does what is left to do, and says what is waited for.
    fn bring_up(&mut self, intent: &Intent, outlook: &mut Outlook) {
        let steps = bringup::observe::observe(intent)
            .map_err(|error| chain::one_line(&error))
            .and_then(|observed| Ok((bringup::plan(intent, &observed).map_err(|c| c.to_string())?, observed)));
        let (steps, observed) = match steps {
            Ok(steps) => steps,
            Err(why) => {
                outlook.phase = Some(Phase::Blocked);
                return outlook.errors.push(why);
            }
        };
        // A step that fails is tried again and again, and told once.
        let again = std::mem::replace(&mut self.tried, steps.clone()) == steps;
        for step in &steps {
            if !again {
                self.console.line(format!("skerry: step: {step}"));
            }
            if let Err(error) = bringup::run::run(step) {
                outlook.phase = Some(Phase::Blocked);
                return outlook.errors.push(format!("{step}: {}", chain::one_line(&error)));
            }
        }
        if intent.work.role().is_none() {
            outlook.phase = Some(Phase::NoRole);
            outlook.waiting = "a seed with `skerry.role`: plug in a medium labelled CIDATA with user-data".to_owned();
            return;
        }
        self.seeds.settle();
        if observed.addresses.is_empty() {
            outlook.phase = Some(Phase::NoAddress);
            outlook.waiting = "an address: check the cable, and DHCP or `skerry.network`".to_owned();
            return;
        }
        self.kubernetes.look(&mut self.timeline);
        outlook.phase = Some(self.kubernetes.phase());
        outlook.waiting = self.kubernetes.waiting();
        outlook.errors.extend(self.kubernetes.errors());
    }

    fn snapshot(&self, intent: Option<&Intent>, outlook: Outlook) -> Snapshot {
        let addresses = host::addresses().into_iter().map(|found| format!("{} {}", found.interface, found.address));
        Snapshot {
            machine: self.machine.clone(),
            node: intent.map_or_else(host::name, |intent| intent.name.to_string()),
            role: intent.and_then(|intent| intent.work.role()),
            addresses: addresses.collect(),
            phase: outlook.phase.unwrap_or(Phase::Starting),
            waiting: outlook.waiting,
            seed_errors: outlook.seed_errors,
            errors: outlook.errors,
            kubernetes: self.kubernetes.status().cloned(),
            timeline: self.timeline.clone(),
        }
    }

    fn say(&mut self, snapshot: Snapshot) {
        for line in report::difference(self.said.as_ref(), &snapshot) {
            self.console.line(line);
        }
        if self.said.as_ref() != Some(&snapshot)
            && let Err(error) = leave(&snapshot)
        {
            self.console.line(format!("skerry: error: {}", chain::one_line(&error)));
        }
        self.said = Some(snapshot);
    }
}

fn leave(snapshot: &Snapshot) -> Result<(), FsError> {
    let text = serde_json::to_vec_pretty(snapshot).unwrap_or_default();
    fs::write_atomic(Path::new(report::STATUS), &text, 0o644)
}
