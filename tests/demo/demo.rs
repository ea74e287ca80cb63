//! `make demo`: a real n8n behind the repository's own `envoy.yaml`, with a certified OpenID
//! provider, on loopback. It shows a list of steps, and runs until Ctrl-C.
//!
//! With the argument `keys` it lists the API keys of the n8n of a demo that runs, and shows each one
//! that comes or goes.
//!
//! Without a terminal it ends after the steps. The exit status is 1 if the result of a step is not
//! as expected. It writes only below `.local/demo`.

#![allow(
    clippy::disallowed_methods,
    reason = "the demo reads the real clock and its own settings from the environment"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the demo prints its steps on the terminal"
)]

#[path = "../support/mod.rs"]
mod support;

mod audit_log;
mod keys;
mod runner;
mod settings;
mod show;
mod stage;
mod steps;
mod variables;

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use self::audit_log::AuditLog;
use self::runner::Runner;
use self::settings::Settings;
use self::show::Show;
use self::stage::Stage;
use self::steps::{STEPS, TOKENS};
use self::support::process::{interruption, listen_for_interruption};
use self::support::Outcome;

/// The exit status that shells use for a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run() {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            eprintln!("error: not every step had the expected result");
            for fault in faults {
                eprintln!("  {fault}");
            }
            ExitCode::FAILURE
        }
        Err(_) if is_interrupted() => ExitCode::from(INTERRUPTED),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts all programs, runs the steps, and returns all unexpected results.
fn run() -> Outcome<Vec<String>> {
    listen_for_interruption(INTERRUPTED)?;
    if env::args().nth(1).as_deref() == Some("keys") {
        keys::follow(is_interrupted)?;
        return Ok(Vec::new());
    }
    let show = Show::new();
    let settings = Settings::read()?;
    let started = Instant::now();
    let key_ttl = settings.key_ttl.as_deref();
    let stage = Stage::start(settings.ports, &settings.n8n_folder(), key_ttl, |what| {
        println!("==> starting {what}");
    })?;
    variables::write(&stage, &settings.variables_file())?;
    let mut audit_log = AuditLog::create(&settings.audit_file())?;
    println!(
        "==> everything runs ({:.1} s)",
        started.elapsed().as_secs_f32()
    );
    introduce(show, &settings, &stage);
    let faults = run_steps(show, &stage, &mut audit_log)?;
    if faults.is_empty() {
        show.heading("All steps had the expected results");
        println!();
        println!(
            "{} calls had the expected responses. The gate's audit records: {}",
            STEPS.len(),
            settings::shown(&settings.audit_file())
        );
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            stay(&settings, &stage, &mut audit_log)?;
        }
    }
    println!("==> ending Envoy, n8n and the provider");
    Ok(faults)
}

fn is_interrupted() -> bool {
    interruption().load(Ordering::SeqCst)
}

fn introduce(show: Show, settings: &Settings, stage: &Stage) {
    let address = |port: u16| format!("http://127.0.0.1:{port}");
    let ports = settings.ports;
    let n8n = stage.n8n.provisioned();
    show.heading("What runs here");
    println!();
    show.entry(
        "the gate",
        &format!("{}  (Envoy with envoy.yaml)", address(ports.gate)),
    );
    show.entry("Envoy's own pages", &address(ports.admin));
    show.entry("the OpenID provider", &address(ports.provider));
    show.entry(
        "n8n",
        &format!("{}  (and through the gate)", address(ports.n8n)),
    );
    show.entry(
        "log in to n8n as",
        &format!("{}  password {}", n8n.owner.email, n8n.password),
    );
    println!();
    println!("The commands below run in any shell that has read their variables:");
    println!("  . {}", settings::shown(&settings.variables_file()));
}

/// Runs and shows all steps, and returns all unexpected results.
fn run_steps(show: Show, stage: &Stage, audit_log: &mut AuditLog) -> Outcome<Vec<String>> {
    let mut runner = Runner::on(stage);
    show.heading("The applications get their tokens from the provider");
    for token in &TOKENS {
        let claims = runner.token(token)?;
        show.token(token, &claims);
    }
    let mut faults = Vec::new();
    for (number, step) in (1..).zip(&STEPS) {
        if is_interrupted() {
            return Err("interrupted".into());
        }
        show.heading(&format!("{number}. {}", step.title));
        let result = runner.step(step)?;
        show.step(step, &result);
        audit_log.follow(&stage.envoy)?;
        let named = result.faults.iter();
        faults.extend(named.map(|fault| format!("{number}. {}: {fault}", step.title)));
    }
    Ok(faults)
}

/// Keeps all programs running and the audit log current, until the demo is interrupted.
fn stay(settings: &Settings, stage: &Stage, audit_log: &mut AuditLog) -> Outcome<()> {
    println!();
    println!("All programs run until Ctrl-C. Try in this directory, in another terminal:");
    println!("  . {}", settings::shown(&settings.variables_file()));
    println!("  curl -si $GATE/api/v1/workflows -H \"Authorization: Bearer $TOKEN_A\"");
    println!("  tail -f {}", settings::shown(&settings.audit_file()));
    println!("  make demo-keys                 # the API keys in n8n, as they come and go");
    while !is_interrupted() {
        thread::sleep(Duration::from_millis(200));
        audit_log.follow(&stage.envoy)?;
    }
    println!();
    Ok(())
}
