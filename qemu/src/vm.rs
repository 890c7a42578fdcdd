//! A running machine and its state folder.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use skerry_formats::moment::Moment;

use crate::{
    accel::Accel,
    argv,
    binary::Qemu,
    clock::{Deadline, pause},
    disk::{self, DiskSize},
    files::{self, FileError},
    firmware::Firmware,
    interrupt::Interrupt,
    machine::{Forward, Machine, Network, RunFiles, Watchdog},
    ports,
    process::Running,
    qmp::{Qmp, QmpError, RunState},
    serial::Serial,
};

/// What a machine is started from.
#[derive(Clone, Debug)]
pub struct Options {
    /// The emulator.
    pub qemu: Qemu,
    /// What runs the instructions.
    pub accel: Accel,
    /// Firmware as found on the host.
    pub firmware: Firmware,
    /// Folder that keeps the disk overlay, the firmware's variables and the logs between runs.
    pub state: PathBuf,
    /// The raw image to boot, never written to; `None` runs the firmware alone.
    pub image: Option<PathBuf>,
    /// Size of the disk that the machine sees.
    pub disk_size: DiskSize,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Number of processors.
    pub cpus: u8,
    /// How it is connected; a forward's host port 0 stands for any free one.
    pub network: Network,
    /// Read-only raw media.
    pub media: Vec<PathBuf>,
    /// What its clock says when it starts; `None` for the host's time.
    pub clock: Option<Moment>,
    /// Whether there is a watchdog device.
    pub watchdog: Watchdog,
    /// What makes waiting end early.
    pub interrupt: Interrupt,
}

impl Options {
    /// A machine with two processors, 2 GiB of memory, a network without forwards, and no disk.
    #[must_use]
    pub fn new(qemu: Qemu, accel: Accel, firmware: Firmware, state: PathBuf) -> Self {
        Self {
            qemu,
            accel,
            firmware,
            state,
            image: None,
            disk_size: DiskSize::DEFAULT,
            memory_mib: 2048,
            cpus: 2,
            network: Network::User(vec![]),
            media: vec![],
            clock: None,
            watchdog: Watchdog::None,
            interrupt: Interrupt::default(),
        }
    }
}

/// What went wrong with a machine.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// A file of the state folder.
    #[error("could not prepare the machine")]
    File(#[from] FileError),
    /// Another process runs a machine in this folder.
    #[error("a machine is running already: `{}`", .0.display())]
    Busy(PathBuf),
    /// QEMU could not be started, or a port or folder for it could not be had.
    #[error("could not start `{}`", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// QEMU ended.
    #[error("the machine ended: {status}\n{said}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// The last lines that QEMU or the console printed.
        said: String,
    },
    /// The accelerator cannot run this guest.
    #[error("the machine stopped with an internal error of its accelerator: {said}")]
    Broken {
        /// QEMU's first line.
        said: String,
    },
    /// The console did not say what was waited for.
    #[error("nothing like `{wanted}` on the console within {seconds} s; its last lines:\n{tail}")]
    Silent {
        /// What was waited for.
        wanted: String,
        /// For how long.
        seconds: u64,
        /// The console's last lines.
        tail: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The control socket.
    #[error("could not control the machine")]
    Control(#[from] QmpError),
    /// The console log.
    #[error("could not follow the machine's console")]
    Console(#[source] io::Error),
}

/// Looks between two checks of the machine's own health: about a second.
const LOOKS: u32 = 20;

/// A running machine; dropping it kills it.
#[derive(Debug)]
pub struct Vm {
    process: Running,
    qmp: Qmp,
    serial: Serial,
    forwards: Vec<Forward>,
    state: PathBuf,
    interrupt: Interrupt,
    looks: u32,
    _sockets: tempfile::TempDir,
    _lock: files::Lock,
}

impl Vm {
    /// Starts a machine, going on with what its state folder holds.
    ///
    /// # Errors
    /// If the folder is in use, a file cannot be made, or QEMU does not start.
    pub fn start(options: Options) -> Result<Self, VmError> {
        files::create_dir_all(&options.state)?;
        let lock = files::try_lock(&options.state.join("lock"))?.ok_or_else(|| VmError::Busy(options.state.clone()))?;
        let start_error = |source| VmError::Start { program: options.qemu.path.clone(), source };
        let sockets = tempfile::Builder::new().prefix("skerry-vm-").tempdir().map_err(start_error)?;
        let machine = prepare(&options, sockets.path())?;
        let log = files::create(&options.state.join("qemu.log"))?;
        let serial = Serial::new(files::open(&machine.files.serial_log)?);
        let mut process = Running::start(&options.qemu.path, &argv::argv(&machine), log).map_err(start_error)?;
        let alive = || matches!(process.ended(), Ok(None));
        let qmp = match Qmp::connect_by(&machine.files.qmp, Deadline::seconds(20), alive) {
            Ok(qmp) => qmp,
            Err(error) => return Err(dead(&mut process, &options.state).unwrap_or(VmError::Control(error))),
        };
        let forwards = machine.network.forwards().to_vec();
        let Options { state, interrupt, .. } = options;
        Ok(Self { process, qmp, serial, forwards, state, interrupt, looks: 0, _sockets: sockets, _lock: lock })
    }

    /// The loopback port that leads to the machine's port `guest`.
    #[must_use]
    pub fn port(&self, guest: u16) -> Option<u16> {
        self.forwards.iter().find(|forward| forward.guest == guest).map(|forward| forward.host)
    }

    /// The console.
    pub fn serial(&mut self) -> &mut Serial {
        &mut self.serial
    }

    /// The control socket.
    pub fn qmp(&mut self) -> &mut Qmp {
        &mut self.qmp
    }

    /// QEMU's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the console has said `text`; returns the line.
    ///
    /// # Errors
    /// If the deadline passes, the machine ends or breaks, or Ctrl-C is pressed.
    pub fn expect(&mut self, text: &str, deadline: Deadline) -> Result<String, VmError> {
        self.expect_any(&[text], deadline).map(|(_, line)| line)
    }

    /// Waits until the console has said one of `texts`; returns which and the line.
    ///
    /// # Errors
    /// As [`Vm::expect`].
    pub fn expect_any(&mut self, texts: &[&str], deadline: Deadline) -> Result<(usize, String), VmError> {
        loop {
            let health = self.look();
            if let Some(found) = self.serial.find(texts) {
                return Ok(found);
            }
            health?;
            if deadline.passed() {
                return Err(VmError::Silent {
                    wanted: texts.join("` or `"),
                    seconds: deadline.limit().as_secs(),
                    tail: self.serial.tail(25),
                });
            }
            pause();
        }
    }

    /// Takes in the console's output and checks that the machine is well; call it often while waiting for anything.
    ///
    /// # Errors
    /// If the machine ended or broke, or Ctrl-C was pressed.
    pub fn look(&mut self) -> Result<(), VmError> {
        if self.interrupt.raised() {
            return Err(VmError::Interrupted);
        }
        let gone = dead(&mut self.process, &self.state);
        self.serial.poll().map_err(VmError::Console)?;
        if let Some(error) = gone {
            return Err(error);
        }
        self.looks += 1;
        if self.looks % LOOKS == 1 && matches!(self.qmp.status(), Ok(RunState::InternalError)) {
            let said = qemu_log(&self.state).lines().next().unwrap_or_default().to_owned();
            return Err(VmError::Broken { said });
        }
        Ok(())
    }

    /// Waits until the machine has powered itself off.
    ///
    /// # Errors
    /// If it has not by then.
    pub fn wait_off(&mut self, deadline: Deadline) -> Result<(), VmError> {
        while matches!(self.process.ended(), Ok(None)) {
            if deadline.passed() {
                return Err(VmError::Silent {
                    wanted: "power off".to_owned(),
                    seconds: deadline.limit().as_secs(),
                    tail: self.serial.tail(25),
                });
            }
            pause();
        }
        Ok(())
    }

    /// Stops the machine: the power button, then QEMU's own end, then the signal.
    pub fn stop(mut self, patience: Deadline) {
        if self.qmp.powerdown().is_ok() && self.wait_off(patience).is_ok() {
            return;
        }
        self.kill();
    }

    /// Ends the machine without asking the guest.
    pub fn kill(mut self) {
        if self.qmp.quit().is_ok() {
            let _ = self.wait_off(Deadline::seconds(5));
        }
    }
}

/// Makes what is missing in the state folder, and the machine that uses it.
fn prepare(options: &Options, sockets: &Path) -> Result<Machine, VmError> {
    let vars = options.state.join("firmware-vars.fd");
    if files::size(&vars)?.is_none() {
        files::copy(&options.firmware.vars, &vars)?;
    }
    let disk = match &options.image {
        None => None,
        Some(image) => {
            let path = options.state.join("disk.qcow2");
            if files::size(&path)?.is_none() {
                disk::overlay(&path, image, options.disk_size)?;
            }
            Some(path)
        }
    };
    let serial_log = options.state.join("serial.log");
    files::create(&serial_log)?;
    let network =
        open_ports(&options.network).map_err(|source| VmError::Start { program: options.qemu.path.clone(), source })?;
    Ok(Machine {
        arch: options.qemu.arch,
        accel: options.accel,
        memory_mib: options.memory_mib,
        cpus: options.cpus,
        firmware: Firmware { code: options.firmware.code.clone(), vars },
        disk,
        media: options.media.clone(),
        network,
        clock: options.clock,
        watchdog: options.watchdog,
        files: RunFiles { qmp: sockets.join("qmp"), console: sockets.join("console"), serial_log },
    })
}

fn open_ports(network: &Network) -> io::Result<Network> {
    let open = |forward: &Forward| {
        let wanted = (forward.host != 0).then_some(forward.host);
        ports::free(wanted).map(|host| Forward { host, guest: forward.guest })
    };
    let forwards = network.forwards().iter().map(open).collect::<io::Result<_>>()?;
    Ok(match network {
        Network::User(_) => Network::User(forwards),
        Network::Both(_, cable) => Network::Both(forwards, *cable),
        other @ (Network::None | Network::Cable(_)) => other.clone(),
    })
}

fn dead(process: &mut Running, state: &Path) -> Option<VmError> {
    let status = process.ended().ok()??;
    let said = qemu_log(state);
    let said = said.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    Some(VmError::Ended { status, said })
}

fn qemu_log(state: &Path) -> String {
    files::read_text(&state.join("qemu.log")).unwrap_or_default()
}
