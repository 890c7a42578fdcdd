//! A run: start, follow, wait, stop.

use std::path::{Path, PathBuf};

use skerry_qemu::{
    Accel, Deadline, Forward, Interrupt, Medium, Network, Options as Machine, Qemu, Vm, VmError as MachineError,
    accel::{self, Choice},
    binary, clock, firmware,
};

use super::{
    Identity, MakeIdentity, Options, SeedFrom, Until, VmError,
    api::Node,
    folder::{self, Found},
    image,
};
use crate::{
    fsx,
    report::{Outcome, Reporter},
    tool::Adopted,
};

/// The port of the node's one service.
const API: u16 = 6443;
/// Seconds a running system gets to power itself off.
const FAREWELL: u64 = 90;
/// Seconds for a machine that has not come to its system yet; firmware and kernel do not answer the power button.
const SHORT_FAREWELL: u64 = 5;
/// What the console says when the image's own system runs.
const SYSTEM_RUNS: &str = "systemd[1]: ";

/// What the host must know to reach the node.
struct Access {
    port: u16,
    kubeconfig: Option<PathBuf>,
    medium: Option<PathBuf>,
}

/// Boots an image and goes as far as the options say; `identity` makes or finds the machine's cluster identity.
///
/// # Errors
/// If the machine cannot run, its node is not Ready in time, or Ctrl-C ends the wait.
pub fn run(
    options: &Options,
    identity: &MakeIdentity<'_>,
    reporter: &Reporter,
    interrupt: &Interrupt,
) -> Result<(), VmError> {
    let arch = image::arch_of(&options.image)?;
    let search = std::env::var_os("PATH").unwrap_or_default();
    let qemu = binary::find(arch, options.qemu.as_deref(), &search)?;
    let firmware = firmware::find(arch, Path::new("/"))?;
    if folder::prepare(&options.state, &options.image, options.disk_size.0, options.keep)? == Found::Stale {
        reporter.line("the image has changed: the machine starts with an empty disk");
    }
    let access = prepare_access(options, identity)?;
    let mut choice = accel::choose(&qemu, &firmware, &options.cache);
    loop {
        announce(reporter, &qemu, &choice);
        let machine = Machine {
            image: Some(options.image.clone()),
            disk_size: options.disk_size,
            memory_mib: options.memory_mib,
            network: Network::User(vec![Forward { host: access.port, guest: API }]),
            media: access.medium.clone().into_iter().collect(),
            interrupt: interrupt.clone(),
            ..Machine::new(qemu.clone(), choice.accel, firmware.clone(), options.state.clone())
        };
        match attend(Vm::start(machine)?, options, &access, reporter) {
            Err(VmError::Machine(MachineError::Broken { said })) if choice.accel == Accel::Kvm => {
                choice = Choice { accel: Accel::Tcg, reason: format!("KVM cannot run this image's kernel: {said}") };
                accel::remember(&qemu, &options.cache, &choice);
            }
            other => return other,
        }
    }
}

fn announce(reporter: &Reporter, qemu: &Qemu, choice: &Choice) {
    let Choice { accel, reason } = choice;
    reporter.line(format!(
        "machine: QEMU {} for {}, accelerator {} ({reason})",
        qemu.version,
        qemu.arch,
        accel.as_str()
    ));
}

/// Makes identity, kubeconfig and seed medium in the state folder.
fn prepare_access(options: &Options, identity: &MakeIdentity<'_>) -> Result<Access, VmError> {
    fsx::set_mode(&options.state, 0o700)?;
    let free = |source| VmError::Machine(MachineError::Start { program: "a forwarded port".into(), source });
    let port = skerry_qemu::ports::free(None).map_err(free)?;
    let path = options.state.join("seed.img");
    let (seed, kubeconfig) = match &options.seed {
        SeedFrom::Nowhere => (None, None),
        SeedFrom::File(file) => (Some(fsx::read(file)?), None),
        SeedFrom::Identity => {
            let folder = options.state.join("identity");
            fsx::create_dir_all(&folder)?;
            let url = format!("https://127.0.0.1:{port}");
            let Identity { seed, kubeconfig } = identity(&folder, &url).map_err(VmError::Identity)?;
            let path = options.state.join("kubeconfig");
            fsx::write_atomic(&path, &kubeconfig)?;
            fsx::set_mode(&path, 0o600)?;
            (Some(seed), Some(path))
        }
    };
    let medium = match seed {
        None => None,
        Some(seed) => {
            Medium::nocloud(seed).write(&path)?;
            fsx::set_mode(&path, 0o600)?;
            Some(path)
        }
    };
    Ok(Access { port, kubeconfig, medium })
}

/// Follows a machine as far as asked, and stops it whatever happens.
fn attend(mut vm: Vm, options: &Options, access: &Access, reporter: &Reporter) -> Result<(), VmError> {
    let _ended_with_us = Adopted::new(vm.id());
    reporter.line(format!("console: {}", options.state.join("serial.log").display()));
    let followed = follow(&mut vm, options, access, reporter);
    if !matches!(followed, Err(VmError::Machine(MachineError::Ended { .. } | MachineError::Broken { .. }))) {
        let step = reporter.step("stop the machine");
        let runs = vm.serial().text().contains(SYSTEM_RUNS);
        vm.stop(Deadline::seconds(if runs { FAREWELL } else { SHORT_FAREWELL }));
        step.done(Outcome::Made);
    }
    followed
}

fn follow(vm: &mut Vm, options: &Options, access: &Access, reporter: &Reporter) -> Result<(), VmError> {
    let patience = Deadline::after(options.patience);
    if let Some(kubeconfig) = &access.kubeconfig {
        let step = reporter.step("boot to the first program");
        vm.expect_any(&["skerry-init", "skerryd"], patience)?;
        step.done(Outcome::Made);
        let name = wait_ready(vm, options, kubeconfig, (patience, reporter))?;
        reporter.line(format!("node `{name}` is Ready after {} s", patience.spent().as_secs()));
        reporter.line(format!("try: {} get pods --all-namespaces", options.kubectl.command_line(kubeconfig)));
    }
    match options.until {
        Until::Ready => Ok(()),
        Until::Stopped => {
            reporter.line("Ctrl-C stops the machine; its disk is kept");
            watch(vm, reporter)
        }
    }
}

fn wait_ready(
    vm: &mut Vm,
    options: &Options,
    kubeconfig: &Path,
    (patience, reporter): (Deadline, &Reporter),
) -> Result<String, VmError> {
    let mut step = reporter.step("wait for the Kubernetes API");
    let mut answered = false;
    loop {
        let last = match options.kubectl.node(kubeconfig)? {
            Node::Ready(name) => {
                step.done(Outcome::Made);
                return Ok(name);
            }
            Node::Waiting(said) if !answered => {
                answered = true;
                step.done(Outcome::Made);
                step = reporter.step("wait for the node to be Ready");
                said
            }
            Node::Waiting(said) | Node::Silent(said) => said,
        };
        if patience.passed() {
            let log = options.state.join("serial.log");
            return Err(VmError::NotReady { seconds: patience.spent().as_secs(), last, log });
        }
        let pause = Deadline::seconds(2);
        while !pause.passed() {
            vm.look()?;
            clock::pause();
        }
    }
}

/// Repeats what the agent says on the console until the machine is stopped.
fn watch(vm: &mut Vm, reporter: &Reporter) -> Result<(), VmError> {
    vm.serial().lines();
    loop {
        match vm.look() {
            Ok(()) => {}
            Err(MachineError::Interrupted) => return Ok(()),
            Err(MachineError::Ended { status, .. }) if status.success() => {
                reporter.line("the machine powered itself off");
                return Ok(());
            }
            Err(other) => return Err(other.into()),
        }
        for line in vm.serial().lines().iter().filter(|line| line.contains("skerry")) {
            reporter.line(line);
        }
        clock::pause();
    }
}
