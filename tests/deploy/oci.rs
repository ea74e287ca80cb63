//! The image that `make oci` writes, from a module that is small.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{json, Value};
use tempfile::TempDir;

use super::repository::{files, root};

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A module that does nothing, larger than one block of the layer.
fn module() -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend((0..200_000_u32).map(|byte| byte.to_le_bytes()[0]));
    module
}

/// A checkout of its own, with what the script reads.
struct Checkout(TempDir);

impl Checkout {
    fn new(module: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scripts = ["scripts/oci.sh", "scripts/oci_layout.py", "scripts/lib.sh"];
        let mut names: Vec<String> = scripts.map(str::to_owned).to_vec();
        let manifests = files(&["yaml"]).into_iter().map(|file| file.name);
        names.extend(manifests.filter(|name| name.starts_with("deploy/")));
        names.push("Cargo.toml".to_owned());
        for name in names {
            let copy = folder.path().join(&name);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(root().join(&name), copy).unwrap();
        }
        fs::write(folder.path().join("module.wasm"), module).unwrap();
        Self(folder)
    }

    /// Runs the script under another umask, time zone and language than the others.
    fn run(&self, umask: &str, zone: &str, image: Option<&str>) -> Output {
        let mut command = Command::new("bash");
        command
            .arg("-c")
            .arg(format!("umask {umask}; exec scripts/oci.sh module.wasm"))
            .env("TZ", zone)
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", "1")
            .env_remove("IMAGE")
            .envs(image.map(|image| ("IMAGE", image)))
            .current_dir(self.0.path());
        command.output().unwrap()
    }

    fn digest(&self, umask: &str, zone: &str, image: Option<&str>) -> String {
        let output = self.run(umask, zone, image);
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{log}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("target/oci").join(name)
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }
}

fn blob(digest: &Value) -> String {
    let hash = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
    format!("image/blobs/sha256/{hash}")
}

fn sha256(path: &Path) -> String {
    let hash = hmac_sha256::Hash::hash(&fs::read(path).unwrap());
    hash.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[test]
fn two_folders_and_two_runs_make_one_digest() {
    let (one, other) = (Checkout::new(&module()), Checkout::new(&module()));
    let digest = one.digest("022", "UTC", None);
    assert_eq!(one.digest("077", "Asia/Tokyo", None), digest);
    assert_eq!(other.digest("000", "America/Lima", None), digest);
    let changed = Checkout::new(&[module(), vec![0]].concat());
    assert_ne!(changed.digest("022", "UTC", None), digest);
}

/// Istio's agent compares the digest of the manifest, of linux/amd64 if there is an index of
/// several. It takes the last layer, which must be gzip.
#[test]
fn the_image_is_one_layer_for_one_platform() {
    let checkout = Checkout::new(&module());
    let digest = checkout.digest("022", "UTC", None);
    let index = checkout.json("image/index.json");
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    let described = &index["manifests"][0];
    assert_eq!(described["digest"], digest);
    let platform = json!({ "architecture": "amd64", "os": "linux" });
    assert_eq!(described["platform"], platform);
    let manifest = checkout.json(&blob(&described["digest"]));
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    let layer = &manifest["layers"][0];
    assert_eq!(
        layer["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+gzip"
    );
    let config = checkout.json(&blob(&manifest["config"]["digest"]));
    assert_eq!(config["os"], "linux");
    assert_eq!(config["architecture"], "amd64");
    // Every file has the name of its content, and there is no other.
    let named: BTreeSet<String> = [&described["digest"], &manifest["config"]["digest"]]
        .into_iter()
        .chain([&layer["digest"]])
        .map(|digest| blob(digest).rsplit('/').next().unwrap().to_owned())
        .collect();
    let there: BTreeSet<String> = fs::read_dir(checkout.path("image/blobs/sha256"))
        .unwrap()
        .map(|entry| sha256(&entry.unwrap().path()))
        .collect();
    assert_eq!(there, named);
}

#[test]
fn every_manifest_with_zeros_gets_the_digest_and_the_image_in_a_copy() {
    let checkout = Checkout::new(&module());
    let digest = checkout.digest("022", "UTC", Some("localhost:5000/gate/n8n-idp-gate:1"));
    let digest = digest.strip_prefix("sha256:").unwrap();
    let mut copied = Vec::new();
    for file in files(&["yaml"]) {
        if !file.name.starts_with("deploy/") || !file.text.contains(ZEROS) {
            continue;
        }
        let copy = fs::read_to_string(checkout.path(&file.name)).unwrap();
        assert_eq!(copy.matches(digest).count(), 1, "{}", file.name);
        assert!(!copy.contains(ZEROS), "{}", file.name);
        assert!(
            copy.contains("localhost:5000/gate/n8n-idp-gate:1"),
            "{copy}"
        );
        assert!(!copy.contains("registry.example.com"), "{copy}");
        copied.push(file.name);
    }
    for name in [
        "deploy/envoy-gateway/policy.yaml",
        "deploy/istio/wasmplugin.yaml",
    ] {
        assert!(copied.contains(&name.to_owned()), "{copied:?}");
    }
}

#[test]
fn what_is_no_module_or_no_image_s_name_is_refused() {
    let text = Checkout::new(b"<html>");
    let output = text.run("022", "UTC", None);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no WebAssembly module"));
    let checkout = Checkout::new(&module());
    for name in [
        "n8n-idp-gate",
        "registry.example.com/a",
        "a/b:c|d",
        "a/b:c\ne",
    ] {
        let output = checkout.run("022", "UTC", Some(name));
        assert!(!output.status.success(), "{name}");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("error: IMAGE is"), "{log}");
    }
    assert!(!checkout.path("").exists());
}
