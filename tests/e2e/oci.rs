//! The image that `make oci` writes, pushed to a registry and fetched again with the library that
//! Istio and Envoy Gateway fetch it with.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::installed;
use crate::support::ports;
use crate::support::process::{Ending, Process};

/// Runs a program at the root of the repository and returns its output.
fn run(program: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(installed::root())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {log}");
    output.stdout
}

fn line(output: Vec<u8>) -> String {
    String::from_utf8(output).unwrap().trim().to_owned()
}

#[test]
fn a_registry_serves_the_image_under_the_digest_that_was_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (crane, module) = (installed::crane().unwrap(), installed::wasm().unwrap());
    let port = ports::free().unwrap();
    let address = format!("127.0.0.1:{port}");
    let log = folder.path().join("log");
    let mut registry = Process::start("crane", &crane, &log, Ending::Kill, |command| {
        command.args(["registry", "serve", "--address", &address]);
    })
    .unwrap();
    registry
        .wait_until(Duration::from_secs(20), |_| {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })
        .unwrap();
    let written = folder.path().join("oci");
    let written = written.to_str().unwrap();
    let script = installed::root().join("scripts/oci.sh");
    let digest = line(run(&script, &[module.to_str().unwrap(), written]));
    let image = format!("{address}/gate/n8n-idp-gate:1");
    run(&crane, &["push", &format!("{written}/image"), &image]);
    // As Istio's agent asks: by the tag, for the digest of the image of linux/amd64.
    let served = line(run(&crane, &["digest", "--platform=linux/amd64", &image]));
    assert_eq!(served, digest);
    // Sizes, digests and the layer's content, as the registry serves them.
    run(&crane, &["validate", "--remote", &image]);
    let archive = folder.path().join("image.tar");
    let archive = archive.to_str().unwrap();
    run(&crane, &["export", &image, archive]);
    let tar = Path::new("/usr/bin/env");
    let files = line(run(tar, &["tar", "--list", "--file", archive]));
    assert_eq!(files, "plugin.wasm");
    let plugin = run(tar, &["tar", "-xOf", archive, "plugin.wasm"]);
    assert!(plugin == fs::read(module).unwrap(), "other bytes");
}
