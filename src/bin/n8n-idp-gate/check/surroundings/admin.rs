//! Envoy's admin pages.

use std::net::IpAddr;

use serde_json::Value;

use super::Walk;
use crate::diagnostic::rules::ADMIN_EXPOSED;
use crate::file::fields::field;

impl Walk<'_> {
    /// The `admin` of an Envoy file.
    pub(super) fn admin(&mut self, name: &str, admin: &Value) {
        let address = admin.as_object().and_then(|admin| {
            let address = field(admin, "address")?.as_object()?;
            let socket = field(address, "socket_address")?.as_object()?;
            field(socket, "address")?.as_str()
        });
        if address.is_some_and(|address| !is_loopback(address)) {
            let name = format!("{name}.address.socket_address.address");
            self.report(ADMIN_EXPOSED, &name, EXPOSED);
        }
    }
}

fn is_loopback(address: &str) -> bool {
    let ip = address.parse::<IpAddr>();
    ip.map_or(address == "localhost", |ip| ip.to_canonical().is_loopback())
}

const EXPOSED: &str =
    "Envoy's admin pages are not on loopback: they show the configuration, and can stop \
     Envoy. Hint: write 127.0.0.1";
