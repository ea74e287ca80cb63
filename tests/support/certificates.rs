//! Certificates that are made for one test, and a client that shows them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use tempfile::TempDir;

use super::http::Response;
use super::Outcome;

/// The name of the server in its certificate.
pub(crate) const SERVER: &str = "n8n.example.test";

/// An authority, its server, and its clients. Dropping it removes their keys.
#[derive(Debug)]
pub(crate) struct Authority {
    directory: TempDir,
}

/// A certificate, and the key of it.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    /// The SHA-256 digest of the certificate.
    digest: [u8; 32],
}

impl Authority {
    pub(crate) fn new() -> Outcome<Self> {
        let authority = Self {
            directory: tempfile::tempdir()?,
        };
        authority.make("ca", "/CN=Test authority", "CA:TRUE", &[])?;
        Ok(authority)
    }

    /// The certificate of the authority itself.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate that the authority signs.
    pub(crate) fn signed(&self, name: &str, subject: &str, names: &str) -> Outcome<Certificate> {
        let root = self.root();
        let key = self.directory.path().join("ca.key");
        let signer = ["-CA".into(), root, "-CAkey".into(), key];
        self.make(name, subject, &format!("subjectAltName={names}"), &signer)
    }

    /// A certificate that its owner signs.
    pub(crate) fn self_signed(&self, name: &str) -> Outcome<Certificate> {
        let subject = format!("/CN={name}");
        self.make(name, &subject, "subjectAltName=DNS:self.example", &[])
    }

    fn make(
        &self,
        name: &str,
        subject: &str,
        extension: &str,
        signer: &[PathBuf],
    ) -> Outcome<Certificate> {
        let chain = self.directory.path().join(format!("{name}.pem"));
        let key = self.directory.path().join(format!("{name}.key"));
        let extension = match extension {
            "CA:TRUE" => "basicConstraints=critical,CA:TRUE",
            other => other,
        };
        let mut command = Command::new("openssl");
        command
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
            .args([
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-config",
                "/dev/null",
            ])
            .args(["-subj", subject, "-addext", extension])
            .args(signer)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&chain);
        run(&mut command)?;
        let mut command = Command::new("openssl");
        command.args(["x509", "-outform", "DER", "-in"]);
        let der = run(command.arg(&chain))?;
        Ok(Certificate {
            chain,
            key,
            digest: hmac_sha256::Hash::hash(&der),
        })
    }
}

impl Certificate {
    /// The digest as `x5t#S256` has it.
    pub(crate) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest)
    }

    /// The digest in hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for octet in self.digest {
            let _ = write!(text, "{octet:02x}");
        }
        text
    }
}

/// Sends a GET over TLS, with a certificate of the client if there is one.
pub(crate) fn get_over_tls(
    authority: &Authority,
    client: Option<&Certificate>,
    port: u16,
    path: &str,
    headers: &[(&str, &str)],
) -> Outcome<Response> {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--http1.1", "--include"])
        .args(["--noproxy", "*", "--max-time", "20", "--resolve"])
        .arg(format!("{SERVER}:{port}:127.0.0.1"))
        .arg("--cacert")
        .arg(authority.root());
    if let Some(client) = client {
        command.arg("--cert").arg(&client.chain);
        command.arg("--key").arg(&client.key);
    }
    for (name, value) in headers {
        command.arg("--header").arg(format!("{name}: {value}"));
    }
    let response = run(command.arg(format!("https://{SERVER}:{port}{path}")))?;
    let end = response.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or("no head of a response")?;
    let (head, body) = response.split_at(end);
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Ok(Response {
        status: status.unwrap_or_default().parse()?,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.as_bytes().to_vec()))
            .collect(),
        body: body.get(4..).unwrap_or_default().to_vec(),
    })
}

fn run(command: &mut Command) -> Outcome<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}: {errors}", output.status).into())
}
