//! The counting: this program again, under valgrind.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cases::Case;
use crate::pinned::Figures;
use crate::Failure;

/// How many requests are counted. Any number gives the same result, within what the random key of a
/// hash map changes.
const REQUESTS: usize = 1000;

/// How many requests the second of two processes decides about more than the first, where the
/// difference of them counts.
const MORE: usize = 100;

/// Counts a request of this case. `callgrind_annotate` reads the file that stays behind.
pub(crate) fn count(case: &Case) -> Result<Figures, Failure> {
    let file = folder()?.join(format!("{}.callgrind", case.name.replace([' ', ','], "-")));
    let Instructions { all, distinct } = instructions(case, &file)?;
    let few = heap(case, MORE)?;
    let many = heap(case, 2 * MORE)?;
    let more = |of: fn(&Heap) -> u64| each(of(&many).saturating_sub(of(&few)), MORE);
    Ok(vec![
        ("instructions", each(all, REQUESTS)),
        ("distinct", distinct),
        ("allocations", more(|heap| heap.allocations)),
        ("bytes", more(|heap| heap.bytes)),
    ])
}

/// The rounded part of one request.
fn each(total: u64, requests: usize) -> u64 {
    let requests = requests as u64;
    let total = total.saturating_add(requests / 2);
    total.checked_div(requests).unwrap_or_default()
}

fn folder() -> Result<PathBuf, Failure> {
    let program = env::current_exe()?;
    let folder = program.parent().ok_or("no directory")?.join("callgrind");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The instructions within the function that is counted.
struct Instructions {
    /// Of all requests.
    all: u64,
    /// How many there are, each counted once.
    distinct: u64,
}

fn instructions(case: &Case, file: &Path) -> Result<Instructions, Failure> {
    let out = format!("--callgrind-out-file={}", file.display());
    let tool = [
        "--tool=callgrind",
        "--toggle-collect=*counted_request*",
        "--dump-instr=yes",
        "--compress-pos=no",
        &out,
    ];
    valgrind(&tool, case, REQUESTS, REQUESTS)?;
    let text = fs::read_to_string(file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let all = total.ok_or("valgrind counted nothing")?.trim().parse()?;
    let distinct = addresses(&text).len().try_into()?;
    Ok(Instructions { all, distinct })
}

/// The addresses of the instructions in a report of callgrind. Each line with a cost begins with one; after
/// `calls=`, it is that of a call that other lines count.
fn addresses(report: &str) -> BTreeSet<&str> {
    let before = iter::once("").chain(report.lines());
    let lines = report.lines().zip(before);
    let own =
        lines.filter(|(line, before)| line.starts_with("0x") && !before.starts_with("calls="));
    own.filter_map(|(line, _)| line.split(' ').next()).collect()
}

/// What a process allocates from its start to its end.
struct Heap {
    allocations: u64,
    bytes: u64,
}

/// What a process allocates that decides about so many requests.
fn heap(case: &Case, requests: usize) -> Result<Heap, Failure> {
    let tool = [
        "--tool=memcheck",
        "--leak-check=no",
        "--undef-value-errors=no",
    ];
    let said = valgrind(&tool, case, 2 * MORE, requests)?;
    let line = said
        .lines()
        .find_map(|line| line.split_once("total heap usage:"));
    let (_, usage) = line.ok_or("valgrind says nothing about the heap")?;
    let numbers: Vec<u64> = usage
        .split(' ')
        .filter_map(|word| word.replace(',', "").parse().ok())
        .collect();
    match numbers[..] {
        [allocations, _, bytes] => Ok(Heap { allocations, bytes }),
        _ => Err(format!("valgrind says: {usage}").into()),
    }
}

/// What valgrind says at the end of a process that makes so many requests and counts so many of them.
fn valgrind(tool: &[&str], case: &Case, made: usize, counted: usize) -> Result<String, Failure> {
    let output = Command::new("valgrind")
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .args(tool)
        .arg(env::current_exe()?)
        .args(["run", case.name, &made.to_string(), &counted.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error} (Debian: apt-get install valgrind)"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(said.into())
    }
}
