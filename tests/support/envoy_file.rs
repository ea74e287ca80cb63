//! The repository's own `envoy.yaml`, which the tests and the demo run.
//!
//! Only port numbers may differ, because a machine may use them for something else. Ports are
//! replaced after `port_value: ` and after `http://127.0.0.1:`.

use std::fs;

use super::{installed, Outcome};

/// The ports in `envoy.yaml`.
pub(crate) mod port {
    /// The port for clients.
    pub(crate) const GATE: u16 = 8080;
    /// Envoy's own pages.
    pub(crate) const ADMIN: u16 = 9901;
    /// n8n.
    pub(crate) const N8N: u16 = 5678;
    /// The provider.
    pub(crate) const PROVIDER: u16 = 9000;
}

/// The ports that replace those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    /// The port for clients.
    pub(crate) gate: u16,
    /// Envoy's own pages.
    pub(crate) admin: u16,
    /// n8n.
    pub(crate) n8n: u16,
    /// The provider.
    pub(crate) provider: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            gate: port::GATE,
            admin: port::ADMIN,
            n8n: port::N8N,
            provider: port::PROVIDER,
        }
    }
}

/// The text of the file.
pub(crate) fn text() -> Outcome<String> {
    Ok(fs::read_to_string(installed::root().join("envoy.yaml"))?)
}

/// The text of the file with these ports.
pub(crate) fn text_with(ports: Ports) -> Outcome<String> {
    let mut replaced = String::new();
    let original = text()?;
    for line in original.split_inclusive('\n') {
        replaced.push_str(&line_with(line, ports));
    }
    Ok(replaced)
}

fn line_with(line: &str, ports: Ports) -> String {
    for before in ["port_value: ", "http://127.0.0.1:"] {
        let Some((head, tail)) = line.split_once(before) else {
            continue;
        };
        let end = tail
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(tail.len());
        let (number, rest) = tail.split_at(end);
        let other = match number.parse() {
            Ok(port::GATE) => ports.gate,
            Ok(port::ADMIN) => ports.admin,
            Ok(port::N8N) => ports.n8n,
            Ok(port::PROVIDER) => ports.provider,
            _ => continue,
        };
        return format!("{head}{before}{other}{rest}");
    }
    line.to_owned()
}
