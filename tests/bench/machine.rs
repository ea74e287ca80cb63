//! The machine and the programs of the measurement. It holds no name of a machine and no path.

use std::fs;
use std::process::Command;

use crate::settings::{self, Settings};
use crate::support::{installed, Outcome};

/// Facts for the reader of the figures, as items of a list.
pub(crate) fn facts(settings: &Settings) -> Outcome<Vec<String>> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model.trim());
    let cores = processors
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let envoy = first_line(Command::new(installed::envoy()?).arg("--version"))?;
    let wrk = first_line(Command::new(settings::wrk()?).arg("--version"))?;
    // `PATH  version: COMMIT/VERSION/...`
    let version = envoy
        .split_once("version: ")
        .and_then(|(_, version)| version.split('/').nth(1))
        .unwrap_or("unknown");
    let wrk = wrk.split_whitespace().nth(1).unwrap_or("unknown");
    let h2load = first_line(Command::new(settings::h2load()?).arg("--version"))?;
    let h2load = h2load.rsplit('/').next().unwrap_or("unknown");
    Ok(vec![
        format!(
            "Processor: {model}, {cores} cores. Envoy had core {}, everything else core {}.",
            settings.envoy_core, settings.load_core
        ),
        format!(
            "Envoy {version}, its own WebAssembly runtime (V8), one worker (`--concurrency 1`)."
        ),
        format!("Load generators, one thread each: wrk {wrk}, and h2load {h2load} for HTTP/2."),
        format!(
            "{} rounds of {} seconds for each line, and fewer for figures without an aim. In each round every contestant had its turn, those with an aim on a new Envoy.",
            settings.rounds, settings.seconds
        ),
    ])
}

/// The size of the gate's module in bytes.
pub(crate) fn wasm_size() -> Outcome<u64> {
    Ok(fs::metadata(installed::wasm()?)?.len())
}

fn first_line(command: &mut Command) -> Outcome<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| !line.trim().is_empty());
    Ok(line.unwrap_or_default().trim().to_owned())
}
