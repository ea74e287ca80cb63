//! What `make demo` and `make test` do on a machine that lacks something.

use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::repository::root;

/// What the script calls that any machine has.
const SYSTEM: [&str; 18] = [
    "awk", "bash", "cat", "chmod", "dirname", "env", "grep", "head", "mkdir", "mv", "paste", "rm",
    "sed", "sh", "sort", "tail", "timeout", "tr",
];

/// The programs that it looks for.
const WANTED: [&str; 18] = [
    "cargo",
    "cc",
    "c++",
    "curl",
    "dpkg-deb",
    "flock",
    "git",
    "javac",
    "jq",
    "make",
    "mvn",
    "npm",
    "openssl",
    "perl",
    "python3",
    "rustup",
    "taskset",
    "apt-cache",
];

/// A machine: its programs, and a checkout with the script.
struct Machine(TempDir);

impl Machine {
    /// A machine of an administrator that has everything. Its `apt-get` puts the program `make`
    /// there, whatever it is asked for, and keeps a list of its calls.
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for folder in ["bin", "checkout/scripts"] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        for name in [
            "scripts/preflight.sh",
            "scripts/lib.sh",
            "scripts/rust-versions.txt",
        ] {
            let copy = machine.path(&format!("checkout/{name}"));
            fs::copy(root().join(name), copy).unwrap();
        }
        let manifest = machine.path("checkout/Cargo.toml");
        fs::copy(root().join("Cargo.toml"), manifest).unwrap();
        for name in SYSTEM {
            let program = ["/usr/bin", "/bin"].map(|folder| PathBuf::from(folder).join(name));
            let program = program.into_iter().find(|program| program.exists());
            symlink(program.unwrap(), machine.program(name)).unwrap();
        }
        for name in WANTED {
            machine.add(name, "");
        }
        machine.add("id", "echo 0");
        machine.add("df", "printf 'Filesystem\\n/ 1 1 99999999 1 /\\n'");
        machine.add("rustc", "echo 'rustc 1.95.0 (a 2026-01-01)'");
        machine.add("java", "echo 'openjdk version \"17.0.1\" 2026-01-01' >&2");
        machine.add("go", "echo 'go version go1.26.1 linux/amd64'");
        let calls = machine.path("calls").display().to_string();
        let made = machine.program("make").display().to_string();
        machine.add(
            "apt-get",
            &format!(
                "echo \"apt-get $*\" >>{calls}; \
                 if [ $1 = install ]; then echo '#!/bin/sh' >{made}; chmod 755 {made}; fi"
            ),
        );
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.path("bin").join(name)
    }

    fn add(&self, name: &str, text: &str) {
        let program = self.program(name);
        fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn without(self, name: &str) -> Self {
        fs::remove_file(self.program(name)).unwrap();
        self
    }

    fn preflight(&self, mode: &str, variables: &[(&str, &str)]) -> (bool, String) {
        let output: Output = Command::new(self.program("bash"))
            .arg("scripts/preflight.sh")
            .args((!mode.is_empty()).then_some(mode))
            .current_dir(self.path("checkout"))
            .env_clear()
            .env("PATH", self.path("bin"))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        (output.status.success(), log)
    }

    /// The calls of `apt-get`.
    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }
}

#[test]
fn a_machine_that_has_everything_is_left_alone() {
    let machine = Machine::new();
    let (passed, log) = machine.preflight("test", &[]);
    assert!(passed, "{log}");
    assert_eq!((log.as_str(), machine.calls().as_str()), ("", ""));
}

#[test]
fn the_benchmark_needs_what_counts_instructions() {
    let machine = Machine::new();
    let (passed, log) = machine.preflight("bench", &[("PREFLIGHT_INSTALL", "no")]);
    assert!(!passed && log.contains("missing: valgrind"), "{log}");
    machine.add("valgrind", "");
    assert_eq!(machine.preflight("bench", &[]), (true, String::new()));
}

#[test]
fn an_administrator_s_machine_gets_what_debian_has_and_is_told_before() {
    let machine = Machine::new().without("make");
    let (passed, log) = machine.preflight("test", &[]);
    assert!(passed, "{log}");
    let said = log.find("==> installing Debian's packages: make\n");
    assert!(said.is_some(), "{log}");
    let calls = machine.calls();
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(
        calls,
        [
            "apt-get update -q",
            "apt-get install --yes --no-install-recommends make"
        ]
    );
}

#[test]
fn what_could_not_be_brought_is_said_in_one_line_each() {
    // The `apt-get` here brings no Java, and Debian's Go and Rust are too old.
    let machine = Machine::new().without("java").without("go").without("make");
    let (passed, log) = machine.preflight("test", &[]);
    assert!(!passed);
    assert!(machine
        .calls()
        .contains("install --yes --no-install-recommends make openjdk-17-jdk-headless\n"));
    let still = log.split("==> looking again\n").nth(1).unwrap();
    let still: Vec<&str> = still.lines().collect();
    assert_eq!(still.len(), 3, "{log}");
    assert!(still[0].starts_with("missing: Java 17 "), "{log}");
    assert!(still[1].starts_with("missing: go "), "{log}");
    assert_eq!(still[2], "error: 2 missing; nothing was built");
}

#[test]
fn nothing_is_installed_for_another_user_or_when_it_is_turned_off() {
    let user = Machine::new().without("make");
    user.add("id", "echo 1000");
    let off = Machine::new().without("make");
    let asked = Machine::new().without("make");
    for (machine, mode, variables) in [
        (user, "test", [].as_slice()),
        (off, "demo", &[("PREFLIGHT_INSTALL", "no")]),
        (asked, "", &[]),
    ] {
        let (passed, log) = machine.preflight(mode, variables);
        assert!(!passed, "{log}");
        assert_eq!(machine.calls(), "");
        assert!(log.contains("(Debian: apt-get install make)"), "{log}");
    }
}
