//! A server in its own process, which ends with this one at the latest.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::{Failure, Outcome};

/// How to end a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// At once.
    Kill,
    /// With `SIGTERM`, and a few seconds to end its own children.
    Terminate,
}

/// A running server. Dropping it ends it, also when a test panics.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    ending: Ending,
}

impl Process {
    /// Starts `program` with exactly the given environment. Its output goes to the file `log`.
    pub(crate) fn start(
        name: &'static str,
        program: &Path,
        log: &Path,
        ending: Ending,
        shape: impl FnOnce(&mut Command),
    ) -> Outcome<Self> {
        let output = File::create(log)?;
        let mut command = bound_to_this_process(program, ending);
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        shape(&mut command);
        let child = spawn(command).map_err(|error| format!("{name} did not start: {error}"))?;
        Ok(Self {
            name,
            child,
            log: log.to_owned(),
            ending,
        })
    }

    /// Waits until `ready` returns true for the log. It fails if the process ends, after
    /// `patience`, or after an [`interruption`]. The error has the end of the log.
    pub(crate) fn wait_until(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut(&str) -> bool,
    ) -> Outcome<()> {
        let started = Instant::now();
        loop {
            if ready(&self.log_text()) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failure(&format!("ended with {status}")));
            }
            if interruption().load(Ordering::SeqCst) {
                return Err("interrupted".into());
            }
            if started.elapsed() > patience {
                return Err(self.failure(&format!("was not ready within {patience:?}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the process ends by itself.
    pub(crate) fn wait_for_end(&mut self, patience: Duration) -> Outcome<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > patience {
                return Err(self.failure(&format!("still runs after {patience:?}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// All output so far. Bytes that are not UTF-8 are shown as U+FFFD.
    pub(crate) fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn failure(&self, what: &str) -> Failure {
        let log = self.log_text();
        let mut end: Vec<&str> = log.lines().rev().take(20).collect();
        end.reverse();
        format!("{} {what}\n{}", self.name, end.join("\n")).into()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ending == Ending::Terminate {
            send("TERM", &self.child.id().to_string());
            if self.wait_for_end(Duration::from_secs(5)).is_ok() {
                return;
            }
            // Its own children are in its process group, and must end too.
            send("KILL", &format!("-{}", self.child.id()));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(signal: &str, process: &str) {
    let _ = Command::new("sh")
        .args(["-c", r#"kill -s "$0" -- "$1""#, signal, process])
        .stderr(Stdio::null())
        .status();
}

/// Whether a signal has asked this process to end. All waiting stops then.
pub(crate) fn interruption() -> &'static Arc<AtomicBool> {
    static INTERRUPTION: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    INTERRUPTION.get_or_init(Arc::default)
}

/// The first signal ends all servers in order. A second one ends this process at once, with this
/// status, and the kernel then ends its children.
pub(crate) fn listen_for_interruption(status: u8) -> Outcome<()> {
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let flag = interruption();
        flag::register_conditional_shutdown(signal, status.into(), Arc::clone(flag))?;
        flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

/// Fails once this process was asked to end.
pub(crate) fn go_on() -> Outcome<()> {
    if interruption().load(Ordering::SeqCst) {
        Err("interrupted".into())
    } else {
        Ok(())
    }
}

/// A killed test runner drops no values. With `setpriv` (util-linux) the kernel ends the child in
/// that case. The child has its own process group, so it gets no Ctrl-C. This process ends it, in
/// its own order.
fn bound_to_this_process(program: &Path, ending: Ending) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.exists() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.arg("--pdeathsig");
    command.arg(match ending {
        Ending::Kill => "KILL",
        Ending::Terminate => "TERM",
    });
    command.arg(program).process_group(0);
    command
}

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a child from one thread that runs until the process ends. The kernel ends a bound child
/// with the *thread* that started it, and the thread of a test ends before the next test.
fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in orders {
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, result) = mpsc::channel();
    let gone = |_| io::Error::other("the thread that starts processes is gone");
    spawner
        .send((command, reply))
        .map_err(|_| io::Error::other("the thread that starts processes is gone"))?;
    result.recv().map_err(gone)?
}
