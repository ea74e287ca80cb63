//! Free loopback ports.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use super::Outcome;

/// The ports that this process has given out. The kernel may offer one of them again while its
/// server is still starting.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port on which no program listened a moment ago.
pub(crate) fn free() -> Outcome<u16> {
    for _ in 0..100 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        if given.insert(port) {
            return Ok(port);
        }
    }
    Err("no free loopback port was found".into())
}

/// Fails with the name of the purpose if `port` is in use.
pub(crate) fn require_free(port: u16, purpose: &str) -> Outcome<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(format!("port {port} of 127.0.0.1 is taken; {purpose} needs it").into())
        }
        Err(error) => Err(error.into()),
    }
}
