//! The table of a run.

use std::env;
use std::process::Command;

use crate::pinned::{settle, Counted, Figures};
use crate::Failure;

/// Prints the counts, and compares them with those that are pinned.
pub(crate) fn report(cases: Vec<(&'static str, Figures)>, is_all: bool) -> Result<(), Failure> {
    println!(
        "{:<24}{:>14}{:>14}{:>14}{:>10}",
        "one request", "instructions", "distinct", "allocations", "bytes"
    );
    for (name, figures) in &cases {
        print!("{name:<24}");
        for ((_, value), width) in figures.iter().zip([14, 14, 14, 10]) {
            print!("{value:>width$}");
        }
        println!();
    }
    // `malloc` and `memcpy` are the C library's.
    let made_with = [
        version("rustc", "--version"),
        version("getconf", "GNU_LIBC_VERSION"),
        version("valgrind", "--version"),
        env::consts::ARCH.to_owned(),
    ];
    let counted = Counted {
        what: "native",
        made_with: made_with.join(", "),
        is_all,
        cases,
    };
    if let Some(why) = settle(&counted)? {
        println!("{why}");
    }
    Ok(())
}

/// What a program says of its version, without what it says in brackets.
fn version(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&text);
    text.split(" (")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}
